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
  /** `yardstick`: our own, for comparison, and no peer to be faster than. */
  readonly role: 'ours' | 'peer' | 'yardstick';
  /** Command and its first arguments. */
  readonly program: readonly string[];
  readonly flags: Flags;
  readonly files?: Files;
  /** Takes seconds for a step: runs few of them. */
  readonly slow?: boolean;
  /** What the table has to say about it, e.g. another batch size. */
  readonly note?: string;
}

/**
 * Run a contender's program to its end, in a process of its own.
 * @throws Error with the last lines that it wrote to stderr, where it failed
 */
export async function runContender({ program, flags }: Contender, more: Flags): Promise<Sample> {
  const [command, ...first] = program;
  const pairs = Object.entries({ ...flags, ...more }).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(command!, [...first, ...pairs], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status !== 0) {
    throw new Error(`ended with ${signal ?? `status ${status}`}. ${lastLines(output.stderr)}`.trim());
  }
  return JSON.parse(output.stdout) as Sample;
}

/** What went wrong, without the stack. */
function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  return lines.slice(-3).join('\n');
}
