import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '../../bin/quarterturn.js');

export interface CliResult {
  /** Exit status; null where a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  /** The program; default: this checkout's. */
  readonly bin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its stdin; default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** Close our end of its stdout at once, as `| head` does when it has seen enough. */
  readonly closeStdout?: boolean;
  /**
   * A signal some time after stderr matches, which the process sends to itself: from here it might come too late where the machine
   * is busy. Without `when` it comes from here, some time after the start: at any moment of whatever the process does.
   */
  readonly signal?: { readonly name: NodeJS.Signals; readonly when?: RegExp; readonly afterMs?: number };
}

/** `quarterturn <args>` as a process of its own, with pipes for its output and nothing of our environment's colours. */
export function cli(
  args: readonly string[],
  { cwd, bin = checkout, env = {}, stdin = '', closeStdout, signal }: CliOptions,
): Promise<CliResult> {
  const { FORCE_COLOR: _f, NO_COLOR: _n, ...inherited } = process.env;
  const hook = signal?.when ? `--import ${signalHook({ ...signal, when: signal.when })}` : '';
  const NODE_OPTIONS = [env.NODE_OPTIONS ?? inherited.NODE_OPTIONS ?? '', hook].join(' ').trim();
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...inherited, ...env, NODE_OPTIONS } });
  child.stdin.on('error', () => {}); // it may end before it has read all
  child.stdin.end(stdin);
  if (closeStdout) child.stdout.destroy();
  let stdout = '';
  let stderr = '';
  const timer =
    signal && !signal.when ? setTimeout(() => child.kill(signal.name), signal.afterMs ?? 0) : undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A module that is loaded before the program. */
function signalHook({ name, when, afterMs = 0 }: { name: string; when: RegExp; afterMs?: number }): string {
  const source = `
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) {
      const { stderr } = process;
      const write = stderr.write.bind(stderr);
      let text = '';
      stderr.write = (chunk, ...more) => {
        text += chunk;
        if (${when}.test(text)) {
          stderr.write = write;
          setTimeout(() => process.kill(process.pid, '${name}'), ${afterMs}).unref();
        }
        return write(chunk, ...more);
      };
    }`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** Settings with which a whole run on the tiny data takes about a second. */
export const tinySettings = {
  draws: 2,
  labelsPerClass: 5,
  network: { width: 0.0625 },
  pretrain: { epochs: 3, batchSize: 32, stepsPerEpoch: 25, valFraction: 0.1 },
  finetune: { epochs: 8, batchSize: 15 },
  selfTrain: { epochs: 3, stepsPerEpoch: 10, labelledPerStep: 6, pairsPerStep: 12 },
  baseline: { epochs: 4, batchSize: 15 },
};

/** The same, so few steps that a run is little more than its start: for tests of what a run is given and leaves. */
export const tiniestSettings = {
  ...tinySettings,
  draws: 1,
  pretrain: { ...tinySettings.pretrain, epochs: 1, stepsPerEpoch: 4 },
  finetune: { ...tinySettings.finetune, epochs: 1 },
  selfTrain: { ...tinySettings.selfTrain, epochs: 1, stepsPerEpoch: 3 },
  baseline: { ...tinySettings.baseline, epochs: 1 },
};

/** Columns of the longest line; every character used here is one column wide. */
export function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => [...line].length));
}
