/** Sets up, compiles the examples and runs one: `npm run example -- mnist-100-labels`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUpOrExit } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = readdirSync(join(root, 'examples'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));
const [name, ...args] = process.argv.slice(2);
if (!name || !existsSync(join(root, 'examples', `${name}.ts`))) {
  console.error(`example: expected one of ${names.join(', ')}. Received: ${name ?? 'nothing'}.`);
  process.exit(2);
}
setUpOrExit();
const node = (...argv) => spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' }).status ?? 1;
const compiled = node(join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'examples'));
process.exit(compiled !== 0 ? compiled : node(join(root, `dist/examples/${name}.js`), ...args));
