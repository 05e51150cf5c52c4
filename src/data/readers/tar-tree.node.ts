import type { FileHandle } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import {
  keepTarListing,
  type ListedArchive,
  readTarListing,
  type TarListing,
  type TarPlace,
} from '../cache/tar-listing.node.js';
import { contentOf } from '../image-content.js';
import { type FileTree, maxFileBytes, type TreeOptions } from './file-tree.js';
import { bytesAt, FileWindow, fileTooLarge, noSuchFile, openPlainFile, readAt } from './file-window.node.js';
import { readPaxRecords, readTarHeader, type TarHeader, tarBlockBytes, textOf } from './tar-header.js';
import { type ListedItem, TreeListing } from './tree-listing.js';
import { unpackToScratch } from './unpack-gzip.node.js';
import type { UnpackOptions } from './unpack-options.js';

export interface TarOptions extends TreeOptions, UnpackOptions {
  /** Where the listing of a gzipped archive is kept, so that an unchanged one is not unpacked to be listed; default: nowhere. */
  readonly listingFolder?: string;
}

/** Bytes of an extension, which holds names and numbers: no archiver writes more. */
const maxExtensionBytes = 2 ** 20;

const damagedHint = 'Copy or download the archive again.';

/**
 * The files in a tar archive, plain or gzipped.
 *
 * A plain archive is read where it lies: its headers once, from file to file, then each file when it is asked for. Of a
 * gzipped one nothing can be read without all that stands before it; so it is unpacked once, into a file without a name in
 * `scratchFolder`, which is gone when the tree is closed or the process ends: to be listed, or, where its listing was kept, once
 * a file is asked for. It takes the space of the unpacked archive on
 * that disk, one megabyte of memory, and at most `maxUnpackedBytes`.
 *
 * @throws QuarterturnError `data` for what is no tar archive, is cut off, damaged, or too large unpacked; `io` if it
 *   cannot be read or unpacked
 */
export async function openTarTree(path: string, options: TarOptions = {}): Promise<FileTree> {
  const file = await openPlainFile(path, path);
  let unpacked: Promise<Archive> | undefined;
  const archive = (): Promise<Archive> => {
    unpacked ??= unpackedOf(path, file, options);
    return unpacked;
  };
  const close = async (): Promise<void> => {
    await (await unpacked?.catch(() => undefined))?.close();
    await file.handle.close();
  };
  try {
    const { places, notes, ...listed } = await listingOf({ path, ...file }, archive, options);
    const bytesOf = async (name: string) => {
      const place = places.get(name);
      if (!place) throw noSuchFile(`${path}/${name}`);
      return bytesAt((await archive()).handle, { name: `${path}/${name}`, ...place });
    };
    return {
      ...listed,
      container: 'tar',
      origin: path,
      modifiedMs: file.modifiedMs,
      notes,
      read: async (name, { maxBytes = maxFileBytes } = {}) => {
        const bytes = await bytesOf(name);
        if (bytes.sizeBytes > maxBytes) throw fileTooLarge(bytes.name, bytes.sizeBytes, maxBytes);
        return bytes.read(0, bytes.sizeBytes);
      },
      open: bytesOf,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The unpacked archive. */
interface Archive {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  close(): Promise<void>;
}

type PlainFile = Awaited<ReturnType<typeof openPlainFile>>;

async function unpackedOf(path: string, file: PlainFile, options: UnpackOptions): Promise<Archive> {
  if (await isGzipped(file)) return unpackToScratch({ handle: file.handle, name: path }, options);
  return { ...file, close: async () => {} };
}

async function isGzipped({ handle }: PlainFile): Promise<boolean> {
  return contentOf(await readAt(handle, 0, tarBlockBytes)).kind === 'gzip';
}

/** The listing that was kept, else a new one. A plain archive is listed faster than a listing is read. */
async function listingOf(
  file: PlainFile & ListedArchive,
  archive: () => Promise<Archive>,
  options: TarOptions,
): Promise<TarListing> {
  const { listingFolder } = options;
  if (listingFolder === undefined || !(await isGzipped(file)))
    return listTar(file.path, await archive(), options);
  const kept = await readTarListing(listingFolder, file);
  if (kept) return kept;
  const listing = await listTar(file.path, await archive(), options);
  await keepTarListing(listingFolder, file, listing);
  return listing;
}

/** What extensions say of the file that follows them. */
interface Extensions {
  readonly name?: string;
  readonly target?: string;
  readonly sizeBytes?: number;
  readonly isSparse?: boolean;
}

async function listTar(
  path: string,
  { handle, sizeBytes: archiveBytes }: Archive,
  options: TreeOptions,
): Promise<TarListing> {
  const { signal, maxEntries } = options;
  const listing = new TreeListing<TarPlace>(path, { maxEntries });
  const window = new FileWindow(handle);
  const fail = (received: string) =>
    new QuarterturnError('data', `${path}: expected a whole tar archive. Received: ${received}.`, {
      hint: damagedHint,
    });
  let extensions: Extensions = {};
  let at = 0;
  let hasEnd = false;
  while (at < archiveBytes && !hasEnd) {
    signal?.throwIfAborted();
    const header = readTarHeader(await window.read(at, tarBlockBytes));
    if (header === undefined) {
      throw fail(at === 0 ? 'something else' : `one that is damaged or cut off at byte ${at}`);
    }
    if (header === 'end') {
      hasEnd = true;
      break;
    }
    const start = await dataStart(window, at, header.type);
    const sizeBytes = dataBytesOf(header, extensions);
    if (start + sizeBytes > archiveBytes) {
      throw fail(`one that is cut off within ${extensions.name ?? header.name}`);
    }
    if ('xgLK'.includes(header.type)) {
      if (sizeBytes > maxExtensionBytes) throw fail(`a damaged header at byte ${at}`);
      const more = extensionsOf(header.type, await window.read(start, sizeBytes));
      if (!more) throw fail(`a damaged header at byte ${at}`);
      extensions = { ...extensions, ...more };
    } else {
      const item = itemOf(header, extensions, { offset: start, sizeBytes });
      if (item) listing.add(item);
      extensions = {};
    }
    at = start + Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;
  }
  if (archiveBytes === 0) throw fail('an empty file');
  const notes = hasEnd
    ? []
    : [`${path} ends without tar's end mark: it may have been cut off between two files.`];
  return { ...listing.finish(), notes };
}

/** Behind the header, and behind what old sparse files say of their holes. */
async function dataStart(window: FileWindow, at: number, type: string): Promise<number> {
  let end = at + tarBlockBytes;
  if (type !== 'S') return end;
  let isExtended = (await window.read(at, tarBlockBytes))[482] === 1;
  while (isExtended) {
    isExtended = (await window.read(end, tarBlockBytes))[504] === 1;
    end += tarBlockBytes;
  }
  return end;
}

/** Links, devices and folders have no data, whatever size they claim. */
function dataBytesOf(header: TarHeader, extensions: Extensions): number {
  if ('123456'.includes(header.type)) return 0;
  return 'xgLK'.includes(header.type) ? header.sizeBytes : (extensions.sizeBytes ?? header.sizeBytes);
}

/** Undefined where they are damaged. What is for all files (`g`) names no file: nothing of it matters here. */
function extensionsOf(type: string, bytes: Uint8Array): Extensions | undefined {
  if (type === 'L') return { name: textOf(bytes) };
  if (type === 'K') return { target: textOf(bytes) };
  const records = readPaxRecords(bytes);
  if (!records) return undefined;
  if (type === 'g') return {};
  const name = records.get('GNU.sparse.name') ?? records.get('path');
  const target = records.get('linkpath');
  const size = records.get('size');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) return undefined;
  return {
    ...(name !== undefined && { name }),
    ...(target !== undefined && { target }),
    ...(size !== undefined && { sizeBytes: Number(size) }),
    isSparse: [...records.keys()].some((key) => key.startsWith('GNU.sparse.')),
  };
}

/** Undefined for what only describes the archive. */
function itemOf(
  header: TarHeader,
  extensions: Extensions,
  place: TarPlace,
): ListedItem<TarPlace> | undefined {
  const { type, modifiedMs } = header;
  const name = extensions.name ?? header.name;
  const target = extensions.target ?? header.target;
  switch (type) {
    case '1':
      return { kind: 'link', name, target, isFromRoot: true };
    case '2':
      return { kind: 'link', name, target };
    case '3':
    case '4':
    case '6':
      return { kind: 'refused', name, reason: 'pipe, socket or device' };
    case '5':
    case 'D':
      return { kind: 'folder', name, modifiedMs };
    case 'V':
      return undefined;
    case 'M':
      return { kind: 'refused', name, reason: 'part of a file that began in another archive' };
  }
  if (type === 'S' || extensions.isSparse === true) {
    return {
      kind: 'refused',
      name,
      reason: 'file with holes (sparse)',
      hint: 'Pack the archive again without --sparse.',
    };
  }
  return { kind: 'file', name, sizeBytes: place.sizeBytes, modifiedMs, place };
}
