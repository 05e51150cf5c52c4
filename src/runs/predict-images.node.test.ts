import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf, zipOf } from '../../test/support/archives.js';
import {
  glyph,
  glyphAt,
  glyphPng,
  glyphSize,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import { npy, npz } from '../../test/support/npz.js';
import { parquet } from '../../test/support/parquet.js';
import { idx } from '../../test/support/tiny-data.js';
import { decodeImage } from '../data/image-decode.node.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { preprocessingFor } from '../model/preprocessing.js';
import { classifyPictures } from './classify-pictures.node.js';
import { predictImages } from './predict-images.node.js';

let folder: string;
let classifier: LoadedClassifier;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-predict-images-'));
  classifier = await loadGlyphClassifier();
});
afterAll(async () => {
  await classifier.release();
  await fs.rm(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const local = (text: string) => text.replace(`${folder}/`, '');
const png = (i: number) => glyphPng(glyphAt(i));

async function predicted(names: readonly string[], options = {}): Promise<string[]> {
  const said: string[] = [];
  for await (const each of predictImages(classifier, names.map(at), options)) {
    const name = local(each.file) + (each.index === undefined ? '' : `[${each.index}]`);
    said.push(`${name} ${'skipped' in each ? each.skipped.reason : each.label}`);
  }
  return said;
}

test('a picture is fitted as the classifier says that its own were', async () => {
  const pixels = Uint8Array.from({ length: 80 * 40 }, (_, i) => (i % 80) * 3);
  const raw = { width: 80, height: 40, channels: 1 } as const;
  const bytes = await sharp(pixels, { raw }).toColourspace('b-w').png().toBuffer();
  const size = { height: 28, width: 28, channels: 1 };
  for (const fit of ['contain', 'cover', 'stretch'] as const) {
    const model = { ...classifier, preprocessing: preprocessingFor(size, { meanBrightness: 33, fit: fit }) };
    const expected = await decodeImage('wide.png', bytes, size, { fit });
    const picture = { name: 'wide.png', read: async () => ({ kind: 'file', bytes }) as const };
    for await (const [seen] of classifyPictures(model, [picture])) {
      expect(seen && 'fitted' in seen && seen.fitted.pixels).toEqual(expected.pixels);
    }
  }
});

describe('whatever pictures lie in', () => {
  const rows = [0, 1, 2, 3];
  const pixels = Buffer.concat(rows.map((i) => glyph(glyphAt(i))));
  const shape = [rows.length, glyphSize, glyphSize];
  const named = rows.map((i) => `cats/${i}.png`);

  beforeAll(async () => {
    const members = await Promise.all(named.map(async (name, i) => ({ name, data: await png(i) })));
    await fs.mkdir(at('photos/cats'), { recursive: true });
    for (const { name, data } of members) await fs.writeFile(at(`photos/${name}`), data);
    await fs.writeFile(at('photos/notes.txt'), 'x');
    await fs.writeFile(at('photos.zip'), zipOf(members));
    const tar = tarOf(members.map(({ name, data }) => ({ name, data })));
    await fs.writeFile(at('photos.tar'), tar);
    await fs.writeFile(at('photos.tgz'), gzipSync(tar));
    await fs.writeFile(at('rows.idx'), idx(shape, pixels));
    await fs.writeFile(at('rows-packed'), gzipSync(idx(shape, pixels)));
    const array = npy('|u1', shape, pixels);
    await fs.writeFile(at('rows.npy'), array);
    await fs.writeFile(at('rows.npz'), npz({ train_images: array, test_images: array }));
    await fs.writeFile(
      at('rows.parquet'),
      parquet(
        members.map(({ data }) => data),
        rows.map(() => 0),
      ),
    );
    await fs.mkdir(at('mnist'));
    await fs.writeFile(at('mnist/t10k-images-idx3-ubyte'), idx(shape, pixels));
    await fs.writeFile(at('mnist/t10k-labels-idx1-ubyte'), idx([4], Uint8Array.of(1, 3, 7, 1)));
  });

  const each = (names: readonly string[]) => names.map((name, i) => `${name} ${glyphAt(i)}`);
  const ofRows = (file: string) => each(rows.map((i) => `${file}[${i}]`));

  test.each([
    ['photos', each(named.map((name) => `photos/${name}`))],
    ['photos.zip', each(named.map((name) => `photos.zip/${name}`))],
    ['photos.tar', each(named.map((name) => `photos.tar/${name}`))],
    ['photos.tgz', each(named.map((name) => `photos.tgz/${name}`))],
    ['rows.idx', ofRows('rows.idx')],
    ['rows-packed', ofRows('rows-packed')],
    ['rows.npy', ofRows('rows.npy')],
    ['rows.npz', [...ofRows('rows.npz/train_images'), ...ofRows('rows.npz/test_images')]],
    ['rows.parquet', ofRows('rows.parquet')],
    ['mnist', ofRows('mnist/t10k-images-idx3-ubyte')],
  ])('%s: they come with names that tell where they are', async (name, expected) => {
    expect(await predicted([name])).toEqual(expected);
    expect(await predicted([name, name], { batchSize: 3 })).toEqual([...expected, ...expected]);
    if (!name.endsWith('npz')) {
      expect(await predicted([name], { limit: 3 })).toEqual(expected.slice(0, 3));
    }
  });

  test('an IDX file of another size is refused, an array in a data set is fitted', async () => {
    const large = Uint8Array.from({ length: 2 * 32 * 32 }, (_, i) => i % 251);
    await fs.writeFile(at('large.idx'), idx([2, 32, 32], large));
    await fs.writeFile(at('large.npy'), npy('|u1', [2, 32, 32], large));
    expect(await predicted(['large.idx'])).toEqual(['large.idx file that cannot be read']);
    expect(await predicted(['large.npy'])).toHaveLength(2);
  });

  test('what cannot be opened is named in its place, and the rest goes on', async () => {
    await fs.writeFile(at('cut.zip'), (await fs.readFile(at('photos.zip'))).subarray(0, 100));
    await fs.mkdir(at('nothing'));
    expect(await predicted(['rows.idx', 'cut.zip', 'nothing', 'none.png'], { batchSize: 2 })).toEqual([
      expect.stringContaining('cut.zip'),
      expect.stringContaining('nothing'),
      ...ofRows('rows.idx'),
      'none.png file that cannot be read',
    ]);
  });
});
