import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
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
  const path = await compileTo({ rootDir: root, noCheck: true }, entries);
  await writeFile(join(path, 'package.json'), '{ "type": "module" }');
  await symlink(join(root, 'node_modules'), join(path, 'node_modules'), 'junction');
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The declaration file of each source (paths in src/) and of all they import, by its path below src/ with `/`. */
export async function compileDeclarations(entries: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const options = { rootDir: join(root, 'src'), noCheck: true, declaration: true, emitDeclarationOnly: true };
  const path = await compileTo(
    options,
    entries.map((entry) => `src/${entry}`),
  );
  const names = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.d.ts'));
  const files = await Promise.all(
    names.map(
      async (name): Promise<[string, string]> => [
        name.replaceAll('\\', '/'),
        await readFile(join(path, name), 'utf8'),
      ],
    ),
  );
  await rm(path, { recursive: true, force: true });
  return new Map(files);
}

/** Run the compiler on sources; returns the folder that it wrote to. */
async function compileTo(options: object, entries: readonly string[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'quarterturn-compiled-'));
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      ...options,
      noEmit: false,
      outDir: path,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: entries.map((entry) => join(root, entry)),
    include: [],
  };
  await writeFile(join(path, 'tsconfig.json'), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(path, 'tsconfig.json'),
  ]);
  return path;
}
