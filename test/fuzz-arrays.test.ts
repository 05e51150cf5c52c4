import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesInMemory } from '../src/data/readers/byte-source.js';
import type { FoundImages } from '../src/data/readers/found-images.js';
import { readIdxImages } from '../src/data/readers/idx-images.node.js';
import { readNumpyImages } from '../src/data/readers/numpy-images.node.js';
import { codecs, unpackPage } from '../src/data/readers/parquet-codecs.node.js';
import { readParquetImages } from '../src/data/readers/parquet-images.node.js';
import { hybridValues, plainValues, valueTypes } from '../src/data/readers/parquet-values.js';
import { endOfThrift } from '../src/data/readers/thrift-bounds.js';
import { Random } from '../src/random/random.js';
import { changedBytes, fuzzRuns, readsOrRefuses } from './support/fuzz.js';
import { npy, npz } from './support/npz.js';
import { parquet } from './support/parquet.js';
import { idx } from './support/tiny-data.js';

const timeout = 60_000 * Math.max(1, fuzzRuns / 500);

const random = Random.seeded(1);
const pixels = Uint8Array.from({ length: 3 * 28 * 28 }, () => random.integer(256));

/** Every image that was found is read, and is what it says. */
async function readAll(found: FoundImages): Promise<FoundImages> {
  for (const image of found.images.slice(0, 50)) {
    const read = await image.read();
    if (read.kind !== 'pixels') continue;
    expect(read.pixels.length).toBe(read.height * read.width * read.channels);
    if (image.label !== undefined) expect(found.classNames).toContain(image.label);
  }
  return found;
}

test('NPY and NPZ files', { timeout }, async () => {
  const arrays = {
    images: npy('|u1', [3, 28, 28], pixels),
    labels: npy('<i8', [3], BigInt64Array.of(1n, 0n, -1n)),
  };
  const other = {
    x_train: npy(
      '<f4',
      [3, 1, 28, 28],
      Float32Array.from(pixels, (v) => v / 255),
      { fortranOrder: true },
    ),
    y_train: npy(
      '<U3',
      [3],
      Uint32Array.from('abcabcabc', (char) => char.charCodeAt(0)),
    ),
    x_test: npy('>u2', [3, 28, 28], Uint16Array.from(pixels), { version: 2 }),
  };
  const originals = [
    npz(arrays),
    npz(other, { deflate: true }),
    npz(arrays, { deflate: true, streamed: true }),
    ...Object.values(arrays),
    other.x_test,
  ];
  await readsOrRefuses(changedBytes(originals), {
    file: 'set.np',
    read: async (bytes) => readAll(await readNumpyImages([bytesInMemory('set.npz', bytes)])),
  });
});

test('headers of NPY files', { timeout }, async () => {
  const part = fc.constantFrom(
    ...[
      "{'descr': '|u1'",
      "'fortran_order': False",
      "'shape': (3, 28, 28)",
      ', ',
      '}',
      '{',
      ' '.repeat(3000),
      "'shape': (",
      '9'.repeat(30),
    ],
    ...[
      "'shape': (99999999999, 9999999999)",
      "'shape': ()",
      "'descr': [('a', '|O')]",
      "'descr': '<U999999999'",
      "__import__('os')",
      '('.repeat(3000),
      '\0',
      "'",
    ],
  );
  const headers = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => {
    const text = Buffer.from(parts.join(''), 'latin1');
    const length = Buffer.alloc(2);
    length.writeUInt16LE(text.length);
    return Uint8Array.from(Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, text, pixels]));
  });
  await readsOrRefuses(headers, {
    file: 'set.npy',
    read: async (bytes) => readAll(await readNumpyImages([bytesInMemory('set.npy', bytes)])),
  });
});

test('IDX files with their labels', { timeout }, async () => {
  const images = idx([3, 28, 28], pixels);
  const labels = idx([3], Uint8Array.of(7, 7, 3));
  const inputs = fc.oneof(
    changedBytes([images, gzipSync(images), idx([1, 28, 28, 3], pixels)]).map((bytes) => ({
      images: bytes,
      labels,
    })),
    changedBytes([labels, gzipSync(labels)]).map((bytes) => ({ images, labels: bytes })),
  );
  await readsOrRefuses(inputs, {
    file: 'train-',
    read: async (files) =>
      readAll(
        await readIdxImages('folder', [
          {
            split: 'train',
            images: bytesInMemory('train-images', files.images),
            labels: bytesInMemory('train-labels', files.labels),
          },
        ]),
      ),
  });
});

test('Parquet files', { timeout }, async () => {
  const files = Array.from({ length: 20 }, (_, i) => pixels.subarray(100 * i, 100 * i + 5 * i + 3));
  const labels = files.map((_, i) => (i % 3) - 1);
  const originals = [
    parquet(files, labels, { classNames: ['cat', 'dog'], pageSize: 200, rowGroupSize: 8 }),
    parquet(files, labels, { codec: 'UNCOMPRESSED', paths: files.map((_, i) => `${i}.png`) }),
  ];
  // Most of a file that says something is at its end.
  const atEnd = fc
    .tuple(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(900), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    )
    .map(([original, changes]) => {
      const bytes = Uint8Array.from(original);
      for (const [at, value] of changes) bytes[Math.max(0, bytes.length - 9 - at)] = value;
      return bytes;
    });
  await readsOrRefuses(fc.oneof(changedBytes(originals), atEnd), {
    file: 'train.parquet',
    read: async (bytes) => readAll(await readParquetImages([bytesInMemory('train.parquet', bytes)])),
  });
});

test('Parquet pages that claim what they like', { timeout }, async () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const sizes = fc.constantFrom(0, 1, 7, 100, 100_000);
  const inputs = fc.record({ bytes, count: sizes, bits: fc.nat(40), codec: fc.constantFrom(...codecs) });
  await fc.assert(
    fc.property(inputs, ({ bytes: packed, count, bits, codec }) => {
      const page = unpackPage(codec, packed, count);
      if (page !== undefined) expect(page.length).toBe(count);
      const values = hybridValues(packed, bits, count);
      if (values !== undefined) expect(values.length).toBe(count);
      for (const type of valueTypes) expect(plainValues(type, packed, count)?.length ?? count).toBe(count);
      const end = endOfThrift(packed, 0);
      if (typeof end === 'number') expect(end).toBeLessThanOrEqual(packed.length);
    }),
    { numRuns: 4 * fuzzRuns },
  );
});
