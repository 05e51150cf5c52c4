import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImageDataset } from '../src/data/dataset.js';
import { readRange } from '../src/data/image-source.js';
import { readImages } from '../src/runs/read-images.node.js';
import { tarOf } from './support/archives.js';
import { npy, npz } from './support/npz.js';
import { parquet } from './support/parquet.js';
import { filesBelow, writeInto } from './support/picture-folder.js';
import { idx } from './support/tiny-data.js';

/**
 * A folder of photographs of one size, `train/<class>/` and `test/<class>/`. `QUARTERTURN_SAME_DATA=<folder>` takes another one,
 * such as all of CIFAR-10 as JPEGs; without it, a hundred drawn ones.
 */
const given = process.env.QUARTERTURN_SAME_DATA;
const timeout = given === undefined ? 60_000 : 1_800_000;
const side = 32;
const parts = { train: 'train', test: 't10k' } as const;

let root: string;
let photos: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'quarterturn-same-'));
  photos = given ?? join(root, 'photos');
  if (given === undefined) await drawPhotos();
  await writeOtherFormats();
}, timeout);
afterAll(() => fs.rm(root, { recursive: true }));

async function drawPhotos(): Promise<void> {
  for (const [part, count] of [
    ['train', 24],
    ['test', 8],
  ] as const) {
    for (const [k, name] of ['bus 2', 'bus 10', 'café'].entries()) {
      for (let n = 0; n < count; n++) {
        const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
          const [y, x, c] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side, i % 3];
          return 128 + 100 * Math.sin((x * (k + 1) + y * (n + 1) + c * 9 + (part === 'test' ? 5 : 0)) / 9);
        });
        const raw = { height: side, width: side, channels: 3 } as const;
        const bytes = await sharp(pixels, { raw }).jpeg({ quality: 90 }).toBuffer();
        await writeInto(join(photos, part, name, `${String(n).padStart(4, '0')}.jpg`), bytes);
      }
    }
  }
}

async function writeOtherFormats(): Promise<void> {
  const files = await filesBelow(photos);
  const members = Object.entries(files).map(([name, data]) => ({ name: `set/${name}`, data }));
  await fs.writeFile(join(root, 'photos.tar.gz'), gzipSync(tarOf(members), { level: 1 }));
  const classes = await fs.readdir(join(photos, 'train'));
  classes.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const arrays: Record<string, Uint8Array> = {};
  for (const [part, stem] of Object.entries(parts)) {
    // In the order of their paths, as a folder is read.
    const paths = Object.keys(files).filter((path) => path.startsWith(`${part}/`));
    paths.sort((a, b) => (a < b ? -1 : 1));
    const jpegs = paths.map((path) => files[path] ?? new Uint8Array());
    const names = paths.map((path) => path.split('/')[1] ?? '');
    const labels = names.map((name) => classes.indexOf(name));
    const pixels = new Uint8Array(jpegs.length * side * side * 3);
    for (const [i, bytes] of jpegs.entries()) {
      pixels.set(await sharp(bytes).raw().toBuffer(), i * side * side * 3);
    }
    const shape = [jpegs.length, side, side, 3];
    arrays[`${part}_images`] = npy('|u1', shape, pixels);
    arrays[`${part}_labels`] = npy('<U12', [names.length], fixedText(names, 12));
    await writeInto(join(root, 'idx', `${stem}-images-idx4-ubyte`), idx(shape, pixels));
    await writeInto(
      join(root, 'idx', `${stem}-labels-idx1-ubyte`),
      idx([labels.length], Uint8Array.from(labels)),
    );
    const table = parquet(jpegs, labels, { classNames: classes, paths, rowGroupSize: 1000 });
    await writeInto(join(root, 'parquet', `${part}-00000-of-00001.parquet`), table);
  }
  await fs.writeFile(join(root, 'photos.npz'), npz(arrays));
}

/** NumPy's texts of a fixed length, in UTF-32. */
function fixedText(texts: readonly string[], length: number): Uint32Array {
  const codes = new Uint32Array(texts.length * length);
  for (const [i, text] of texts.entries())
    codes.set(
      Array.from(text, (char) => char.codePointAt(0) ?? 0),
      i * length,
    );
  return codes;
}

/** Everything of a data set that learning sees. */
async function contentOf({ images, labels }: ImageDataset) {
  const { count, height, width, channels } = images;
  const digest = createHash('sha256');
  for (let from = 0; from < count; from += 1000) {
    digest.update((await readRange(images, from, Math.min(from + 1000, count))).data);
  }
  return { count, height, width, channels, pixels: digest.digest('hex'), labels: labels && [...labels] };
}

async function dataOf(path: string) {
  await using data = await readImages(path, { cacheFolder: join(root, 'cache') });
  expect(data.skipped).toEqual([]);
  const { train, test: tests } = data;
  return {
    train: await contentOf(train),
    test: tests && (await contentOf(tests)),
    classNames: train.classNames,
  };
}

test('photographs in a folder, a tar archive, NPZ, IDX and Parquet files are the same data, bit for bit', {
  timeout,
}, async () => {
  const expected = await dataOf(photos);
  expect(expected.train).toMatchObject({ height: side, width: side, channels: 3 });
  if (given === undefined) {
    expect(expected.classNames).toEqual(['bus 2', 'bus 10', 'café']);
    expect([expected.train.count, expected.test?.count]).toEqual([72, 24]);
  }
  for (const other of ['photos.tar.gz', 'photos.npz', 'parquet']) {
    expect(await dataOf(join(root, other)), other).toEqual(expected);
  }
  // IDX files number their classes and name none.
  const numbers = expected.classNames.map((_, k) => String(k));
  expect(await dataOf(join(root, 'idx')), 'idx').toEqual({ ...expected, classNames: numbers });
});
