import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Fixtures } from './fixtures.js';
import type { Sample } from './programs/program.js';

export type Flags = Readonly<Record<string, string | number>>;

/** Files that a contender works on, as flags; made where they are not there yet. */
export type Files = (fixtures: Fixtures) => Promise<Flags>;

/** One of those who run side by side in a row. */
export interface Contender {
  readonly name: string;
  /** `yardstick`: our own, for comparison, and no peer to be faster than. `reference`: gives numbers, and is not timed. */
  readonly role: 'ours' | 'peer' | 'yardstick' | 'reference';
  /** Command and its first arguments. */
  readonly program: readonly string[];
  readonly flags: Flags;
  /** Environment variables that it runs with. */
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Files;
  /** Takes seconds for a step: runs few of them. */
  readonly slow?: boolean;
  /** What the table has to say about it, e.g. another batch size. */
  readonly note?: string;
}

/** A contender's program did not end in time. */
export class OutOfTime extends Error {
  constructor(limitSeconds: number) {
    super(`did not end within ${limitSeconds} s`);
  }
}

/**
 * Run a contender's program to its end, in a process of its own.
 * @param limitSeconds after which the program and all that it has started are killed
 * @throws OutOfTime
 * @throws Error with the last lines that it wrote to stderr, where it failed
 */
export async function runContender(
  { program, flags, env }: Contender,
  more: Flags,
  limitSeconds: number,
): Promise<Sample> {
  const [command, ...first] = program;
  const pairs = Object.entries({ ...flags, ...more }).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(command!, [...first, ...pairs], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...untunedEnvironment(), ...env },
    // A process group of its own: a wrapper script's Python goes with the script.
    detached: true,
  });
  const kill = () => killGroup(child.pid);
  // Ctrl-C does not reach other process groups.
  process.once('exit', kill);
  let outOfTime = false;
  const timer = setTimeout(() => {
    outOfTime = true;
    kill();
  }, limitSeconds * 1000);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  try {
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (outOfTime) throw new OutOfTime(limitSeconds);
    if (status !== 0) {
      throw new Error(`ended with ${signal ?? `status ${status}`}. ${lastLines(output.stderr)}`.trim());
    }
    return JSON.parse(output.stdout) as Sample;
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
}

/** Kill a process and all of its group; nothing happens where none of them lives. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Variables that tune memory or number libraries. */
const tuning = /^(LD_PRELOAD|GLIBC_TUNABLES|(MALLOC|OPENBLAS|OMP|GOMP|KMP|MKL|DNNL|ONEDNN|ATEN)_.*)$/;

/** The environment without what tunes: how a contender is tuned is said by its row, not by who starts the bench. */
export function untunedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !tuning.test(name)));
}

/** What went wrong, without the stack. */
function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  return lines.slice(-3).join('\n');
}
