import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idx } from '../../../test/support/tiny-data.js';
import { Random } from '../../random/random.js';
import type { FoundImages } from './found-images.js';
import { openIdxImages } from './idx-images.node.js';

const random = Random.seeded(3);
const draw = (length: number) => Uint8Array.from({ length }, () => random.integer(256));
const pixels = draw(3 * 28 * 28);
const [seven, three, rest] = [0, 1, 2].map((i) => [...pixels.subarray(i * 784, (i + 1) * 784)]);
const images = idx([3, 28, 28], pixels);
const labels = idx([3], Uint8Array.of(7, 3, 7));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterturn-idx-images-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(files: Record<string, Uint8Array>, name = ''): Promise<FoundImages> {
  for (const [file, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), bytes);
  }
  return openIdxImages(join(folder, name));
}

async function pixelsOf(found: FoundImages): Promise<number[][]> {
  const all = await Promise.all(found.images.map((image) => image.read()));
  return all.map((image) => (image.kind === 'pixels' ? [...image.pixels] : []));
}

describe('a folder', () => {
  it('of four files', async () => {
    const found = await open({
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': labels,
      't10k-images-idx3-ubyte': idx([1, 28, 28], pixels.subarray(784, 1568)),
      't10k-labels-idx1-ubyte': idx([1], Uint8Array.of(3)),
    });
    expect(found).toMatchObject({ format: 'idx', origin: folder, classNames: ['3', '7'], skipped: [] });
    expect(found.notes).toEqual(['Classes are the 2 labels that occur (3, 7), each named by its label.']);
    expect(found.images.map(({ name, label, split }) => [name, label, split])).toEqual([
      ['train-images-idx3-ubyte[0]', '7', 'train'],
      ['train-images-idx3-ubyte[1]', '3', 'train'],
      ['train-images-idx3-ubyte[2]', '7', 'train'],
      ['t10k-images-idx3-ubyte[0]', '3', 'test'],
    ]);
    expect(await pixelsOf(found)).toEqual([seven, three, rest, three]);
    await found.close?.();
  });

  it.each<[string, Record<string, Uint8Array>, (string | undefined)[], number]>([
    [
      'without test files',
      { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels },
      ['7', '3', '7'],
      3,
    ],
    ['without labels', { 'train-images-idx3-ubyte': images }, [undefined, undefined, undefined], 3],
    [
      'without any labels',
      { 'train-images-idx3-ubyte': images, 't10k-images-idx3-ubyte': images },
      Array(6).fill(undefined),
      6,
    ],
    [
      'with a name in front',
      {
        'emnist-letters-train-images-idx3-ubyte.gz': gzipSync(images),
        'emnist-letters-train-labels-idx1-ubyte.gz': gzipSync(labels),
      },
      ['7', '3', '7'],
      3,
    ],
    [
      'with dots and capitals',
      { 'Train-Images.IDX3-UBYTE': images, 'train.labels.idx1.ubyte': labels },
      ['7', '3', '7'],
      3,
    ],
    [
      'with a folder for each',
      { 'train-images-idx3-ubyte/train-images-idx3-ubyte': images },
      [undefined, undefined, undefined],
      3,
    ],
  ])('%s', async (_, files, expected, count) => {
    const found = await open(files);
    expect(found.images.map(({ label }) => label)).toEqual(expected);
    expect((await pixelsOf(found)).slice(0, 3)).toEqual([seven, three, rest]);
    expect(found.images).toHaveLength(count);
    await found.close?.();
  });

  it.each<[string, Record<string, Uint8Array>, string, string]>([
    [
      'without IDX files',
      { 'x.txt': images },
      'expected IDX files. Received: a folder without any.',
      'Put the missing files there, plain or gzipped.',
    ],
    [
      'that was mistyped',
      { 'train-imgaes-idx3-ubyte': images },
      'expected IDX files.',
      'Is train-imgaes-idx3-ubyte meant? Call it train-images-idx3-ubyte.',
    ],
    [
      'with labels alone',
      { 'train-labels-idx1-ubyte': labels },
      'expected images beside train-labels-idx1-ubyte. Received: a folder without them.',
      'Put the missing files there, plain or gzipped.',
    ],
    [
      'with fewer labels',
      { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': idx([2], Uint8Array.of(7, 3)) },
      'expected one label for each of the 3 images in train-images-idx3-ubyte. Received: 2.',
      'Do both files come from the same dataset?',
    ],
    [
      'with a test label that training lacks',
      {
        'train-images-idx3-ubyte': images,
        'train-labels-idx1-ubyte': labels,
        't10k-images-idx3-ubyte': images,
        't10k-labels-idx1-ubyte': idx([3], Uint8Array.of(7, 3, 4)),
      },
      't10k-labels-idx1-ubyte: expected labels that training has (3, 7). Received: 4 at index 2.',
      'A class without a training image cannot be learned: add one, or leave its test images out.',
    ],
  ])('%s is refused', async (_, files, message, hint) => {
    await expect(open(files)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(message),
      hint,
    });
  });

  it('that holds another with the files names that one', async () => {
    await expect(open({ 'MNIST/raw/train-images-idx3-ubyte': images })).rejects.toMatchObject({
      hint: `They lie in ${join(folder, 'MNIST/raw')}: name that folder.`,
    });
  });
});

describe('a file', () => {
  const colours = draw(28 * 28 * 3);
  const turned = Uint8Array.from(colours, (_, i) => colours[(i % 784) * 3 + Math.floor(i / 784)] ?? 0);
  it.each<[string, Uint8Array, readonly (readonly (number | undefined)[] | undefined)[]]>([
    ['plain', images, [seven, three, rest]],
    ['gzipped without .gz', gzipSync(images), [seven, three, rest]],
    [
      'of two members',
      Buffer.concat([gzipSync(images.subarray(0, 1000)), gzipSync(images.subarray(1000))]),
      [seven, three, rest],
    ],
    ['without images', idx([0, 28, 28], new Uint8Array()), []],
    ['of four dimensions, grey', idx([3, 28, 28, 1], pixels), [seven, three, rest]],
    ['of colours', idx([1, 28, 28, 3], colours), [[...colours]]],
    ['of colours, channels first', idx([1, 3, 28, 28], turned), [[...colours]]],
    ['of other sizes', idx([1, 32, 12], pixels.subarray(0, 384)), [[...pixels.subarray(0, 384)]]],
  ])('%s', async (_, bytes, expected) => {
    const found = await open({ 'set.idx': bytes }, 'set.idx');
    expect(await pixelsOf(found)).toEqual(expected);
    expect(found.images.every(({ label, split }) => label === undefined && split === undefined)).toBe(true);
    await found.close?.();
  });

  it.each<[string, Uint8Array, string]>([
    [
      'that is cut off',
      images.subarray(0, 2000),
      "expected 2352 bytes for the header's dimensions 3 x 28 x 28. Received: 1984 (truncated).",
    ],
    ['with a line break behind', Uint8Array.from([...images, 10]), 'Received: 2353 (too long).'],
    [
      'whose gzip is cut off',
      gzipSync(images).subarray(0, 200),
      'gzip: expected a complete stream. Received: one that is cut off.',
    ],
    [
      'with other bytes behind',
      Buffer.concat([gzipSync(images), Buffer.from('garbage')]),
      'gzip: expected a complete stream.',
    ],
    [
      'with zeros behind',
      Buffer.concat([gzipSync(images), Buffer.alloc(512)]),
      'Received: one with zeros behind it.',
    ],
    ['gzipped twice', gzipSync(gzipSync(images)), 'magic number'],
    ['that is a web page', new TextEncoder().encode('<html><body></body></html>'), 'magic number'],
    [
      'of floats',
      Uint8Array.of(0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0),
      'element type: expected ubyte (0x08). Received: float (0x0d).',
    ],
    ['of signed bytes', Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 1, 0), 'Received: byte (0x09).'],
    [
      'of labels',
      labels,
      'expected images, [N, H, W], [N, H, W, C] or [N, C, H, W] with 1, 3 or 4 channels. Received: [3].',
    ],
    ['of one flat image', idx([28, 28], pixels.subarray(0, 784)), 'Received: [28, 28].'],
    ['with its numbers the other way round', Uint8Array.of(3, 8, 0, 0, 1, 0, 0, 0), 'magic number'],
    [
      'of a magic number alone',
      Uint8Array.of(0, 0, 8, 3),
      'header: expected 16 bytes. Received: 4 (truncated).',
    ],
    ['of nothing', new Uint8Array(), 'magic number: expected 4 bytes. Received: 0 (truncated).'],
  ])('%s is refused', async (_, bytes, message) => {
    await expect(open({ 'set.idx': bytes }, 'set.idx')).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        new RegExp(`^${folder}/set\\.idx.*${message.replace(/[[\]().*+?]/g, '\\$&')}`),
      ),
    });
  });
});
