/** `npm run bench`: sets up the checkout and this package, compiles the benchmark and runs it (see main.ts). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUpOrExit } from '../scripts/setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
setUpOrExit({ packages: ['bench'] });
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench'], {
  cwd: root,
  // stdout is for the figures alone.
  stdio: ['ignore', 2, 2],
});
if (status !== 0) process.exit(1);
await import('../dist/bench/bench/main.js');
