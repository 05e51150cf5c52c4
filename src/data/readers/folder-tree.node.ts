import { type Dirent, lstat, readlink, type Stats } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { type FileTree, maxFileBytes, type ReadOptions, type TreeOptions } from './file-tree.js';
import { bytesAt, fileError, fileTooLarge, noSuchFile, openPlainFile, readAt } from './file-window.node.js';
import { isForeignFolder } from './foreign-names.js';
import { decodeName } from './name-bytes.js';
import { type ListedItem, TreeListing } from './tree-listing.js';

/** Files that are asked for their size at once: enough for all threads, far from the limit of open files. */
const statsAtOnce = 32;
/** Files that are open at once, however many are asked for: systems allow 256 to 1,024 a process. */
const openAtOnce = 64;

/** What the file system knows a file by: bytes where its name is no UTF-8. */
type DiskPath = string | Buffer;

interface Folder {
  /** Within the tree; '' for itself. */
  readonly path: string;
  readonly disk: DiskPath;
}

/**
 * The files in a folder on disk, and in all folders in it.
 *
 * Listing asks every file for its size and opens none: 100,000 take a second or two. Hidden and system folders are not
 * looked into; a folder that may not be read is left out and counted, as pipes and devices are.
 *
 * @throws QuarterturnError `io` if the folder itself cannot be read, `data` for more entries than are taken
 */
export async function openFolderTree(folder: string, options: TreeOptions = {}): Promise<FileTree> {
  const { signal, maxEntries } = options;
  const listing = new TreeListing<DiskPath>(folder, { maxEntries });
  const root = await realpath(folder).catch((error: unknown) => {
    throw fileError(folder, 'a readable folder', error);
  });
  const waiting: Folder[] = [{ path: '', disk: root }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    signal?.throwIfAborted();
    for (const item of await itemsOf(at, root)) {
      listing.add(item);
      if (item.kind === 'folder' && !isForeignFolder(nameOf(item.name))) {
        waiting.push({ path: item.name, disk: item.disk });
      }
    }
  }
  const { places, ...listed } = listing.finish();
  const limit = limiter(openAtOnce);
  const fileAt = (path: string) => {
    const disk = places.get(path);
    const name = join(folder, path);
    if (disk === undefined) throw noSuchFile(name);
    return { disk, name };
  };
  return {
    ...listed,
    container: 'folder',
    origin: folder,
    notes: [],
    read: async (path, read) => {
      const { disk, name } = fileAt(path);
      return limit(() => readPlainFile(disk, name, read));
    },
    open: async (path) => {
      const { disk, name } = fileAt(path);
      const { handle, sizeBytes } = await openPlainFile(disk, name);
      return bytesAt(handle, { name, sizeBytes }, () => handle.close());
    },
    close: async () => {},
  };
}

/** All bytes of a file, which may have grown or shrunk since it was listed. */
async function readPlainFile(
  path: DiskPath,
  name: string,
  { maxBytes = maxFileBytes }: ReadOptions = {},
): Promise<Uint8Array> {
  const { handle, sizeBytes } = await openPlainFile(path, name);
  try {
    if (sizeBytes > maxBytes) throw fileTooLarge(name, sizeBytes, maxBytes);
    return await readAt(handle, 0, sizeBytes);
  } catch (error) {
    throw fileError(name, 'a readable file', error);
  } finally {
    await handle.close();
  }
}

type FolderItem = Exclude<ListedItem<DiskPath>, { kind: 'folder' }> | FoundFolder;
interface FoundFolder {
  readonly kind: 'folder';
  readonly name: string;
  readonly modifiedMs: number;
  readonly disk: DiskPath;
}

/** What lies in one folder. */
async function itemsOf({ path, disk }: Folder, root: string): Promise<FolderItem[]> {
  let found: Dirent[] | Dirent<Buffer>[];
  try {
    found = await readdir(disk, { withFileTypes: true });
    // A name that is no UTF-8 cannot be opened as it reads: the whole folder is listed again, by bytes.
    if (typeof disk !== 'string' || found.some(({ name }) => name.includes('\ufffd'))) {
      found = await readdir(disk, { withFileTypes: true, encoding: 'buffer' });
    }
  } catch (error) {
    if (path === '') throw fileError(root, 'a readable folder', error);
    return [
      { kind: 'refused', name: path, reason: 'folder that cannot be read', hint: 'Check its permissions.' },
    ];
  }
  const items: FolderItem[] = [];
  const pending = found.values();
  const work = async () => {
    for (const entry of pending) {
      const bytes = entry.name;
      const name = typeof bytes === 'string' ? bytes : decodeName(bytes);
      const inner = path === '' ? name : `${path}/${name}`;
      items.push(await itemOf(entry, inner, diskPathOf(disk, bytes), root));
    }
  };
  await Promise.all(Array.from({ length: Math.min(statsAtOnce, found.length) }, work));
  return items;
}

const statOf = promisify(lstat) as (path: DiskPath) => Promise<Stats>;
const linkOf = promisify(readlink) as (path: DiskPath) => Promise<string>;

async function itemOf(
  entry: Dirent | Dirent<Buffer>,
  name: string,
  disk: DiskPath,
  root: string,
): Promise<FolderItem> {
  if (entry.isDirectory()) return { kind: 'folder', name, modifiedMs: 0, disk };
  try {
    if (entry.isSymbolicLink()) {
      const target = await linkOf(disk);
      // What a link names from the system's root may still lie in the folder.
      const own = dirname(join(root, name));
      const fromFolder = isAbsolute(target) ? relative(own, target) : target;
      return { kind: 'link', name, target: fromFolder.replaceAll(sep, '/') };
    }
    if (!entry.isFile()) return { kind: 'refused', name, reason: 'pipe, socket or device' };
    const { size, mtimeMs } = await statOf(disk);
    return { kind: 'file', name, sizeBytes: size, modifiedMs: mtimeMs, place: disk };
  } catch {
    return { kind: 'refused', name, reason: 'file that cannot be read', hint: 'Check its permissions.' };
  }
}

function diskPathOf(folder: DiskPath, name: string | Buffer): DiskPath {
  if (typeof folder === 'string' && typeof name === 'string') return join(folder, name);
  return Buffer.concat([Buffer.from(folder), Buffer.from(sep), Buffer.from(name)]);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Runs functions as they are given, no more at once than a number; the others wait for their turn. */
function limiter(atOnce: number): <T>(run: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await run();
    } finally {
      // Whoever waits takes over the place; none is freed between.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
