import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface CompiledFolder {
  /** Holds the modules at the paths of their sources, and finds the same packages as the checkout. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Compile sources (paths in the checkout) and all they import to plain ES modules in a folder of their own: for
 * processes that vitest does not transform modules for. Types are not checked here, `npm test` has done that.
 */
export async function compile(entries: readonly string[]): Promise<CompiledFolder> {
  const path = await mkdtemp(join(tmpdir(), 'quarterturn-compiled-'));
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      rootDir: root,
      outDir: path,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: entries.map((entry) => join(root, entry)),
  };
  await writeFile(join(path, 'package.json'), '{ "type": "module" }');
  await writeFile(join(path, 'tsconfig.json'), JSON.stringify(config));
  await symlink(join(root, 'node_modules'), join(path, 'node_modules'), 'junction');
  await promisify(execFile)(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(path, 'tsconfig.json'),
  ]);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
