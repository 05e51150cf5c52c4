import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import { meanOf } from './brightness.js';
import { readIdxFolder } from './idx-folder.node.js';
import { readMnist, verifyChecksums } from './mnist.node.js';

const idx = (shape: number[], data: number[]) =>
  Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data]);

// Training: three images of 2 x 1; test: one.
const files = () => ({
  'train-images-idx3-ubyte': idx([3, 2, 1], [1, 2, 3, 4, 5, 6]),
  'train-labels-idx1-ubyte': idx([3], [0, 2, 1]),
  't10k-images-idx3-ubyte': idx([1, 2, 1], [7, 8]),
  't10k-labels-idx1-ubyte': idx([1], [2]),
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterturn-idx-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(contents: Record<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

describe('readIdxFolder', () => {
  it('reads both parts, with class names and checksums', async () => {
    await write(files());
    const { train, test, origin, checksums } = await readIdxFolder(folder);
    expect(train).toEqual({
      images: expect.objectContaining({
        name: `${basename(folder)} train`,
        count: 3,
        height: 2,
        width: 1,
        channels: 1,
      }),
      labels: Int32Array.from([0, 2, 1]),
      classNames: ['0', '1', '2'],
    });
    expect([...(await pixelsOf(train.images))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(test).toMatchObject({ images: { count: 1 }, labels: Int32Array.from([2]) });
    expect([...(await pixelsOf(test!.images))]).toEqual([7, 8]);
    expect(origin).toBe(folder);
    expect(Object.keys(checksums).sort()).toEqual(Object.keys(files()).sort());
    const labels = files()['t10k-labels-idx1-ubyte'];
    expect(checksums['t10k-labels-idx1-ubyte']).toBe(createHash('md5').update(labels).digest('hex'));
  });

  it('knows the dotted spelling and .gz', async () => {
    const plain = files();
    await write({
      'train-images.idx3-ubyte': plain['train-images-idx3-ubyte'],
      'train-labels-idx1-ubyte.gz': gzipSync(plain['train-labels-idx1-ubyte']),
      't10k-images.idx3-ubyte.gz': gzipSync(plain['t10k-images-idx3-ubyte']),
      't10k-labels-idx1-ubyte': plain['t10k-labels-idx1-ubyte'],
    });
    const { train, test } = await readIdxFolder(folder);
    expect([...train.labels!]).toEqual([0, 2, 1]);
    expect([...(await pixelsOf(test!.images))]).toEqual([7, 8]);
  });

  it('names all that is missing', async () => {
    const { 'train-images-idx3-ubyte': _, 't10k-images-idx3-ubyte': __, ...rest } = files();
    await write(rest);
    await expect(readIdxFolder(folder)).rejects.toMatchObject({
      code: 'data',
      message: `${folder}: expected IDX files to learn from. Received: a folder without train-images-idx3-ubyte; without t10k-images-idx3-ubyte.`,
    });
  });

  it('reads a pile without labels and without a test set', async () => {
    const { 'train-images-idx3-ubyte': images } = files();
    await write({ 'train-images-idx3-ubyte': images });
    const { train, test, checksums } = await readIdxFolder(folder);
    expect([train.images.count, train.labels, train.classNames, test]).toEqual([3, undefined, [], undefined]);
    expect(Object.keys(checksums)).toEqual(['train-images-idx3-ubyte']);
  });

  const renamed = (rename: (name: string) => string) =>
    Object.fromEntries(Object.entries(files()).map(([name, bytes]) => [rename(name), bytes]));

  it.each([
    ['capitals', (name: string) => name.replace('idx', 'IDX').replace('ubyte', 'UBYTE')],
    ['a name in front', (name: string) => `emnist-letters-${name.replace('t10k', 'test')}`],
    ['dots alone', (name: string) => name.replaceAll('-', '.')],
    ['a folder for each', (name: string) => `${name}/${name}`],
  ])('finds files with %s', async (_, rename) => {
    await write(renamed(rename));
    const { train, test, checksums } = await readIdxFolder(folder);
    expect([train.images.count, test!.images.count, [...train.labels!]]).toEqual([3, 1, [0, 2, 1]]);
    expect(Object.keys(checksums)).toEqual(Object.keys(files()).map(rename));
  });

  it('names what cannot be told apart, what was mistyped, and where the files lie', async () => {
    await write(renamed((name) => `emnist-letters-${name}`));
    await write(renamed((name) => `emnist-digits-${name}`));
    await expect(readIdxFolder(folder)).rejects.toThrow(
      `${folder}: expected the files of one data set. Received: those of emnist-digits, emnist-letters.`,
    );
    await write(files());
    expect((await readIdxFolder(folder)).train.images.count).toBe(3);

    await write({ ...renamed((name) => `typo/${name.replace('train-images', 'train-imgaes')}`) });
    await expect(readIdxFolder(join(folder, 'typo'))).rejects.toMatchObject({
      hint: 'Is train-imgaes-idx3-ubyte meant? Call it train-images-idx3-ubyte.',
    });

    await write(renamed((name) => `nested/MNIST/raw/${name}`));
    await expect(readIdxFolder(join(folder, 'nested'))).rejects.toMatchObject({
      hint: `They lie in ${join(folder, 'nested/MNIST/raw')}: name that folder.`,
    });
  });

  it.each([
    ['counted from 1', [1, 2, 3], [3], ['1', '2', '3'], 'the 3 labels that occur (1 to 3)'],
    ['with gaps', [0, 5, 255], [5], ['0', '5', '255'], 'the 3 labels that occur (0, 5, 255)'],
  ])('labels %s: classes are those that occur, and it says so', async (_, train, test, names, note) => {
    await write({
      ...files(),
      'train-labels-idx1-ubyte': idx([3], train),
      't10k-labels-idx1-ubyte': idx([1], test),
    });
    const data = await readIdxFolder(folder);
    expect(data.train.classNames).toEqual(names);
    expect([...data.train.labels!]).toEqual([0, 1, 2]);
    expect(data.test!.classNames[data.test!.labels![0]!]).toBe(String(test[0]));
    expect(data.notes).toEqual([expect.stringContaining(note)]);
  });

  it('classes from 0 on without gaps are nothing to speak of', async () => {
    await write(files());
    expect((await readIdxFolder(folder)).notes).toBeUndefined();
  });

  it('reads 1,000 classes from labels of two bytes', async () => {
    const labels = Array.from({ length: 1000 }, (_, i) => 999 - i);
    const shorts = (values: number[]) => {
      const bytes = new Uint8Array(8 + 2 * values.length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 0x0b01);
      view.setUint32(4, values.length);
      for (const [i, value] of values.entries()) view.setUint16(8 + 2 * i, value);
      return bytes;
    };
    const images = new Uint8Array(16 + 1000);
    images.set([0, 0, 8, 3, 0, 0, 3, 0xe8, 0, 0, 0, 1, 0, 0, 0, 1]);
    await write({
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': shorts(labels),
      't10k-images-idx3-ubyte': idx([1, 1, 1], [7]),
      't10k-labels-idx1-ubyte': shorts([600]),
    });
    const { train, test } = await readIdxFolder(folder);
    expect([...train.labels!]).toEqual(labels);
    expect(train.classNames).toHaveLength(1000);
    expect(test!.labels).toEqual(Int32Array.of(600));
  });

  it('refuses a folder that is not there', async () => {
    await expect(readIdxFolder(join(folder, 'no'))).rejects.toMatchObject({ code: 'io' });
  });

  it.each([
    [
      'fewer labels than images',
      'train-labels-idx1-ubyte',
      idx([2], [0, 2]),
      'expected one label for each of the 3 images in train-images-idx3-ubyte. Received: 2.',
    ],
    [
      'labels that are images',
      'train-labels-idx1-ubyte',
      idx([3, 1], [0, 2, 1]),
      'expected 1 dimension, that of the labels. Received: 3 x 1.',
    ],
    [
      'no images',
      'train-images-idx3-ubyte',
      idx([0, 2, 1], []),
      'expected 3 dimensions, none of them 0. Received: 0 x 2 x 1.',
    ],
    [
      'a test class that training lacks',
      't10k-labels-idx1-ubyte',
      idx([1], [3]),
      't10k-labels-idx1-ubyte: expected labels that training has (0 to 2). Received: 3 at index 0.',
    ],
    [
      'test images of another size',
      't10k-images-idx3-ubyte',
      idx([1, 1, 2], [7, 8]),
      'expected images of 2 x 1 as in train-images-idx3-ubyte. Received: 1 x 2.',
    ],
    [
      'a truncated file',
      't10k-images-idx3-ubyte',
      idx([1, 2, 1], [7]),
      't10k-images-idx3-ubyte, elements: expected 2 bytes',
    ],
  ])('refuses %s', async (_, file, bytes, message) => {
    await write({ ...files(), [file]: bytes });
    await expect(readIdxFolder(folder)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(message),
    });
  });
});

describe('readMnist', () => {
  it('reads the original 70,000 images', async () => {
    const { train, test } = await readMnist();
    const size = { height: 28, width: 28, channels: 1 };
    expect(train.images).toMatchObject({ name: 'MNIST train', count: 60_000, ...size });
    expect(test!.images).toMatchObject({ name: 'MNIST test', count: 10_000, ...size });
    expect(test!.classNames).toHaveLength(10);
    expect([...train.labels!.slice(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    const mean = meanOf(await pixelsOf(train.images)) / 255;
    expect(mean).toBeCloseTo(0.1307, 4); // as published with many MNIST programs
  });

  it('names a file whose checksum differs', () => {
    expect(() => verifyChecksums({ a: '1', b: '2' }, { a: '1', b: '3' })).toThrow(
      'b: expected MD5 3. Received: 2.',
    );
    expect(() => verifyChecksums({ a: '1' }, { a: '1', b: '3' })).toThrow('Received: no such file.');
  });
});
