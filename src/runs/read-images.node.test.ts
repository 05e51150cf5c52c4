import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npy, npz, zip } from '../../test/support/npz.js';
import {
  filesBelow,
  type pictureClasses,
  pictureOf,
  pictureSize,
  writeInto,
  writePictures,
} from '../../test/support/picture-folder.js';
import { idx, writeTinyData } from '../../test/support/tiny-data.js';
import type { ImageDataset } from '../data/dataset.js';
import { readIdxFolder } from '../data/idx-folder.node.js';
import { readRange } from '../data/image-source.js';
import { noClass } from '../data/label-values.js';
import { readImages } from './read-images.node.js';

let folder: string;
let cacheFolder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-read-'));
  cacheFolder = join(folder, 'cache');
  await writePictures(join(folder, 'pictures'), { counts: { bar: 4, corner: 7, edge: 5 } });
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

/** Everything of a data set that learning sees. */
async function contentOf({ images, labels, classNames }: ImageDataset) {
  const { height, width, channels, count } = images;
  const pixels = Buffer.from((await readRange(images, 0, count)).data).toString('base64');
  return { height, width, channels, pixels, labels: labels && [...labels], classNames };
}

describe('readImages', () => {
  test('gives a folder of class folders, its ZIP archive, NPZ and IDX files of it as the same data', async () => {
    await using photos = await readImages(join(folder, 'pictures'), { cacheFolder });
    expect(photos.train.classNames).toEqual(['bar', 'corner', 'edge']);
    expect([...(photos.train.labels ?? [])]).toEqual([...'0000111111122222'].map(Number));
    expect(photos).toMatchObject({ isPartlyLabelled: false, skipped: [] });
    expect(photos.test).toBeUndefined();
    const expected = await contentOf(photos.train);
    expect(expected).toMatchObject({ height: 32, width: 32, channels: 1 });
    const first = await photos.train.images.read([4]);
    expect(first.data).toEqual(pictureOf('corner', 0));
    expect(photos.train.fileOf?.(4)).toMatch(/^corner\/.+\.\w+$/);

    const names = [...expected.classNames] as (keyof typeof pictureClasses)[];
    const [labels, pixels]: [number[], number[]] = [[...(photos.train.labels ?? [])], []];
    for (const [i, label] of labels.entries())
      pixels.push(...pictureOf(names[label] ?? 'bar', i - labels.indexOf(label)));
    const shape = [labels.length, pictureSize, pictureSize];
    const archive = zip(await filesBelow(join(folder, 'pictures')));
    await fs.writeFile(join(folder, 'pictures.zip'), archive);
    const text = new Uint32Array(labels.length * 6);
    for (const [i, label] of labels.entries()) {
      text.set(
        Array.from(names[label] ?? '', (char) => char.charCodeAt(0)),
        i * 6,
      );
    }
    await fs.writeFile(
      join(folder, 'pictures.npz'),
      npz({
        images: npy('|u1', shape, Uint8Array.from(pixels)),
        labels: npy('<U6', [labels.length], text),
      }),
    );
    for (const other of ['pictures.zip', 'pictures.npz']) {
      await using read = await readImages(join(folder, other), { cacheFolder });
      expect(await contentOf(read.train)).toEqual(expected);
    }
    await writeInto(join(folder, 'idx/train-images-idx3-ubyte'), idx(shape, Uint8Array.from(pixels)));
    await writeInto(
      join(folder, 'idx/train-labels-idx1-ubyte'),
      idx([labels.length], Uint8Array.from(labels)),
    );
    await using plain = await readImages(join(folder, 'idx'), { cacheFolder });
    expect(await contentOf(plain.train)).toEqual({ ...expected, classNames: ['0', '1', '2'] });
  });

  test('reads a folder of IDX files as ever, and imports it where another size is asked for', async () => {
    const path = join(folder, 'tiny');
    await writeTinyData(path, { train: 30, test: 12 });
    await using data = await readImages(path, { cacheFolder });
    const before = await readIdxFolder(path);
    expect(data.checksums).toEqual(before.checksums);
    expect(await contentOf(data.train)).toEqual(await contentOf(before.train));
    await using larger = await readImages(path, { cacheFolder, size: 16, duplicates: 'keep' });
    expect(larger.train.images).toMatchObject({ count: 30, height: 16, width: 16, channels: 1 });
    expect(larger.test?.images.count).toBe(12);
  });

  test('takes from a table which images are labelled; all others are pile', async () => {
    const table = join(folder, 'labels.csv');
    await fs.writeFile(
      table,
      'file,label\nbar/000.png,10\nedge/001.png,9\ncorner/003.png,10\ncorner/no03.png,9\nelsewhere.png,9\n',
    );
    await using data = await readImages(join(folder, 'pictures'), { cacheFolder, labelTable: table });
    expect(data.train.classNames).toEqual(['9', '10']);
    expect(data.isPartlyLabelled).toBe(true);
    const labels = [...(data.train.labels ?? [])];
    expect(labels.filter((label) => label !== noClass)).toEqual([1, 1, 0]);
    expect([labels[0], labels[7], labels[12]]).toEqual([1, 1, 0]);
    const notes = data.notes.join('\n');
    expect(notes).toContain('gives 3 images a label');
    expect(data.unmatched?.map(({ name, hint }) => [name, hint])).toEqual([
      ['corner/no03.png', 'Is "bar/003.png" meant?'],
      ['elsewhere.png', undefined],
    ]);
    const { rows, ...others } = data.leftOut ?? {};
    expect(rows).toEqual({ table: 'labels.csv', count: 2, names: ['corner/no03.png', 'elsewhere.png'] });
    const { count } = data.train.images;
    expect(others).toEqual({ found: count, unit: 'file', setAside: 0, copies: 0, untested: 0, kinds: [] });
    expect(notes).toContain(
      '1 class has a single image to learn from, which cannot be held back for a check (9).',
    );
  });

  test('keeps a test set apart, learns from val, and leaves out classes that cannot be learned', async () => {
    const path = join(folder, 'parts');
    await writePictures(join(path, 'train'), { counts: { bar: 3, corner: 3 } });
    for (const [part, from] of [
      ['val', 3],
      ['test', 5],
    ] as const) {
      for (const name of ['bar', 'corner'] as const) {
        for (const n of [from, from + 1]) {
          const { default: sharp } = await import('sharp');
          const raw = { width: 32, height: 32, channels: 1 } as const;
          const bytes = await sharp(pictureOf(name, n), { raw }).toColourspace('b-w').png().toBuffer();
          await writeInto(join(path, part, name, `${n}.png`), bytes);
        }
      }
    }
    await writePictures(join(path, 'test'), { counts: { edge: 2 } });
    await using data = await readImages(path, { cacheFolder });
    expect(data.train.classNames).toEqual(['bar', 'corner']);
    expect(data.train.images.count).toBe(10);
    expect(data.test?.images.count).toBe(4);
    const notes = data.notes.join('\n');
    expect(notes).toContain('The 4 images of the part for validation are learned from as well');
    expect(notes).toContain('1 class has no image to learn from (edge): it is left out.');
    expect(notes).toContain('2 test images are of a class that has no image to learn from and are left out');
    expect(data.leftOut).toMatchObject({ found: 16, setAside: 0, copies: 0, untested: 2 });
    const keys = Object.keys(data.checksums);
    expect(keys).toEqual(
      expect.arrayContaining(['fit', 'train', 'train, train/bar', 'test', 'test, test/corner']),
    );
  });

  test('names the classes that are empty, have one image, or none to test with, as they are in the end', async () => {
    const path = join(folder, 'small');
    await writePictures(join(path, 'train'), { counts: { bar: 2, corner: 3 } });
    await writePictures(join(path, 'train'), { counts: { edge: 1 } });
    await fs.copyFile(join(path, 'train/edge/000.png'), join(path, 'train/edge/copy.png'));
    await fs.mkdir(join(path, 'train/empty'));
    await writeInto(join(path, 'train/broken/1.png'), new Uint8Array());
    for (const name of ['bar', 'edge'] as const) {
      const { default: sharp } = await import('sharp');
      const raw = { width: 32, height: 32, channels: 1 } as const;
      await fs.mkdir(join(path, 'test', name), { recursive: true });
      await sharp(pictureOf(name, 9), { raw })
        .png()
        .toFile(join(path, 'test', name, '9.png'));
    }
    await using data = await readImages(path, { cacheFolder });
    const notes = data.notes.join('\n');
    expect(notes).toContain('2 classes have no image to learn from (broken, empty): they are left out.');
    expect(notes).toContain(
      '1 class has a single image to learn from, which cannot be held back for a check (edge).',
    );
    expect(notes).toContain('1 class has no image to test with (corner).');
    expect(data.leftOut).toMatchObject({ found: 10, setAside: 1, copies: 1, untested: 0 });
    expect(data.leftOut?.kinds).toMatchObject([{ reason: 'empty file', names: ['train/broken/1.png'] }]);
    const table = join(folder, 'nested.csv');
    await fs.writeFile(table, 'file,label\ntrain/bar/000.png,x\ntrain/corner/001.png,y\n');
    await using labelled = await readImages(path, { cacheFolder, labelTable: table });
    // What the folders are called says nothing then.
    expect(labelled.notes.join('\n')).not.toMatch(/broken|empty/);
  });

  test('tells other data by its checksums, the folder that differs before all', async () => {
    const path = join(folder, 'changed');
    await writePictures(path, { counts: { bar: 3, corner: 3 } });
    const checksumsNow = async () => {
      await using data = await readImages(path, { cacheFolder });
      return data.checksums;
    };
    const before = await checksumsNow();
    expect(await checksumsNow()).toEqual(before);
    await fs.rename(join(path, 'corner/002.png'), join(path, 'bar/x.png'));
    const after = await checksumsNow();
    expect(after.train).not.toBe(before.train);
    expect(after['train, bar']).not.toBe(before['train, bar']);
    await fs.rename(join(path, 'bar/x.png'), join(path, 'corner/002.png'));
    expect(await checksumsNow()).toEqual(before);
  });

  test('sets aside what is no picture, and refuses a folder of test images alone', async () => {
    const path = join(folder, 'junk');
    await writePictures(path, { counts: { bar: 3, corner: 3 } });
    const whole = await fs.readFile(join(path, 'bar/000.png'));
    await fs.writeFile(join(path, 'bar/cut.png'), whole.subarray(0, whole.length / 2));
    await fs.writeFile(join(path, 'bar/page.jpg'), '<!doctype html><html></html>');
    await using data = await readImages(path, { cacheFolder });
    expect(data.train.images.count).toBe(6);
    expect(data.skipped.map(({ name }) => name).sort()).toEqual(['bar/cut.png', 'bar/page.jpg']);
    await expect(readImages(path, { cacheFolder, strict: true })).rejects.toThrow(/bar\/cut\.png/);
    await expect(readImages(join(folder, 'nowhere'), { cacheFolder })).rejects.toThrow('no such file');
  });
});
