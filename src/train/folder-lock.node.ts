import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuarterturnError } from '../errors.js';
import { temporarySuffix } from './atomic-file.node.js';

/** Who holds a folder. */
interface Holder {
  readonly pid: number;
  /** When that process started, in ticks since boot: a pid alone may be given again after a crash or reboot. */
  readonly startTicks: string | null;
  /** Different in each process and each lock, so that a holder knows its own. */
  readonly token: string;
}

/** Locks of this process: where start times are unknown, our pid may also be that of an earlier process. */
const heldTokens = new Set<string>();

/** Long enough for a competitor that saw the same stale lock to finish replacing it. */
const settleMs = 50;

/**
 * Take a folder for this process alone.
 *
 * The lock is a file that names its holder. It outlives a process that is killed; then its holder is found
 * dead and the lock is taken over.
 * @returns releases the lock
 * @throws QuarterturnError `io` where a living process holds it. File system errors pass through as they are.
 */
export async function lockFolder(path: string): Promise<() => Promise<void>> {
  const token = randomUUID();
  heldTokens.add(token); // from the start: others in this process must not take the lock for a dead one
  try {
    await acquire(path, token);
  } catch (error) {
    heldTokens.delete(token);
    throw error;
  }
  return async () => {
    const mine = heldTokens.delete(token) && (await readHolder(path))?.token === token;
    if (mine) await fs.rm(path, { force: true });
  };
}

async function acquire(path: string, token: string): Promise<void> {
  const holder: Holder = { pid: process.pid, startTicks: startTicksOf(process.pid), token };
  const content = JSON.stringify(holder);
  try {
    await fs.writeFile(path, content, { flag: 'wx' });
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  let previous = await readHolder(path);
  if (previous === undefined) {
    await sleep(settleMs); // it may be being written at this moment
    previous = await readHolder(path);
  }
  if (previous !== undefined && isAlive(previous)) throw lockedError(path, previous);
  // Several processes may find the same dead holder: each replaces the lock in one stroke, the last one has it.
  const replacement = `${path}.${token}${temporarySuffix}`;
  await fs.writeFile(replacement, content);
  await fs.rename(replacement, path);
  await sleep(settleMs);
  const winner = await readHolder(path);
  if (winner?.token !== token) throw lockedError(path, winner);
}

/** undefined where there is no lock, or one whose writer died before it was whole. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await fs.readFile(path, 'utf8')) as Partial<Holder> | null;
    return Number.isInteger(holder?.pid) ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startTicks, token }: Holder): boolean {
  if (pid === process.pid && startTicks === null) return heldTokens.has(token);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's, but there
  }
  return startTicksOf(pid) === startTicks;
}

/** Linux only, null elsewhere and for a zombie, which has ended but was not waited for. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // `pid (name) state ...`, where the name may hold spaces and parentheses; the start is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function lockedError(path: string, holder: Holder | undefined): QuarterturnError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new QuarterturnError(
    'io',
    `${path}: expected a run that no other process writes. Received: ${who}.`,
    {
      hint: `Wait for ${who} to end, or stop it; several runs at once need different --out folders.`,
    },
  );
}
