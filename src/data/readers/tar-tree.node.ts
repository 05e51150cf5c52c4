import type { FileHandle } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import { contentOf } from '../image-content.js';
import { type FileTree, maxFileBytes, type TreeOptions } from './file-tree.js';
import { bytesAt, FileWindow, fileTooLarge, noSuchFile, openPlainFile, readAt } from './file-window.node.js';
import { readPaxRecords, readTarHeader, type TarHeader, tarBlockBytes, textOf } from './tar-header.js';
import { type ListedItem, TreeListing } from './tree-listing.js';
import { unpackToScratch } from './unpack-gzip.node.js';
import type { UnpackOptions } from './unpack-options.js';

export interface TarOptions extends TreeOptions, UnpackOptions {}

/** Where the bytes of a file lie in the archive. */
interface Place {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Bytes of an extension, which holds names and numbers: no archiver writes more. */
const maxExtensionBytes = 2 ** 20;

const damagedHint = 'Copy or download the archive again.';

/**
 * The files in a tar archive, plain or gzipped.
 *
 * A plain archive is read where it lies: its headers once, from file to file, then each file when it is asked for. Of a
 * gzipped one nothing can be read without all that stands before it; so it is unpacked once, into a file without a name in
 * `scratchFolder`, which is gone when the tree is closed or the process ends. It takes the space of the unpacked archive on
 * that disk, one megabyte of memory, and at most `maxUnpackedBytes`.
 *
 * @throws QuarterturnError `data` for what is no tar archive, is cut off, damaged, or too large unpacked; `io` if it
 *   cannot be read or unpacked
 */
export async function openTarTree(path: string, options: TarOptions = {}): Promise<FileTree> {
  const archive = await openUnpacked(path, options);
  try {
    const { places, notes, ...listed } = await listTar(path, archive, options);
    const bytesOf = (name: string) => {
      const place = places.get(name);
      if (!place) throw noSuchFile(`${path}/${name}`);
      return bytesAt(archive.handle, { name: `${path}/${name}`, ...place });
    };
    return {
      ...listed,
      container: 'tar',
      origin: path,
      modifiedMs: archive.modifiedMs,
      notes,
      read: async (name, { maxBytes = maxFileBytes } = {}) => {
        const bytes = bytesOf(name);
        if (bytes.sizeBytes > maxBytes) throw fileTooLarge(bytes.name, bytes.sizeBytes, maxBytes);
        return bytes.read(0, bytes.sizeBytes);
      },
      open: async (name) => bytesOf(name),
      close: () => archive.close(),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

interface Archive {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  /** Of the file that was named, packed or not. */
  readonly modifiedMs: number;
  close(): Promise<void>;
}

async function openUnpacked(path: string, options: UnpackOptions): Promise<Archive> {
  const { handle, sizeBytes, modifiedMs } = await openPlainFile(path, path);
  const plain = { handle, sizeBytes, modifiedMs, close: () => handle.close() };
  try {
    if (contentOf(await readAt(handle, 0, tarBlockBytes)).kind !== 'gzip') return plain;
    const unpacked = await unpackToScratch({ handle, name: path }, options);
    await handle.close();
    return { ...unpacked, modifiedMs };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What extensions say of the file that follows them. */
interface Extensions {
  readonly name?: string;
  readonly target?: string;
  readonly sizeBytes?: number;
  readonly isSparse?: boolean;
}

async function listTar(path: string, { handle, sizeBytes: archiveBytes }: Archive, options: TreeOptions) {
  const { signal, maxEntries } = options;
  const listing = new TreeListing<Place>(path, maxEntries);
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
function itemOf(header: TarHeader, extensions: Extensions, place: Place): ListedItem<Place> | undefined {
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
