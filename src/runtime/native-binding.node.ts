import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { QuarterturnError } from '../errors.js';

/** Where the package keeps its bindings, each in `<platform>/<arch>` below it. */
const bindingsFolder = 'bin/napi-v6';
const bindingFile = 'onnxruntime_binding.node';

const reinstall =
  'Install it afresh: remove node_modules/onnxruntime-node, then run `npm install`, behind a firewall with ONNXRUNTIME_NODE_INSTALL=skip in the environment.';

/**
 * Why onnxruntime-node could not be imported, and what to do about it: the package has no binding for this platform, or
 * lost its file, or the system cannot load it, or the package itself is not there.
 *
 * @param cause what the import threw
 * @returns QuarterturnError `runtime` that names platform and architecture
 */
export function bindingError(cause: unknown): QuarterturnError {
  const { platform, arch } = process;
  const fail = (received: string, hint: string) =>
    new QuarterturnError(
      'runtime',
      `onnxruntime-node: expected its native binding for ${platform}/${arch}. Received: ${received}.`,
      { hint, cause },
    );
  const home = packageFolder();
  if (home === undefined) return fail('no such package', reinstall);

  const folder = join(bindingsFolder, platform, arch);
  if (existsSync(join(home, folder, bindingFile))) {
    const reason = String(cause instanceof Error ? cause.message : cause)
      .split('\n', 1)
      .join();
    if (/failed to map segment|cannot allocate memory/i.test(reason)) {
      return fail(
        `too little memory to load it (${reason})`,
        'Raise the limit (ulimit -v unlimited), or stop other programs.',
      );
    }
    return fail(
      `one that this system cannot load (${reason})`,
      usesMusl()
        ? 'This Node is built for musl (Alpine), the binding for glibc: use a Node for glibc, e.g. the image node:22-slim.'
        : `Where the message names another library, the system lacks that one. Else the file is damaged. ${reinstall}`,
    );
  }
  const others = targetsIn(join(home, bindingsFolder));
  if (existsSync(join(home, folder)) || others.length === 0) {
    return fail(`a package without ${join(folder, bindingFile)}`, reinstall);
  }
  return fail(
    `a package for ${others.join(', ')}`,
    'Use Node on one of these, or Quarterturn in a browser, which needs no native binding.',
  );
}

function packageFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

/** `linux/x64` for each binding that lies there. */
function targetsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(`/${bindingFile}`))
    .map((path) => dirname(path))
    .sort();
}

/** Node's own report names the glibc that it runs with; on musl there is none. */
function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report: { readonly header?: { readonly glibcVersionRuntime?: string } } = process.report.getReport();
  return report.header?.glibcVersionRuntime === undefined;
}
