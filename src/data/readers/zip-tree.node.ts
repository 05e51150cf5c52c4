import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import yauzl, { type Entry } from 'yauzl';
import { QuarterturnError } from '../../errors.js';
import { bytesInMemory } from './byte-source.js';
import { type FileTree, maxFileBytes, maxUnpackedBytes, type TreeOptions } from './file-tree.js';
import {
  bytesAt,
  FileWindow,
  fileError,
  fileTooLarge,
  noSuchFile,
  openPlainFile,
  readAt,
} from './file-window.node.js';
import { decodeUtf8 } from './name-bytes.js';
import { type ListedItem, TreeListing } from './tree-listing.js';
import { openZipFile } from './zip-file.node.js';

/** Where the bytes of a file lie in the archive. */
interface Packed {
  /** Of its header, which stands before them. */
  readonly offset: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly isDeflated: boolean;
  readonly checksum: number;
}

const headerBytes = 30;
const headerSignature = 0x04034b50;
/** Bytes of a link's target: the longest path that a system opens. */
const maxTargetBytes = 4096;

const damagedHint = 'Copy or download the archive again.';

/**
 * The files in a ZIP archive, read where they lie: its directory once, then each file when it is asked for, in memory of
 * that file's size. Each is checked by its CRC-32.
 *
 * Encrypted files, and those packed by other methods than deflate, are left out and counted. Names are UTF-8 where they can
 * be, else what the archive says. Files that overlap, as in archives made to unpack without end, are refused, and so is
 * every file that unpacks to more than it claims.
 *
 * @throws QuarterturnError `data` for what is no ZIP archive, is cut off or damaged; `io` if it cannot be read
 */
export async function openZipTree(path: string, options: TreeOptions = {}): Promise<FileTree> {
  const { handle, sizeBytes, modifiedMs } = await openPlainFile(path, path);
  try {
    const { places, ...listed } = await listZip(path, handle, sizeBytes, options);
    const unpack = async (name: string, maxBytes: number) => {
      const file = `${path}/${name}`;
      const place = places.get(name);
      if (!place) throw noSuchFile(file);
      return readPacked(handle, place, { file, archiveBytes: sizeBytes, maxBytes });
    };
    return {
      ...listed,
      container: 'zip',
      origin: path,
      modifiedMs,
      notes: [],
      read: (name, { maxBytes = maxFileBytes } = {}) => unpack(name, maxBytes),
      open: async (name) => {
        const file = `${path}/${name}`;
        const place = places.get(name);
        if (place?.isDeflated !== false) return bytesInMemory(file, await unpack(name, maxUnpackedBytes));
        const offset = await startOf(handle, place, { file, archiveBytes: sizeBytes });
        return bytesAt(handle, { name: file, offset, sizeBytes: place.sizeBytes });
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function listZip(
  path: string,
  handle: FileHandle,
  sizeBytes: number,
  { signal, maxEntries, keepHidden }: TreeOptions,
) {
  const listing = new TreeListing<Packed>(path, { maxEntries, keepHidden });
  const places: Packed[] = [];
  try {
    // Some pages at a time.
    const window = new FileWindow(handle);
    const zip = await openZipFile({ sizeBytes, read: (position, length) => window.read(position, length) });
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      const item = await itemOf(entry, handle, { archive: path, archiveBytes: sizeBytes });
      if (item.kind === 'file') places.push(item.place);
      listing.add(item);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof QuarterturnError ? cause : archiveError(path, cause);
  }
  assertApart(path, places);
  return listing.finish();
}

/** What our words are for the library's. */
const explanations: readonly (readonly [RegExp, string, string])[] = [
  [/end of central directory|unexpected EOF|out of bounds|outside/i, 'one that is cut off', damagedHint],
  [/multi-disk/i, 'one part of several', 'Join the parts first: `zip -s 0 parts.zip --out whole.zip`.'],
  [/encryption/i, 'one whose directory is encrypted', 'Unpack it with its password first.'],
];

function archiveError(path: string, cause: unknown): QuarterturnError {
  if (cause instanceof Error && 'syscall' in cause) return fileError(path, 'a ZIP archive', cause);
  const message = cause instanceof Error ? cause.message : '';
  const [, received, hint] = explanations.find(([pattern]) => pattern.test(message)) ?? [
    undefined,
    'one whose directory is damaged',
    damagedHint,
  ];
  return new QuarterturnError('data', `${path}: expected a whole ZIP archive. Received: ${received}.`, {
    hint,
    cause,
  });
}

/** Each byte belongs to one file at most: an archive that uses some again and again unpacks to petabytes. */
function assertApart(path: string, places: Packed[]): void {
  places.sort((a, b) => a.offset - b.offset);
  for (const [i, { offset, packedBytes }] of places.entries()) {
    const next = places[i + 1];
    if (next && offset + headerBytes + packedBytes > next.offset) {
      throw new QuarterturnError(
        'data',
        `${path}: expected files that lie apart. Received: files that overlap, which unpack to more than anybody packed.`,
        { hint: 'Do not use this archive: it was made to fill a disk, or is damaged.' },
      );
    }
  }
}

interface Archive {
  readonly archive: string;
  readonly archiveBytes: number;
}

const unixSystems = [3, 19];
const fileTypeMask = 0xf000;
const fileTypes = { folder: 0x4000, file: 0x8000, link: 0xa000 } as const;

async function itemOf(
  entry: Entry,
  handle: FileHandle,
  { archive, archiveBytes }: Archive,
): Promise<ListedItem<Packed>> {
  const name = nameOf(entry);
  const modifiedMs = entry.getLastModDate({ timezone: 'UTC' }).getTime() || 0;
  const isUnix = unixSystems.includes(entry.versionMadeBy >> 8);
  const type = isUnix ? (entry.externalFileAttributes >>> 16) & fileTypeMask : 0;
  if (name.endsWith('/') || type === fileTypes.folder) return { kind: 'folder', name, modifiedMs };
  if (entry.isEncrypted()) {
    return { kind: 'refused', name, reason: 'encrypted file', hint: 'Unpack it with its password first.' };
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    return {
      kind: 'refused',
      name,
      reason: `file packed by a method that is not read (${entry.compressionMethod})`,
      hint: 'Pack the archive again with the usual method (deflate).',
    };
  }
  const place: Packed = {
    offset: entry.relativeOffsetOfLocalHeader,
    packedBytes: entry.compressedSize,
    sizeBytes: entry.uncompressedSize,
    isDeflated: entry.compressionMethod === 8,
    checksum: entry.crc32,
  };
  if (type === fileTypes.link) {
    const file = `${archive}/${name}`;
    const target = await readPacked(handle, place, { file, archiveBytes, maxBytes: maxTargetBytes }).catch(
      () => undefined,
    );
    const text = target && decodeUtf8(target);
    return text === undefined
      ? { kind: 'refused', name, reason: 'link to nothing in the folder' }
      : { kind: 'link', name, target: text };
  }
  if (type !== 0 && type !== fileTypes.file)
    return { kind: 'refused', name, reason: 'pipe, socket or device' };
  return { kind: 'file', name, sizeBytes: place.sizeBytes, modifiedMs, place };
}

/** Many archivers write UTF-8 without saying so: what can be UTF-8 is taken for it. */
function nameOf({ fileNameRaw, generalPurposeBitFlag, extraFields }: Entry): string {
  const text = decodeUtf8(fileNameRaw);
  if (text !== undefined) return text.replaceAll('\\', '/');
  return yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
}

const inflate = promisify(inflateRaw);

interface PackedFile {
  /** What to call it in errors. */
  readonly file: string;
  readonly archiveBytes: number;
}

async function readPacked(
  handle: FileHandle,
  place: Packed,
  packed: PackedFile & { readonly maxBytes: number },
): Promise<Uint8Array> {
  const { file, maxBytes } = packed;
  const { packedBytes, sizeBytes, isDeflated, checksum } = place;
  const largest = Math.max(sizeBytes, packedBytes);
  if (largest > maxBytes) throw fileTooLarge(file, largest, maxBytes);
  const raw = await readAt(handle, await startOf(handle, place, packed), packedBytes);
  const bytes = isDeflated
    ? // It stops as soon as more comes out than is claimed.
      await inflate(raw, { maxOutputLength: Math.max(1, sizeBytes) }).catch((cause: unknown) => {
        throw damaged(
          file,
          cause instanceof RangeError ? 'one larger than it claims' : 'a damaged one',
          cause,
        );
      })
    : raw;
  if (bytes.length !== sizeBytes) {
    throw damaged(file, `${bytes.length} bytes of the ${sizeBytes} that it claims`);
  }
  if (crc32(bytes) !== checksum) throw damaged(file, 'one that differs from what was packed');
  return bytes;
}

/** Where a file's bytes begin, behind its own header, whose lengths may differ from those in the directory. */
async function startOf(
  handle: FileHandle,
  { offset, packedBytes, sizeBytes, isDeflated }: Packed,
  { file, archiveBytes }: PackedFile,
): Promise<number> {
  const header = Buffer.from(await readAt(handle, offset, headerBytes));
  if (header.length < headerBytes || header.readUInt32LE(0) !== headerSignature) {
    throw damaged(file, 'none at its place');
  }
  const start = offset + headerBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packedBytes > archiveBytes) throw damaged(file, 'one that is cut off');
  if (!isDeflated && packedBytes !== sizeBytes) throw damaged(file, 'one whose sizes contradict each other');
  return start;
}

function damaged(file: string, received: string, cause?: unknown): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${file}: expected a whole file in the archive. Received: ${received}.`,
    {
      hint: damagedHint,
      cause,
    },
  );
}
