import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { QuarterturnError } from '../../errors.js';
import { type ByteSource, bytesInMemory, partOf } from './byte-source.js';
import type { SkippedFile } from './found-images.js';
import { readNpyHeader } from './npy-header.js';
import type { NpyArray } from './npy-images.js';
import { openZipFile } from './zip-file.node.js';

/** The arrays of an NPZ file. */
export interface NpzArrays {
  readonly arrays: readonly NpyArray[];
  /** Entries that are no arrays. */
  readonly skipped: readonly SkippedFile[];
}

/** Arrays that are packed are held unpacked: as much as one array of bytes can be sure to hold. */
const maxUnpackedBytes = 2 ** 31 - 1;
/** Deflate cannot make more of a byte than this: a larger claim is a lie. */
const maxInflation = 1032;
/** No data set has more arrays. */
const maxEntries = 10_000;
/** Bytes that are read at once of what is unpacked. */
const chunkBytes = 2 ** 20;

const damagedHint = 'Copy or download the file again.';

/**
 * The arrays of an NPZ file, which is a ZIP archive with an NPY file for each.
 *
 * An array that is stored as it is (`numpy.savez`) is read where it lies, row by row. One that is packed
 * (`numpy.savez_compressed`) is unpacked once, when it is first asked for, and held: at most 2 GiB an array, its CRC-32
 * checked. Nothing is allocated on a claim that the packed bytes cannot hold.
 *
 * @throws QuarterturnError `data` for what is no ZIP archive, is cut off, damaged or encrypted, and for arrays that are too
 *   large to be held
 */
export async function readNpzArrays(source: ByteSource): Promise<NpzArrays> {
  const { name } = source;
  const zip = await openZip(source);
  const arrays: NpyArray[] = [];
  const skipped: SkippedFile[] = [];
  for (const entry of await entriesOf(name, zip)) {
    const key = keyOf(entry);
    if (key === undefined) {
      skipped.push({
        name: textOf(entry),
        reason: 'no array',
        hint: 'An NPZ file holds files with the ending .npy.',
      });
      continue;
    }
    if (arrays.some((array) => array.key === key)) throw damaged(name, `two arrays called ${key}`);
    const bytes = await bytesOf(source, zip, entry, `${name}, ${key}`);
    arrays.push({ key, header: await readNpyHeader(bytes), source: bytes });
  }
  return { arrays, skipped };
}

async function openZip(source: ByteSource): Promise<ZipFile> {
  try {
    const read = (position: number, length: number) => source.read(position, position + length);
    return await openZipFile({ sizeBytes: source.sizeBytes, read });
  } catch (cause) {
    throw damaged(source.name, 'one that is cut off, or another file', cause);
  }
}

async function entriesOf(name: string, zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.length === maxEntries) throw damaged(name, `more than ${maxEntries} entries`);
      entries.push(entry);
    }
    return entries;
  } catch (cause) {
    throw cause instanceof QuarterturnError ? cause : damaged(name, 'one whose directory is damaged', cause);
  }
}

const textOf = ({ fileNameRaw }: Entry): string => new TextDecoder().decode(fileNameRaw).slice(0, 200);

/** The name of an array; undefined if the entry is none, or its name leads out of the file. */
function keyOf(entry: Entry): string | undefined {
  const text = textOf(entry).replaceAll('\\', '/');
  const isPlain = text
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/[\p{Cc}:\ufffd]/u.test(part));
  return isPlain && text.endsWith('.npy') && text !== '.npy' ? text.slice(0, -4) : undefined;
}

/** Where the bytes of an entry are read: in the file itself, or unpacked. */
async function bytesOf(source: ByteSource, zip: ZipFile, entry: Entry, name: string): Promise<ByteSource> {
  if (entry.isEncrypted()) {
    throw damaged(name, 'one that is encrypted', undefined, 'Unpack it with its password first.');
  }
  const { compressionMethod, compressedSize, uncompressedSize } = entry;
  const isStored = compressionMethod === 0;
  if (!isStored && compressionMethod !== 8) {
    throw damaged(
      name,
      `one that is packed by method ${compressionMethod}`,
      undefined,
      'Write it with numpy.savez.',
    );
  }
  const start = await dataStart(zip, entry, name);
  if (start + compressedSize > source.sizeBytes) throw damaged(name, 'one that is cut off');
  if (isStored) {
    if (compressedSize !== uncompressedSize) throw damaged(name, 'two sizes for the same bytes');
    return partOf(source, name, start, start + compressedSize);
  }
  if (uncompressedSize > compressedSize * maxInflation) throw damaged(name, 'a size that it cannot have');
  if (uncompressedSize > maxUnpackedBytes) {
    throw new QuarterturnError(
      'data',
      `${name}: expected a packed array of at most ${maxUnpackedBytes} bytes. Received: ${uncompressedSize}.`,
      { hint: 'Write it with numpy.savez instead of numpy.savez_compressed: then it is read in place.' },
    );
  }
  const packed = partOf(source, name, start, start + compressedSize);
  return bytesInMemory(name, await unpack(packed, entry));
}

async function dataStart(zip: ZipFile, entry: Entry, name: string): Promise<number> {
  try {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return fileDataStart;
  } catch (cause) {
    throw cause instanceof QuarterturnError ? cause : damaged(name, 'one whose place is wrong', cause);
  }
}

async function unpack(packed: ByteSource, { uncompressedSize, crc32: checksum }: Entry): Promise<Uint8Array> {
  const { name } = packed;
  const bytes = new Uint8Array(uncompressedSize);
  let length = 0;
  try {
    for await (const chunk of Readable.from(chunksOf(packed)).pipe(createInflateRaw()).iterator()) {
      if (length + chunk.length > uncompressedSize) throw damaged(name, 'more than it claims');
      bytes.set(chunk, length);
      length += chunk.length;
    }
  } catch (cause) {
    throw cause instanceof QuarterturnError ? cause : damaged(name, 'bytes that do not unpack', cause);
  }
  if (length !== uncompressedSize)
    throw damaged(name, `${length} bytes of the ${uncompressedSize} that it claims`);
  if (crc32(bytes) !== checksum) throw damaged(name, 'bytes that differ from what was packed');
  return bytes;
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.sizeBytes; at += chunkBytes) {
    yield await source.read(at, Math.min(at + chunkBytes, source.sizeBytes));
  }
}

function damaged(name: string, received: string, cause?: unknown, hint = damagedHint): QuarterturnError {
  return new QuarterturnError('data', `${name}: expected a whole NPZ file. Received: ${received}.`, {
    hint,
    cause,
  });
}
