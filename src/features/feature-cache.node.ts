import fs from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { countOf } from '../counts.js';
import { type CacheOptions, cacheError, cacheFolderOf } from '../data/cache/cache-folder.node.js';
import { hashImages, imagesReadAtOnce } from '../data/image-hash.js';
import { type ImageSource, selectImages } from '../data/image-source.js';
import { isRunning, newOwnerName, ownerIn } from '../owner.node.js';
import { inChunks, type ProgressOptions, startProgress } from '../progress.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import type { Encoder } from './encoder.js';

/**
 * Rows of features lie in the cache by encoder and image, beside the decoded images:
 *
 *   features/3f…9c/            an encoder, by its fingerprint
 *     encoder.json             its name, and the numbers in a row; its time is that of the last use
 *     <owner>.rows             what one process has described: a record for each image, appended to and never changed
 *
 *   record = hash of the image (16 bytes), float32 [dimensions], CRC-32 of both
 *
 * Any number of processes use it at once, since each writes to a file of its own. One that is killed leaves at most its last
 * record unfinished, which its length or its checksum tells.
 */
const featuresFolder = 'features';
const rowsSuffix = '.rows';
const hashBytes = 16;
const checksumBytes = 4;

/** Images described between two writes, so that little is lost where a process is killed. */
const imagesAtATime = 128;

/** Bytes of records that are read at once. */
const bytesAtATime = 2 ** 24;

const headerSchema = z.strictObject({
  name: z.string().max(1000),
  dimensions: z
    .int()
    .positive()
    .max(2 ** 24),
});

/** The features of one encoder, as `quarterturn cache` lists them. */
export interface CachedFeatures {
  readonly folder: string;
  /** Name of the encoder. */
  readonly encoder: string;
  readonly dimensions: number;
  /** Images that have a row; one that two processes described at once counts twice. */
  readonly images: number;
  readonly sizeBytes: number;
  /** When they were last used, in milliseconds since 1970. */
  readonly usedMs: number;
  /** Whether a process that may add to them still runs. */
  readonly inUse: boolean;
}

/**
 * An encoder that keeps the rows that it has made in the cache, and takes those that are there from it. An image is known by
 * its content (`hashImage`), the encoder by its fingerprint.
 *
 * @throws QuarterturnError `io`, from `describe`, if the cache cannot be written
 */
export function withFeatureCache<E extends Encoder>(encoder: E, options: CacheOptions = {}): E {
  const folder = join(cacheFolderOf(options), featuresFolder, encoder.fingerprint.slice(0, 32));
  // One file for the life of the encoder.
  const own = join(folder, `${newOwnerName()}${rowsSuffix}`);
  return {
    ...encoder,
    describe: (images, progress = {}) => describeCached(encoder, images, { folder, own, progress }),
    release: () => encoder.release(),
    [Symbol.asyncDispose]: () => encoder.release(),
  };
}

interface CachePlace {
  readonly folder: string;
  /** The file that this process appends to. */
  readonly own: string;
  readonly progress: ProgressOptions;
}

async function describeCached(
  encoder: Encoder,
  images: ImageSource,
  { folder, own, progress }: CachePlace,
): Promise<Tensor<'float32'>> {
  const { dimensions } = encoder;
  const rows = new Float32Array(images.count * dimensions);
  const positions = await positionsByHash(images, progress);
  const put = (hash: string, row: Float32Array): void => {
    for (const position of positions.get(hash) ?? []) rows.set(row, position * dimensions);
  };
  const found = await readRows(folder, dimensions, (hash, row) => {
    if (!positions.has(hash)) return false;
    put(hash, row);
    return true;
  });
  const missing = [...positions].filter(([hash]) => !found.has(hash));
  if (missing.length > 0) {
    await describeMissing(encoder, { missing, images, folder, own, progress, put });
  }
  return tensor('float32', [images.count, dimensions], rows);
}

/** Where the image of each content stands: copies of one image are described once. */
async function positionsByHash(
  images: ImageSource,
  options: ProgressOptions,
): Promise<Map<string, number[]>> {
  const positions = new Map<string, number[]>();
  const progress = startProgress(
    options,
    `features of ${countOf(images.count, 'image')}, looked up`,
    images.count,
  );
  await inChunks(
    images.count,
    imagesReadAtOnce(images),
    async (from, to) => {
      const indices = Uint32Array.from({ length: to - from }, (_, i) => from + i);
      for (const [i, hash] of (await hashImages(images, indices)).entries()) {
        const known = positions.get(hash);
        if (known) known.push(from + i);
        else positions.set(hash, [from + i]);
      }
    },
    progress,
  );
  return positions;
}

interface MissingRows extends CachePlace {
  /** Hashes of the images without a row, and where these stand. */
  readonly missing: readonly (readonly [hash: string, positions: readonly number[]])[];
  readonly images: ImageSource;
  put(hash: string, row: Float32Array): void;
}

async function describeMissing(encoder: Encoder, work: MissingRows): Promise<void> {
  const { missing, images, folder, own, put } = work;
  const { name, dimensions } = encoder;
  const progress = startProgress(
    work.progress,
    `features of ${countOf(missing.length, 'image')}`,
    missing.length,
  );
  const file = await openRows(folder, own, { name, dimensions });
  try {
    await inChunks(
      missing.length,
      imagesAtATime,
      async (from, to) => {
        const part = missing.slice(from, to);
        const indices = Uint32Array.from(part, ([, [first = 0]]) => first);
        const { data } = await encoder.describe(selectImages(images, indices));
        const records = part.map(([hash], i) => {
          const row = data.subarray(i * dimensions, (i + 1) * dimensions);
          put(hash, row);
          return recordOf(hash, row);
        });
        await file.appendFile(Buffer.concat(records)).catch((error) => {
          throw cacheError(own, error);
        });
      },
      progress,
    );
  } finally {
    await file.close();
  }
}

async function openRows(
  folder: string,
  own: string,
  header: z.infer<typeof headerSchema>,
): Promise<fs.FileHandle> {
  try {
    await fs.mkdir(folder, { recursive: true });
    await writeFileAtomically(join(folder, 'encoder.json'), `${JSON.stringify(header)}\n`);
    return await fs.open(own, 'a');
  } catch (error) {
    throw cacheError(folder, error);
  }
}

function recordOf(hash: string, row: Float32Array): Buffer {
  const content = Buffer.concat([
    Buffer.from(hash, 'hex'),
    Buffer.from(row.buffer, row.byteOffset, row.byteLength),
  ]);
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32LE(crc32(content));
  return Buffer.concat([content, checksum]);
}

/**
 * Goes through all rows of a folder.
 * @param visit returns whether the row was wanted
 * @returns the hashes of those that were
 */
async function readRows(
  folder: string,
  dimensions: number,
  visit: (hash: string, row: Float32Array) => boolean,
): Promise<Set<string>> {
  const found = new Set<string>();
  const size = hashBytes + 4 * dimensions + checksumBytes;
  const content = size - checksumBytes;
  for (const name of await rowFiles(folder)) {
    const file = await fs.open(join(folder, name)).catch(() => undefined);
    if (!file) continue; // cleared meanwhile
    try {
      const buffer = Buffer.alloc(Math.max(1, Math.floor(bytesAtATime / size)) * size);
      for (let at = 0; ; ) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        const whole = Math.floor(bytesRead / size);
        for (let i = 0; i < whole; i++) {
          const record = buffer.subarray(i * size, (i + 1) * size);
          if (record.readUInt32LE(content) !== crc32(record.subarray(0, content))) continue;
          const hash = record.toString('hex', 0, hashBytes);
          // A copy, since floats have to lie at multiples of four bytes.
          const row = new Float32Array(new Uint8Array(record.subarray(hashBytes, content)).buffer);
          if (!found.has(hash) && visit(hash, row)) found.add(hash);
        }
        if (whole === 0) break;
        at += whole * size;
      }
    } finally {
      await file.close();
    }
  }
  const now = new Date();
  if (found.size > 0) await fs.utimes(join(folder, 'encoder.json'), now, now).catch(() => {});
  return found;
}

async function rowFiles(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(rowsSuffix)).sort();
}

/** All features in the cache, those of the encoder used last first. */
export async function listFeatureCache(options: CacheOptions = {}): Promise<CachedFeatures[]> {
  const root = join(cacheFolderOf(options), featuresFolder);
  const names = await fs.readdir(root).catch(() => []);
  const all = await Promise.all(names.map((name) => describeFolder(join(root, name))));
  return all.flatMap((each) => each ?? []).sort((a, b) => b.usedMs - a.usedMs);
}

async function describeFolder(folder: string): Promise<CachedFeatures | undefined> {
  const path = join(folder, 'encoder.json');
  const used = await fs.stat(path).catch(() => undefined);
  const header = headerSchema.safeParse(
    await fs
      .readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  ).data;
  if (used === undefined || header === undefined) return undefined;
  const files = await rowFiles(folder);
  const sizes = await Promise.all(
    files.map(async (name) => (await fs.stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
  );
  const sizeBytes = sizes.reduce((a, b) => a + b, 0);
  const { name, dimensions } = header;
  const inUse = files.some((file) => {
    const owner = ownerIn(file);
    return owner !== undefined && owner.pid !== process.pid && isRunning(owner) === true;
  });
  const images = Math.floor(sizeBytes / (hashBytes + 4 * dimensions + checksumBytes));
  return { folder, encoder: name, dimensions, images, sizeBytes, usedMs: used.mtimeMs, inUse };
}

/** Features that were deleted, and those that stay because a process may add to them. */
export interface ClearedFeatures {
  readonly removed: readonly CachedFeatures[];
  readonly inUse: readonly CachedFeatures[];
}

/** Deletes the features of all encoders that no process uses. */
export async function clearFeatureCache(options: CacheOptions = {}): Promise<ClearedFeatures> {
  const all = await listFeatureCache(options);
  const removed = all.filter(({ inUse }) => !inUse);
  for (const { folder } of removed) {
    await fs.rm(folder, { recursive: true, force: true }).catch((error) => {
      throw cacheError(folder, error);
    });
  }
  return { removed, inUse: all.filter(({ inUse }) => inUse) };
}
