import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  glyph,
  glyphAt,
  glyphClasses,
  glyphSize,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import { filesBelow } from '../../test/support/picture-folder.js';
import { idx } from '../../test/support/tiny-data.js';
import { pictureTraits } from '../data/picture-traits.js';
import { distanceFrom, fitLikeness } from '../model/likeness.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { predictImages } from './predict-images.node.js';
import { mergePredictions, type PredictToFileOptions, predictToFile } from './predict-to-file.node.js';

let folder: string;
let out: string;
let classifier: LoadedClassifier;
/** It says 0.5 of what it takes for a 1, 0.6 of a 3 and 0.7 of a 7, and is unsure below 0.55. */
let unsureOfOnes: LoadedClassifier;
const count = 30;
const ofEach = count / glyphClasses.length;

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-abstention-'));
  classifier = await loadGlyphClassifier();
  unsureOfOnes = {
    ...classifier,
    abstention: { threshold: 0.55, accepted: 0.95, low: 0.9, high: 1, level: 0.95, heldBack: 20 },
    classify: async (images, options) =>
      (await classifier.classify(images, options)).map((p, i) => (p > 0.5 ? 0.5 + 0.1 * (i % 3) : p)),
  };
  const glyphs = Array.from({ length: count }, (_, i) => glyph(glyphAt(i)));
  await fs.writeFile(join(folder, 'rows.idx'), idx([count, glyphSize, glyphSize], Buffer.concat(glyphs)));
});
afterAll(async () => {
  await classifier.release();
  await fs.rm(folder, { recursive: true });
});
let outs = 0;
beforeEach(async () => {
  out = join(folder, `out-${outs++}`, 'answers.csv');
  await fs.mkdir(join(out, '..'));
});

const predict = (options: Partial<PredictToFileOptions> = {}, model = unsureOfOnes) =>
  predictToFile(model, [join(folder, 'rows.idx')], {
    ...{ out, kind: 'csv', modelSha256: 'a'.repeat(64), batchSize: 8 },
    ...options,
  });
const rowsOf = async (path = out) =>
  parse(await fs.readFile(path), { columns: true }) as Record<string, string>[];
const labels = Array.from({ length: count }, (_, i) => glyphAt(i));
const shown = labels.map((label) => (label === '1' ? '' : label));

describe('where the model says when it is unsure', () => {
  test('rows keep their labels and are marked', async () => {
    expect(await predict()).toMatchObject({ unsure: ofEach, unlike: 0 });
    const rows = await rowsOf();
    expect(rows.map(({ label }) => label)).toEqual(labels);
    expect(rows.map(({ unsure }) => unsure)).toEqual(labels.map((label) => `${label === '1'}`));
  });

  test('it may abstain: labels are empty in every format, and counted in none', async () => {
    const { unsure, classCounts } = await predict({ abstain: true });
    expect([unsure, classCounts]).toEqual([
      ofEach,
      new Map([
        ['3', ofEach],
        ['7', ofEach],
      ]),
    ]);
    expect((await rowsOf()).map(({ label }) => label)).toEqual(shown);
    const bytesOf = async (kind: 'json' | 'parquet') => {
      await predict({ abstain: true, kind, out: `${out}.${kind}` });
      return fs.readFile(`${out}.${kind}`);
    };
    const json: { label: string | null }[] = JSON.parse((await bytesOf('json')).toString());
    const { buffer, byteOffset, length } = await bytesOf('parquet');
    const file = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
    for (const rows of [json, await parquetReadObjects({ file })]) {
      expect(rows.map(({ label }) => label)).toEqual(shown.map((label) => label || null));
    }
  });

  test('parts are merged to the same', async () => {
    const parts = [1, 2].map((number) => ({ number, path: `${out}-${number}.part` }));
    for (const { number, path } of parts) {
      await predict({ abstain: true, kind: 'part', out: path, shard: { number, count: 2 } });
    }
    const merged = await mergePredictions(
      parts.map(({ path }) => path),
      { out, kind: 'csv' },
    );
    expect(merged).toMatchObject({ rows: count, unsure: ofEach });
    expect((await rowsOf()).map(({ label }) => label)).toEqual(shown);
  });

  test('nothing is marked where nobody wants it, and more where somebody does', async () => {
    await predict({ unsure: 0 });
    expect(Object.keys((await rowsOf())[0] ?? {})).not.toContain('unsure');
    await predict({ unsure: 0.65, out: `${out}.more` });
    const rows = await rowsOf(`${out}.more`);
    expect(rows.map(({ unsure }) => unsure)).toEqual(labels.map((label) => `${label !== '7'}`));
  });

  test('such pictures have a folder of their own, beside one of a class of that name', async () => {
    const sortInto = { folder: join(out, '../sorted') };
    await predict({ sortInto, abstain: true }, { ...unsureOfOnes, classNames: ['1', 'Unsure', '7'] });
    expect((await fs.readdir(sortInto.folder)).sort()).toEqual(['1', '7', 'Unsure', 'unsure-2']);
    const sizes = await Promise.all(
      ['1', '7', 'Unsure', 'unsure-2'].map(
        async (name) => Object.keys(await filesBelow(join(sortInto.folder, name))).length,
      ),
    );
    expect(sizes).toEqual([0, ofEach, ofEach, ofEach]);
  });

  test('so is a picture that is unlike all that had a label, however sure the model is', async () => {
    const image = { height: glyphSize, width: glyphSize, channels: 1 };
    const traitsOf = (name: (typeof glyphClasses)[number]) => pictureTraits(glyph(name), image);
    const likeness = fitLikeness([traitsOf('1'), traitsOf('3')]);
    const farthest = 1.01 * distanceFrom(likeness, traitsOf('3'));
    const abstention = { ...unsureOfOnes.abstention!, threshold: 0.1, likeness, farthest };
    const model = { ...classifier, abstention };
    expect(await predict({}, model)).toMatchObject({ unsure: ofEach, unlike: ofEach });
    expect((await rowsOf()).map(({ unsure }) => unsure)).toEqual(labels.map((label) => `${label === '7'}`));
    const unlike: boolean[] = [];
    for await (const row of predictImages(model, [join(folder, 'rows.idx')])) {
      unlike.push('unlike' in row);
    }
    expect(unlike).toEqual(labels.map((label) => label === '7'));
  });
});
