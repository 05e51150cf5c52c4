import fs from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { QuarterturnError } from '../../errors.js';
import { isRunning, newOwnerName, ownerIn } from '../../owner.node.js';
import { type PackHeader, readHeader } from './pack-header.node.js';

/**
 * The cache is a folder of packs, one an import, which any number of processes use at once:
 *
 *   photos.3f…9c.1d…07.b2…4e/    a finished pack: origin, how its pictures are fitted, and its pixels, by their hashes
 *     pack.json                  what it is of; its time is that of the last use
 *     index.jsonl                which picture and which name has which row; replaced in one stroke
 *     images.u8                  uint8 [count, height, width, channels], never changed under this name
 *     .use.<owner>               while a process has it open
 *   .part.photos.3f…9c.1d…07.<owner>    a pack that a process is writing, or that it left unfinished
 *   .trash.<owner>                      a pack on its way out
 *   listings/<hash>.json                what lies in a gzipped archive
 */
export interface CacheOptions {
  /** Default: `quarterturn` in `$XDG_CACHE_HOME`, or in `~/.cache`. */
  readonly cacheFolder?: string | undefined;
}

/** A pack as `quarterturn cache` lists it. */
export interface CachedImport extends PackHeader {
  readonly folder: string;
  readonly sizeBytes: number;
  /** When it was last used, in milliseconds since 1970. */
  readonly usedMs: number;
  readonly inUse: boolean;
  /** Whether its import was stopped half-way: the next one of the same pictures goes on from there. */
  readonly unfinished: boolean;
}

export const partPrefix = '.part.';
export const trashPrefix = '.trash.';
const usePrefix = '.use.';

/** Of what a process of another host left, or of a system that does not tell: nothing is written for longer than that. */
const abandonedAfterMs = 24 * 3600_000;

/** Where imported images are kept if nothing else is said. */
export function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  // The specification: a path that is not absolute is to be ignored.
  return join(given.startsWith('/') ? given : join(homedir(), '.cache'), 'quarterturn');
}

export function cacheFolderOf({ cacheFolder }: CacheOptions): string {
  return cacheFolder === undefined ? defaultCacheFolder() : resolve(cacheFolder);
}

/** Where listings of archives are kept: a few megabytes for each of the largest. */
export function listingFolderOf(options: CacheOptions): string {
  return join(cacheFolderOf(options), 'listings');
}

/** All packs in the cache, the last used one first. */
export async function listCache(options: CacheOptions = {}): Promise<CachedImport[]> {
  const root = cacheFolderOf(options);
  const names = await fs.readdir(root).catch(() => []);
  const packs = await Promise.all(
    names.filter((name) => !name.startsWith(trashPrefix)).map((name) => describePack(join(root, name), name)),
  );
  return packs.flatMap((pack) => pack ?? []).sort((a, b) => b.usedMs - a.usedMs);
}

async function describePack(folder: string, name: string): Promise<CachedImport | undefined> {
  const header = await readHeader(folder);
  const used = await fs.stat(join(folder, 'pack.json')).catch(() => undefined);
  if (header === undefined || used === undefined) return undefined;
  const unfinished = name.startsWith(partPrefix);
  const inUse = unfinished ? !(await isAbandoned(folder)) : await isUsed(folder);
  return { ...header, folder, sizeBytes: await bytesIn(folder), usedMs: used.mtimeMs, inUse, unfinished };
}

async function bytesIn(folder: string): Promise<number> {
  const names = await fs.readdir(folder).catch(() => []);
  const sizes = names.map(
    async (name) => (await fs.stat(join(folder, name)).catch(() => undefined))?.size ?? 0,
  );
  return (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
}

export interface ClearOptions extends CacheOptions {
  /** Only packs of this source, a path; default: all. */
  readonly origin?: string | undefined;
  /** Leave so many bytes of those that were used last; default: 0. */
  readonly keepBytes?: number | undefined;
}

export interface ClearedCache {
  readonly removed: readonly CachedImport[];
  /** Those that stay because a process has them open. */
  readonly inUse: readonly CachedImport[];
}

/** Delete packs, those that were used longest ago first, and none that is in use. */
export async function clearCache(options: ClearOptions = {}): Promise<ClearedCache> {
  const { origin, keepBytes = 0 } = options;
  const root = cacheFolderOf(options);
  await emptyTrash(root);
  if (origin === undefined && keepBytes === 0) {
    await clearListings(listingFolderOf(options));
  }
  const packs = await listCache(options);
  const chosen = origin === undefined ? packs : packs.filter((pack) => pack.origin === resolve(origin));
  let left = chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const removed: CachedImport[] = [];
  const inUse: CachedImport[] = [];
  for (const pack of chosen.toReversed()) {
    if (left <= keepBytes) break;
    if (pack.inUse || !(await removePack(root, pack.folder))) {
      inUse.push(pack);
      continue;
    }
    removed.push(pack);
    left -= pack.sizeBytes;
  }
  return { removed, inUse };
}

/** Delete listings of archives, and nothing else that may lie there. */
async function clearListings(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (/^[0-9a-f]{64}\.json/.test(name)) await fs.rm(join(folder, name), { force: true });
  }
  await fs.rmdir(folder).catch(() => {}); // there is none, or something else lies in it
}

/**
 * Delete one pack; false where a process has it open.
 *
 * It is renamed first: whoever opens it afterwards finds nothing, and whoever did before is seen now.
 */
export async function removePack(root: string, folder: string): Promise<boolean> {
  const trash = join(root, `${trashPrefix}${newOwnerName()}`);
  try {
    await fs.rename(folder, trash);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'; // another process was faster
  }
  if (await isUsed(trash)) {
    await fs.rename(trash, folder).catch(() => {});
    return false;
  }
  await fs.rm(trash, { recursive: true, force: true });
  return true;
}

/** Delete what processes that are gone left half deleted, or had not even begun. */
async function emptyTrash(root: string): Promise<void> {
  for (const name of await fs.readdir(root).catch(() => [])) {
    const folder = join(root, name);
    const isTrash =
      name.startsWith(trashPrefix) ||
      (name.startsWith(partPrefix) && (await readHeader(folder)) === undefined);
    if (isTrash && (await isAbandoned(folder))) await fs.rm(folder, { recursive: true, force: true });
  }
}

/** Whether the process that a name tells is gone, or none is told. */
export async function isAbandoned(path: string): Promise<boolean> {
  const owner = ownerIn(path);
  if (owner === undefined) return true;
  const running = isRunning(owner);
  if (running !== undefined) return !running;
  const found = await fs.stat(path).catch(() => undefined);
  return found === undefined || Date.now() - found.mtimeMs > abandonedAfterMs;
}

/** Whether any process has a pack open; marks of dead ones are deleted. */
async function isUsed(folder: string): Promise<boolean> {
  let used = false;
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (!name.startsWith(usePrefix)) continue;
    const mark = join(folder, name);
    if (await isAbandoned(mark)) await fs.rm(mark, { force: true });
    else used = true;
  }
  return used;
}

/** Keeps a pack from being deleted until it is called; undefined if there is no such pack any more. */
export async function markUsed(folder: string): Promise<(() => Promise<void>) | undefined> {
  const mark = join(folder, `${usePrefix}${newOwnerName()}`);
  try {
    const now = new Date();
    await fs.utimes(join(folder, 'pack.json'), now, now);
    await fs.writeFile(mark, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cacheError(folder, error);
  }
  return () => fs.rm(mark, { force: true });
}

const failures: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: [
    'the disk is full',
    'Free some space: `quarterturn cache --clear`, or give a --cache on another disk.',
  ],
  EDQUOT: ['the disk quota is used up', 'Free some space, or give a --cache folder elsewhere.'],
  EACCES: ['permission denied', 'Give a --cache folder that can be written.'],
  EPERM: ['the operation is not permitted', 'Give a --cache folder that can be written.'],
  EROFS: ['the file system is read-only', 'Give a --cache folder on a disk that can be written.'],
  ENOTDIR: ['a part of the path is a file', 'Give another --cache folder.'],
  EEXIST: ['a file is in the way of a folder', 'Give another --cache folder.'],
};

/** A failure of the file system in the cache, with what to do about it; anything else as it is. */
export function cacheError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof QuarterturnError || code === undefined) return error;
  const [what, hint] = failures[code] ?? ['the file system failed', 'Give another --cache folder.'];
  return new QuarterturnError(
    'io',
    `${path}: expected to keep decoded images there. Received: ${code}, ${what}.`,
    {
      hint,
      cause: error,
    },
  );
}
