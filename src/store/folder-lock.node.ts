import { existsSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuarterturnError } from '../errors.js';
import { isHere, isRunning, newOwnerName, type Owner, ownerIn } from '../owner.node.js';
import { ioError, temporaryPath } from './atomic-file.node.js';

/** How often a holder shows that it is there. */
const beatEveryMs = 10_000;

/**
 * A holder of whom nothing but its heartbeat can be seen, on another host or in another container, is taken for dead
 * once it was silent for so long. The heart beats on the event loop, which a training step of the native kernels
 * blocks: for seconds, for a minute where a step is very large. It does not beat in a thread of its own, which would
 * beat on where the training hangs. A holder that was silent for longer and yet lives finds out before it writes.
 */
const silentForMs = 5 * 60_000;

/** Each try ends in a lock, in an error or in the removal of a dead holder: many are only needed among many processes. */
const maxTries = 100;

/** How often a lock that is waited for is looked at: a holder that others wait for needs it for a few milliseconds. */
const lookEveryMs = 3;

export interface TakeOptions {
  /** How long to wait while another process holds it; default: not at all. */
  readonly waitMs?: number | undefined;
}

/** Another process holds a lock. */
export class FolderLocked extends QuarterturnError {
  /** Undefined if its name cannot be told. */
  readonly owner: Owner | undefined;

  constructor(message: string, options: { readonly hint: string; readonly owner: Owner | undefined }) {
    super('io', message, options);
    this.owner = options.owner;
  }
}

/**
 * The right of one process to write a folder.
 *
 * The lock is a folder, free while it is missing or empty, that holds one file: its name tells the holder, its time of
 * change is the heartbeat. Three operations change it, and the file system does each as a whole or not at all:
 *
 * - *take*: rename a folder that holds one's own file to the lock. That works only where the lock is missing or empty,
 *   so that of several exactly one gets it, and nobody sees a lock that is only half there.
 * - *take from a dead holder*: delete the file of that name, then take as above. A name is never given again, so that
 *   whoever decided long ago that a holder is dead deletes that holder's file or none, never that of a later one.
 * - *release*: delete one's own file, then the folder if it is empty.
 *
 * So there is never more than one file in the lock, whatever time passes between a decision and what follows from it.
 */
export class FolderLock {
  readonly #path: string;
  readonly #entry: string;
  readonly #heart: NodeJS.Timeout;

  private constructor(path: string, name: string) {
    this.#path = path;
    this.#entry = join(path, name);
    this.#heart = setInterval(() => this.#beat().catch(() => {}), beatEveryMs).unref();
    process.on('exit', this.#releaseAtExit);
  }

  /**
   * Take a folder for this process alone.
   * @param path of the lock, in the folder that it is for
   * @throws FolderLocked `io` if another process holds it; QuarterturnError `io` if the folder cannot be written
   */
  static async take(path: string, { waitMs = 0 }: TakeOptions = {}): Promise<FolderLock> {
    const name = newOwnerName();
    const claim = temporaryPath(path);
    try {
      await fs.mkdir(claim);
      await fs.writeFile(join(claim, name), description);
      // Ages are told by the clock of the disk: those of its hosts may differ.
      const { mtimeMs: nowMs } = await fs.stat(join(claim, name));
      const startedMs = performance.now();
      for (let tries = 0; tries < maxTries; tries++) {
        if (await isTaken(claim, path, name)) return new FolderLock(path, name);
        const waitedMs = performance.now() - startedMs;
        try {
          await removeDead(path, nowMs + waitedMs);
        } catch (error) {
          if (!(error instanceof FolderLocked) || waitedMs >= waitMs) throw error;
          tries--; // who waits is not in the way of others
          await sleep(lookEveryMs * (1 + Math.random()));
        }
      }
    } catch (error) {
      throw ioError('write', dirname(path), error);
    } finally {
      await fs.rm(claim, { recursive: true, force: true });
    }
    throw lockedError(path, 'several that take it in turns', { owner: undefined });
  }

  /**
   * Make sure that no other process took the folder over; each write comes after it.
   * @throws QuarterturnError `io` if one did
   */
  async assertHeld(): Promise<void> {
    try {
      await this.#beat();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ENOENT', 'ENOTDIR', 'ESTALE'].includes(code)) return; // a full disk takes no lock away
      // Of a folder that is gone as a whole, the write itself tells.
      if (!existsSync(dirname(this.#path))) return;
      const [winner] = await fs.readdir(this.#path).catch(() => []);
      const who = winner === undefined ? 'none, it was deleted' : await describe(join(this.#path, winner));
      throw new QuarterturnError(
        'io',
        `${dirname(this.#path)}: expected the lock of this process. Received: ${who}.`,
        {
          hint: `This process stops, and writes no more. A process that is silent for ${silentForMs / 60_000} minutes, as of a computer that sleeps, loses its lock to others.`,
        },
      );
    }
  }

  /**
   * Let other processes take it; where it is theirs already, it stays.
   * @throws QuarterturnError `io` if the folder cannot be written any more
   */
  async release(): Promise<void> {
    clearInterval(this.#heart);
    process.off('exit', this.#releaseAtExit);
    try {
      await fs.unlink(this.#entry).catch(unlessGone);
      await fs.rmdir(this.#path).catch(unlessUsed);
    } catch (error) {
      throw ioError('write', this.#path, error);
    }
  }

  /** The same bytes once more: only the time changes, set by the clock of the disk, and nobody reads half of them. */
  async #beat(): Promise<void> {
    const file = await fs.open(this.#entry, 'r+');
    try {
      await file.write(description, 0);
    } finally {
      await file.close();
    }
  }

  /** A process that is stopped at once leaves no lock either. */
  readonly #releaseAtExit = (): void => {
    try {
      unlinkSync(this.#entry);
      rmdirSync(this.#path);
    } catch {
      // Gone, or somebody else's by now.
    }
  };
}

/** What the file of a holder says beside its name, for people. */
const description = `${hostname()}\n`;

/** Rename a claim to the lock; false where that holds something. */
async function isTaken(claim: string, path: string, name: string): Promise<boolean> {
  try {
    await fs.rename(claim, path);
    return true;
  } catch (error) {
    const found = statSync(path, { throwIfNoEntry: false });
    // On a network's disk the first answer may be lost, and the second one says that the claim is gone.
    if (found?.isDirectory() && existsSync(join(path, name))) return true;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    // Windows has no other words for it.
    if ((code === 'EPERM' || code === 'EACCES') && found?.isDirectory()) return false;
    if (found === undefined || found.isDirectory()) throw error;
    throw new QuarterturnError('io', `${path}: expected a folder, the lock of a run. Received: a file.`, {
      hint: 'An earlier version left it: delete it if no process writes this folder.',
    });
  }
}

/**
 * Delete what dead holders left in a lock.
 * @param nowMs by the clock of the disk, like all times of files
 * @throws QuarterturnError `io` if a holder may live
 */
async function removeDead(path: string, nowMs: number): Promise<void> {
  for (const name of (await fs.readdir(path).catch(unlessGone)) ?? []) {
    const entry = join(path, name);
    const seenMs = await lastSeenMs(entry);
    if (seenMs === undefined) continue; // released meanwhile
    const owner = ownerIn(name);
    const running = owner && isRunning(owner);
    const leftMs = seenMs + silentForMs - nowMs;
    if (running ?? leftMs > 0) {
      const silent = running === undefined ? leftMs : undefined;
      throw lockedError(path, await describe(entry), { owner, leftMs: silent });
    }
    await fs.unlink(entry).catch(unlessGone);
  }
  await fs.rmdir(path).catch(unlessUsed); // not every file system renames over an empty folder
}

/** When a holder last showed itself; undefined if its file is gone. Opened, a network's file is as new as can be. */
async function lastSeenMs(entry: string): Promise<number | undefined> {
  const file = await fs.open(entry, 'r').catch(unlessGone);
  try {
    return (await file?.stat())?.mtimeMs;
  } finally {
    await file?.close();
  }
}

/** A holder for people: `process 12`, and on which host where it is none of this place. */
async function describe(entry: string): Promise<string> {
  const owner = ownerIn(basename(entry));
  if (owner === undefined) return `a process that cannot be told, in ${entry}`;
  if (isHere(owner)) return `process ${owner.pid}`;
  const host = ((await fs.readFile(entry, 'utf8').catch(unlessGone)) ?? '').replace(/[^\w.-]/g, '');
  return `process ${owner.pid} of another host or container, ${host}`;
}

/** @param options.leftMs until the holder is taken for dead where it stays silent; undefined if it is seen to live */
function lockedError(
  path: string,
  who: string,
  { owner, leftMs }: { readonly owner: Owner | undefined; readonly leftMs?: number | undefined },
): FolderLocked {
  const silent =
    leftMs === undefined
      ? ''
      : ` It cannot be seen from here: if you know it to be dead, delete ${path}, or try again in ${Math.ceil(leftMs / 60_000)} min.`;
  return new FolderLocked(
    `${dirname(path)}: expected a run that no other process writes. Received: ${who}.`,
    {
      hint: `Wait for it to end, or stop it; several runs at once need different --out folders.${silent}`,
      owner,
    },
  );
}

function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** A folder that holds something is in use. */
function unlessUsed(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
}
