import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that owns a lock or a temporary file, as the name of that file tells it. */
export interface Owner {
  /** Processes of the same place see each other under their numbers. */
  readonly place: string;
  readonly pid: number;
  /** When it started, in ticks since boot: numbers are given again. `0` where the platform does not tell. */
  readonly startTicks: string;
}

/** Host, boot and namespace of process numbers: containers of one host, and hosts of one disk, differ in it. */
const here = createHash('sha256')
  .update([hostname(), bootId(), pidNamespace()].join('\n'))
  .digest('hex')
  .slice(0, 12);

/** A name that tells that this process is the owner, and that no process is ever given again. */
export function newOwnerName(): string {
  const { startTicks = '0' } = statOf(process.pid) ?? {};
  return `${here}-${process.pid}-${startTicks}-${randomBytes(6).toString('hex')}`;
}

/** The owner that a name tells, wherever in a file name it stands; undefined if it tells none. */
export function ownerIn(name: string): Owner | undefined {
  const [, place, pid, startTicks] = /([0-9a-f]{12})-(\d+)-(\d+)-[0-9a-f]{12}/.exec(name) ?? [];
  return place === undefined ? undefined : { place, pid: Number(pid), startTicks: startTicks! };
}

/** Whether an owner is of this place, so that its number means here what it means there. */
export function isHere({ place }: Owner): boolean {
  return place === here;
}

/** Whether an owner's process still runs; undefined if that cannot be told from here. */
export function isRunning(owner: Owner): boolean | undefined {
  const { pid, startTicks } = owner;
  if (!isHere(owner)) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // else: somebody else's, but there
  }
  const stat = statOf(pid);
  if (stat === undefined || startTicks === '0') return undefined; // it may be another one under the same number
  return stat.state !== 'Z' && stat.startTicks === startTicks; // a zombie has ended, but was not waited for
}

/** Linux only; undefined elsewhere. */
function statOf(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // `pid (name) state ...`, where the name may hold spaces and parentheses; the start is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, startTicks: fields[19]! };
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
