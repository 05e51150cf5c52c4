import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf, zipOf } from '../../../test/support/archives.js';
import { idx } from '../../../test/support/tiny-data.js';
import { decodeImage } from '../image-decode.node.js';
import type { FoundImages } from './found-images.js';
import { type ArrayReader, openFound } from './open-found.node.js';

let root: string;
/** Real pictures of 28×28 in each part and class, and what other programs leave among them. */
const pictures: Record<string, Buffer> = {};

beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'quarterturn-found-'));
  const formats = ['png', 'jpeg', 'webp', 'tiff', 'gif'] as const;
  for (const [part, count] of [
    ['train', 5],
    ['test', 2],
  ] as const) {
    for (const [k, name] of ['2', '10', 'café'].entries()) {
      for (let i = 0; i < count; i++) {
        const background = { r: 40 * i, g: 80 * k, b: part === 'test' ? 255 : 0 };
        const picture = sharp({ create: { width: 28, height: 28, channels: 3, background } });
        // The content decides, not the ending.
        pictures[`${part}/${name}/${i}.jpg`] = await picture.toFormat(formats[i % 5] ?? 'png').toBuffer();
      }
    }
  }
  for (const [name, data] of Object.entries({ ...pictures, 'test/2/.DS_Store': Buffer.from('x') })) {
    await fs.mkdir(join(root, 'set', name, '..'), { recursive: true });
    await fs.writeFile(join(root, 'set', name), data);
  }
});
afterAll(() => fs.rm(root, { recursive: true }));

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(root, name);
  await fs.writeFile(path, content);
  return path;
}

/** All that makes a data set: names, classes, parts, and pixels. */
async function dataOf(found: FoundImages) {
  const images = [];
  for (const image of found.images) {
    const read = await image.read();
    if (read.kind !== 'file') throw new Error('not a file');
    const { pixels } = await decodeImage(image.name, read.bytes, { height: 28, width: 28, channels: 3 });
    images.push({ name: image.name, label: image.label, split: image.split, pixels });
  }
  await found.close?.();
  return { images, classNames: found.classNames, skipped: found.skipped };
}

test('a folder, a ZIP archive, a tar archive and a gzipped one give the same data', async () => {
  const fromFolder = await dataOf(await openFound(join(root, 'set')));
  expect(fromFolder.images).toHaveLength(21);
  expect(fromFolder.classNames).toEqual(['2', '10', 'café']);
  expect(fromFolder.skipped).toEqual([{ name: 'test/2/.DS_Store', reason: 'hidden or system file' }]);
  const members = Object.entries({ ...pictures, 'test/2/.DS_Store': Buffer.from('x') }).map(
    ([name, data], i) => ({
      name,
      data,
      isDeflated: i % 2 === 0,
    }),
  );
  // Archives are told by content: their endings lie here.
  execFileSync('tar', ['-czf', join(root, 'real.zip'), '-C', join(root, 'set'), '.']);
  for (const path of [
    await write('stored.tar', zipOf(members)),
    await write('plain.zip', tarOf(members.toReversed())),
    await write('packed', gzipSync(tarOf(members))),
    join(root, 'real.zip'),
  ]) {
    const found = await openFound(path, { scratchFolder: root });
    expect(found.format).toBe('folder');
    expect(found.notes[0]).toMatch(/^Taken for folders of images in a (ZIP|tar) archive: 3 classes/);
    // The archive's own time says whether its files have changed.
    const { mtimeMs } = await fs.stat(path);
    const [first] = found.images;
    expect(first?.stamp).toEqual({ sizeBytes: pictures[first?.name ?? '']?.length, modifiedMs: mtimeMs });
    expect(await dataOf(found)).toEqual(fromFolder);
  }
});

test('a single picture', async () => {
  const path = await write('one.jpg', pictures['train/2/0.jpg'] ?? '');
  const found = await openFound(path);
  expect(found.images.map(({ name, label }) => ({ name, label }))).toEqual([
    { name: 'one.jpg', label: undefined },
  ]);
  expect(found.images[0]?.stamp?.sizeBytes).toBe(pictures['train/2/0.jpg']?.length);
  expect(found.notes).toEqual([`${path} is taken for a single image.`]);
  expect((await dataOf(found)).images[0]?.pixels).toHaveLength(28 * 28 * 3);
  const misnamed = await openFound(await write('.one.txt', pictures['train/2/0.jpg'] ?? ''));
  expect((await dataOf(misnamed)).images).toHaveLength(1);
  await expect(openFound(await write('empty.png', ''))).rejects.toThrow('(empty file: 1)');
});

describe('files of arrays', () => {
  const images = idx([2, 28, 28], new Uint8Array(2 * 28 * 28));
  const labels = idx([2], Uint8Array.of(0, 1));
  const npy = Uint8Array.from(Buffer.from('\x93NUMPY\x01\0', 'latin1'));
  const names = [
    't10k-images-idx3-ubyte.gz',
    't10k-labels-idx1-ubyte',
    'train-images.idx3-ubyte',
    'train-labels-idx1-ubyte',
  ];
  const idxFiles = names.map((name) => {
    const data = name.includes('images') ? images : labels;
    return { name: `MNIST/raw/${name}`, data: name.endsWith('.gz') ? gzipSync(data) : data };
  });

  /** What a reader would be given: paths, and the first bytes of each. */
  async function given(path: string, format?: 'idx' | 'numpy' | 'parquet') {
    let seen: { format: string; paths: readonly string[]; starts: string[] } | undefined;
    const readerOf =
      (name: string): ArrayReader =>
      async (tree, paths) => {
        const starts = [];
        for (const each of paths) {
          const source = await tree.open(each);
          starts.push(Buffer.from(await source.read(0, 4)).toString('latin1'));
          await source.close();
        }
        seen = { format: name, paths: [...paths].sort(), starts: starts.sort() };
        return {
          format: name,
          origin: tree.origin,
          images: [],
          classNames: [],
          skipped: [],
          notes: [],
          close: tree.close,
        };
      };
    const readers = { idx: readerOf('idx'), numpy: readerOf('numpy'), parquet: readerOf('parquet') };
    const found = await openFound(path, { readers, scratchFolder: root, ...(format && { format }) });
    await found.close?.();
    return seen;
  }

  test('IDX files are known by their names, in folders and archives', async () => {
    for (const { name, data } of idxFiles) {
      await fs.mkdir(join(root, 'idx', name, '..'), { recursive: true });
      await fs.writeFile(join(root, 'idx', name), data);
    }
    const tar = await write('idx.tar', tarOf(idxFiles));
    const zip = await write('idx.zip', zipOf(idxFiles.map((file) => ({ ...file, isDeflated: true }))));
    for (const path of [join(root, 'idx'), tar, zip]) {
      const starts = ['\0\0\x08\x01', '\0\0\x08\x01', '\0\0\x08\x03', '\x1f\x8b\x08\0'];
      expect(await given(path)).toEqual({ format: 'idx', paths: idxFiles.map(({ name }) => name), starts });
    }
  });

  test('IDX files of two data sets are refused', async () => {
    const path = await write(
      'two.tar',
      tarOf([
        { name: `a/${names[2]}`, data: images },
        { name: `b/${names[3]}`, data: labels },
      ]),
    );
    await expect(given(path)).rejects.toThrow('expected the IDX files of one data set. Received: some in');
  });

  test('single files are known by their content', async () => {
    expect(await given(await write('x.png', images))).toMatchObject({ format: 'idx', paths: ['x.png'] });
    expect(await given(await write('x.bin', gzipSync(images)))).toMatchObject({
      format: 'idx',
      paths: ['x.bin'],
    });
    expect(await given(await write('y.bin', npy))).toMatchObject({ format: 'numpy', starts: ['\x93NUM'] });
    expect(await given(await write('z.bin', 'PAR1 and more'))).toMatchObject({ format: 'parquet' });
    const npz = zipOf([{ name: 'x.npy', data: npy }]);
    expect(await given(await write('x.npz', npz))).toMatchObject({ format: 'numpy', paths: ['x.npz'] });
    expect(await given(await write('npz.zip', npz))).toMatchObject({ format: 'numpy', paths: ['npz.zip'] });
  });

  test('arrays are taken where no pictures lie beside them, or where they are asked for', async () => {
    const parquet = [
      { name: 'README.md', data: npy },
      { name: 'data/0.parquet', data: Buffer.from('PAR1') },
    ];
    expect(await given(await write('hf.tar', tarOf(parquet)))).toMatchObject({
      format: 'parquet',
      paths: ['data/0.parquet'],
    });
    const mixed = await write('mixed.tar', tarOf([...parquet, { name: '1.png', data: npy }]));
    expect(await given(mixed)).toBeUndefined();
    expect(await given(mixed, 'parquet')).toMatchObject({ format: 'parquet' });
  });

  test('without a reader they are named', async () => {
    const failure = openFound(await write('x.bin', images));
    await expect(failure).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('Received: idx files'),
    });
  });
});

describe('what is not read', () => {
  test.each([
    ['a RAR archive', 'Rar!\x1a\x07'],
    ['a 7-Zip archive', '7z\xbc\xaf\x27\x1c'],
    ['a file packed by xz', '\xfd7zXZ\0'],
    ['a file packed by Zstandard', '\x28\xb5\x2f\xfd'],
  ])('%s', async (received, start) => {
    const path = await write('archive.bin', Buffer.from(start, 'latin1'));
    await expect(openFound(path)).rejects.toMatchObject({
      code: 'data',
      message: `${path}: expected a folder, or a ZIP or tar archive. Received: ${received}.`,
      hint: 'Unpack it and name the folder.',
    });
  });

  test('nothing there, an empty folder, an empty archive, a pipe', async () => {
    await expect(openFound(join(root, 'none'))).rejects.toThrow('Received: no such file');
    await fs.mkdir(join(root, 'empty'));
    await expect(openFound(join(root, 'empty'))).rejects.toThrow('expected images. Received: nothing');
    await expect(openFound(await write('empty.zip', zipOf([])))).rejects.toThrow(
      'expected images. Received: nothing',
    );
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(openFound(join(root, 'pipe'))).rejects.toThrow('Received: a folder, pipe or device');
  });
});

test('a folder of 20,000 files is listed in a moment, without opening one', async () => {
  const folder = join(root, 'big');
  await Promise.all(['a', 'b'].map((name) => fs.mkdir(join(folder, name), { recursive: true })));
  for (let i = 0; i < 20_000; i += 100) {
    const names = Array.from({ length: 100 }, (_, k) => join(folder, k % 2 ? 'a' : 'b', `${i + k}.png`));
    await Promise.all(names.map((name) => fs.writeFile(name, 'x')));
  }
  const started = process.cpuUsage();
  const found = await openFound(folder);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1000).toBeLessThan(3000);
  expect(found.images).toHaveLength(20_000);
  expect(found.classNames).toEqual(['a', 'b']);
});
