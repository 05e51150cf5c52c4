import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesInMemory } from '../src/data/readers/byte-source.js';
import type { FoundImages } from '../src/data/readers/found-images.js';
import { readIdxImages } from '../src/data/readers/idx-images.node.js';
import { readNumpyImages } from '../src/data/readers/numpy-images.node.js';
import { Random } from '../src/random/random.js';
import { changedBytes, fuzzRuns, readsOrRefuses } from './support/fuzz.js';
import { npy, npz } from './support/npz.js';
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
