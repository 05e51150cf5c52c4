import fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { QuarterturnError } from '../errors.js';
import { isRunning, newOwnerName, ownerIn } from '../owner.node.js';

/** Ends the names of files that are not finished. */
const temporarySuffix = '.quarterturn-tmp';

/** Of temporary files whose owner cannot be seen from here: writing one takes seconds, but clocks of hosts differ. */
const abandonedAfterMs = 60 * 60_000;

/** A name beside a file, for what is to become that file. It tells which process it belongs to. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${newOwnerName()}${temporarySuffix}`);
}

/**
 * Delete the temporary files that dead processes left in a folder.
 * @throws QuarterturnError `io` naming the path.
 */
export async function clearTemporaries(folder: string): Promise<void> {
  const names = (await readFolder(folder)) ?? [];
  for (const name of names.filter((name) => name.endsWith(temporarySuffix))) {
    const path = join(folder, name);
    const owner = ownerIn(name);
    const inUse = (owner && isRunning(owner)) ?? (await ageMs(path)) < abandonedAfterMs;
    if (inUse) continue;
    await fs.rm(path, { recursive: true, force: true }).catch((error) => {
      throw ioError('write', path, error);
    });
  }
}

async function ageMs(path: string): Promise<number> {
  const found = await fs.stat(path).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs; // gone: its owner was there to finish it
}

/**
 * Replace a file in one stroke: whoever reads it, also after a crash at any moment, finds the old bytes or the
 * new ones. They go to a temporary name in the same folder, to the disk, then over the old name; the folder is
 * synced too, since it is what holds the name.
 * @throws QuarterturnError `io` naming the path; the old file is then as it was.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  { mode }: { readonly mode?: number } = {},
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await fs.open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to report
    throw ioError('write', path, error);
  }
}

/**
 * Make a folder and those above it, as far as they are not there.
 *
 * One by one: `mkdir` of a whole path says ENOENT where the disk is read-only.
 * @throws QuarterturnError `io` naming the path
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await makeFolder(resolve(path));
  } catch (error) {
    throw ioError('write', path, error);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await fs.mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some systems refuse a folder that is there with other words than EEXIST, those of a read-only disk for one.
    if ((await fs.stat(path).catch(() => undefined))?.isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

/** Make a folder in an existing one, if it is not there. */
export async function ensureSubfolder(parent: string, name: string): Promise<void> {
  const path = join(parent, name);
  try {
    await fs.mkdir(path);
    await syncFolder(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw ioError('write', path, error);
  }
}

/** Make the names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // Windows opens no folder, and journals its names itself
  const folder = await fs.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Appends a line to a file, which is made if there is none.
 * @param options.sync return only when the line is on the disk
 * @throws QuarterturnError `io` naming the path; what was written of the line is then cut off again.
 */
export function appendLine(
  path: string,
  line: string,
  options: { readonly sync?: boolean } = {},
): Promise<void> {
  return appendToFile(path, `${line}\n`, options);
}

/**
 * Appends to a file, which is made if there is none.
 * @param options.sync return only when the content is on the disk, and the name of a new file
 * @throws QuarterturnError `io` naming the path; what was written is then cut off again.
 */
export async function appendToFile(
  path: string,
  content: Uint8Array | string,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  try {
    const file = await fs.open(path, 'a');
    try {
      const { size } = await file.stat();
      try {
        await file.writeFile(content);
        if (sync) await file.sync();
        if (sync && size === 0) await syncFolder(dirname(path));
      } catch (error) {
        await file.truncate(size).catch(() => {});
        throw error;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError('write', path, error);
  }
}

/**
 * The content of a file, undefined if there is none.
 * @throws QuarterturnError `io` naming the path.
 */
export async function readFileIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const { buffer, byteOffset, byteLength } = await fs.readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength); // no Buffer: it slices without copying
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError('read', path, error);
  }
}

/**
 * The beginning of a file; undefined if there is none. It is that of one file, also where it is replaced meanwhile.
 * @param length bytes that are read first
 * @param endOf what is wanted, told from those: where it lies further on, it is read as well
 * @throws QuarterturnError `io` naming the path; what `endOf` throws
 */
export async function readStartIfThere(
  path: string,
  length: number,
  endOf: (start: Uint8Array) => number,
): Promise<Uint8Array | undefined> {
  let file: fs.FileHandle | undefined;
  try {
    file = await fs.open(path);
    const start = await readFrom(file, 0, length);
    const end = start.length < length ? start.length : endOf(start);
    return Buffer.concat([start, await readFrom(file, length, Math.max(0, end - length))]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError('read', path, error);
  } finally {
    await file?.close();
  }
}

/** So many bytes of a file, or as many as it has. */
async function readFrom(file: fs.FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * The names in a folder; undefined if there is none.
 * @throws QuarterturnError `io` naming the path.
 */
export async function readFolder(path: string): Promise<string[] | undefined> {
  try {
    return await fs.readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError('read', path, error);
  }
}

/** What each failure means, and what to do about it. */
const failures: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space, or give an --out folder on another disk; then --resume.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, or give an --out folder elsewhere; then --resume.'],
  EFBIG: [
    'the file is larger than allowed',
    'Raise the limit (ulimit -f), or give an --out folder elsewhere.',
  ],
  EACCES: ['permission denied', 'Change the permissions, or use another folder.'],
  EPERM: ['the operation is not permitted', 'Change the permissions, or use another folder.'],
  EROFS: [
    'the file system is read-only',
    'Copy the folder to a disk that can be written, or give it as --out.',
  ],
  EMFILE: ['too many files are open in this process', 'Raise the limit: ulimit -n 1024.'],
  ENFILE: ['too many files are open on this machine', 'Stop other programs, and try again.'],
  ENOMEM: ['the memory is used up', 'Stop other programs, or raise the limit (ulimit -v).'],
  ENAMETOOLONG: ['a name in the path is too long', 'Use a shorter path.'],
  EIO: ['the disk failed', 'Look after the disk; what was saved before is kept.'],
  ESTALE: ['the disk of another host was lost', 'Mount it again; then --resume.'],
  ENOTDIR: [
    'a part of the path is a file, not a folder',
    'Give another --out folder, or move that file away.',
  ],
  EEXIST: ['a file is in the way of a folder', 'Give another --out folder, or move that file away.'],
  EISDIR: ['a folder is in the way of a file', 'Give another --out folder, or move that folder away.'],
  ENOENT: ['the folder is gone', 'It was moved or deleted meanwhile: put it back, or start a new run.'],
};

/** Of a path that is read, what is missing was named wrongly. */
const nothingThere = ['nothing is there', 'Check the path.'] as const;

/** What a failure of the file system means, for people. */
export function failureOf({ code = '', message }: NodeJS.ErrnoException): string {
  return failures[code]?.[0] ?? message;
}

/** An `io` error that names path and remedy, from one of the file system; anything else as it is. */
export function ioError(action: 'read' | 'write', path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof QuarterturnError || code === undefined) return error;
  const known = action === 'read' && code === 'ENOENT' ? nothingThere : failures[code];
  const [what, hint] = known ?? [failureOf(error as NodeJS.ErrnoException), undefined];
  return new QuarterturnError('io', `${path}: expected to ${action} it. Received: ${code}, ${what}.`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
