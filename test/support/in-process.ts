import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CliResult } from './cli.js';
import { root } from './compile.js';

/** Modules as they are installed: in `dist/`, which vitest leaves to Node. */
const load = <T>(module: string): Promise<T> =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'dist/cli', module)).href) as Promise<T>;

/**
 * `quarterturn <args>` in this process: for what is answered or refused before anything is learned, where a process of its own would
 * take half a second to say the same. How a process of its own begins and ends is for tests that start one.
 */
export async function inProcess(
  args: readonly string[],
  { cwd }: { readonly cwd: string },
): Promise<CliResult> {
  const [{ runCommandLine }, { exitCodeOf, formatError }, { systemError }] = await Promise.all([
    load<typeof import('../../src/cli/command-line.js')>('command-line.js'),
    load<typeof import('../../src/cli/terminal.js')>('terminal.js'),
    load<typeof import('../../src/cli/system-error.js')>('system-error.js'),
  ]);
  const printed = { stdout: '', stderr: '' };
  const before = process.cwd();
  const { FORCE_COLOR } = process.env;
  delete process.env.FORCE_COLOR;
  const streams = ['stdout', 'stderr'] as const;
  const writes = streams.map((name) => process[name].write);
  process.chdir(cwd);
  for (const name of streams) process[name].write = catching((text) => (printed[name] += text));
  try {
    return { code: await runCommandLine(['node', 'quarterturn', ...args]), ...printed };
  } catch (error) {
    const known = systemError(error) ?? error;
    return { code: exitCodeOf(known, 130), ...printed, stderr: `${printed.stderr}${formatError(known)}\n` };
  } finally {
    streams.forEach((name, i) => {
      process[name].write = writes[i]!;
    });
    process.chdir(before);
    if (FORCE_COLOR !== undefined) process.env.FORCE_COLOR = FORCE_COLOR;
  }
}

/** A stream's `write` that hands the text on. */
function catching(take: (text: string) => unknown): typeof process.stdout.write {
  return (chunk: string | Uint8Array, ...rest: unknown[]) => {
    take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((each) => typeof each === 'function');
    if (done) (done as () => void)();
    return true;
  };
}
