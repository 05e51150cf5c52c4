import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { zipOf } from '../../test/support/archives.js';
import {
  glyph,
  glyphAt,
  glyphClasses,
  glyphPng,
  glyphSize,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import { filesBelow } from '../../test/support/picture-folder.js';
import { idx } from '../../test/support/tiny-data.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { mergePredictions, type PredictToFileOptions, predictToFile } from './predict-to-file.node.js';
import type { TableKind } from './prediction-table.node.js';

let folder: string;
let out: string;
let classifier: LoadedClassifier;
let paths: string[];

const put = (name: string, content: Uint8Array | string) => fs.writeFile(join(folder, name), content);
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-to-file-'));
  classifier = await loadGlyphClassifier();
  const png = (i: number) => glyphPng(glyphAt(i));
  await put('single.png', await png(2));
  await put('cut.png', (await png(2)).subarray(0, 60));
  await fs.mkdir(at('scans/inner'), { recursive: true });
  for (let i = 0; i < 20; i++) {
    await put(`scans/${i < 10 ? '' : 'inner/'}${String(i % 10).padStart(2, '0')}, a.png`, await png(i));
  }
  await put('scans/broken.png', 'no picture');
  await put('scans/empty.png', '');
  const members = await Promise.all(
    Array.from({ length: 15 }, async (_, i) => ({ name: `cats/${i + 10}.png`, content: await png(i) })),
  );
  await put('some.zip', zipOf(members.map(({ name, content }) => ({ name, data: content }))));
  await put(
    'rows.idx',
    idx([40, glyphSize, glyphSize], Buffer.concat(Array.from({ length: 40 }, (_, i) => glyph(glyphAt(i))))),
  );
  paths = ['single.png', 'cut.png', 'scans', 'some.zip', 'missing.zip', 'rows.idx'].map(at);
});
afterAll(async () => {
  await classifier.release();
  await fs.rm(folder, { recursive: true });
});

/** 1 picture, 20 of the folder, 15 of the archive, 40 rows; set aside: 1 cut, 2 of the folder, 1 missing. */
const counts = { rows: 76, skipped: 4 };

let outs = 0;
beforeEach(async () => {
  const own = at(`out-${outs++}`);
  await fs.mkdir(own);
  out = join(own, 'answers.csv');
});

const sha = 'a'.repeat(64);
const predict = (options: Partial<PredictToFileOptions> = {}, model: LoadedClassifier = classifier) =>
  predictToFile(model, paths, { out, kind: 'csv', modelSha256: sha, batchSize: 8, ...options });

const rowsOf = async (path = out) =>
  parse(await fs.readFile(path), { columns: true }) as Record<string, string>[];

describe('a table', () => {
  test('has a row for each picture, in the order of the inputs, and leaves nothing beside it', async () => {
    const summary = await predict();
    expect(summary).toMatchObject(counts);
    const rows = await rowsOf();
    const local = rows.map(
      ({ file, index }) => `${file}`.replace(`${folder}/`, '') + (index && `[${index}]`),
    );
    expect(local).toEqual([
      'single.png',
      ...Array.from({ length: 10 }, (_, i) => `scans/0${i}, a.png`),
      ...Array.from({ length: 10 }, (_, i) => `scans/inner/0${i}, a.png`),
      ...Array.from({ length: 15 }, (_, i) => `some.zip/cats/${i + 10}.png`),
      ...Array.from({ length: 40 }, (_, i) => `rows.idx[${i}]`),
    ]);
    expect(rows.map(({ label }) => label)).toEqual(
      [[2], [...Array(20).keys()], [...Array(15).keys()], [...Array(40).keys()]].flat().map(glyphAt),
    );
    expect((await fs.readdir(join(out, '..'))).sort()).toEqual(['answers.csv', 'answers.csv.skipped.csv']);
    const skipped = await rowsOf(`${out}.skipped.csv`);
    expect(skipped.map(({ file = '' }) => file.replace(`${folder}/`, '')).sort()).toEqual([
      ...['cut.png', 'missing.zip', 'scans/broken.png', 'scans/empty.png'],
    ]);
    expect(summary.skippedFile).toBe(`${out}.skipped.csv`);
    expect(summary.skippedKinds).toHaveLength(4);
    const shown = rows.map(({ label }) => label);
    for (const name of glyphClasses)
      expect(summary.classCounts.get(name)).toBe(shown.filter((label) => label === name).length);
  });

  test('says the same in every format', async () => {
    const asked = { probabilities: true, unsure: 0.95 };
    const made = async (kind: TableKind) => {
      const path = `${out}.${kind}`;
      await predict({ ...asked, kind, out: path });
      return fs.readFile(path);
    };
    const csv = parse(await made('csv'), { columns: true }) as Record<string, string>[];
    const lines = (await made('jsonl'))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const json = JSON.parse((await made('json')).toString());
    const bytes = await made('parquet');
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const parquet = await parquetReadObjects({ file: file as ArrayBuffer });
    expect(lines).toHaveLength(counts.rows);
    for (const [i, line] of lines.entries()) {
      const { file: name, index, label, probability, unsure, probabilities } = line;
      const all = Object.fromEntries(glyphClasses.map((k) => [`p_${k}`, probabilities[k]]));
      const singles = Object.fromEntries(Object.entries(all).map(([key, p]) => [key, Math.fround(p)]));
      expect(parquet[i]).toEqual({
        file: name,
        index,
        label,
        probability: Math.fround(probability),
        unsure,
        ...singles,
      });
      expect(csv[i]).toEqual({
        ...{ file: name, index: index === null ? '' : `${index}`, label, probability: `${probability}` },
        ...{
          unsure: `${unsure}`,
          ...Object.fromEntries(Object.entries(all).map(([key, p]) => [key, `${p}`])),
        },
      });
      expect(json[i]).toEqual(line);
      expect(unsure).toBe(probability < 0.95);
    }
  });

  test('is not written over, unless that is asked for', async () => {
    await put(out.slice(folder.length + 1), 'mine');
    await expect(predict()).rejects.toMatchObject({
      code: 'usage',
      message: `${out}: expected the name of a new file. Received: one that is there.`,
    });
    expect(await fs.readdir(join(out, '..'))).toEqual(['answers.csv']);
    await predict({ overwrite: true });
    expect(await rowsOf()).toHaveLength(counts.rows);
  });
});

describe('a prediction that was killed', () => {
  const journal = () => join(`${out}.partial`, 'journal.jsonl');
  /** All that a process writes, and the table that comes of it. */
  async function whole(options: Partial<PredictToFileOptions> = {}) {
    let bytes: Uint8Array = new Uint8Array();
    const path = `${out}.whole`;
    const reading = { ...options, out: path };
    await predict({ ...reading, kind: 'part' });
    bytes = await fs.readFile(path);
    await fs.rm(path);
    await predict(reading);
    return {
      bytes,
      table: await fs.readFile(path, 'utf8'),
      skipped: await fs.readFile(`${path}.skipped.csv`, 'utf8'),
    };
  }

  test('goes on wherever it was cut off, without a lost or doubled row', async () => {
    const { bytes, table, skipped } = await whole({ probabilities: true });
    const cuts = 12;
    for (let i = 0; i <= cuts; i++) {
      await fs.mkdir(`${out}.partial`);
      await fs.writeFile(journal(), bytes.subarray(0, Math.round((bytes.length * i) / cuts)));
      let asked = 0;
      await predict(
        { probabilities: true },
        {
          ...classifier,
          classify: (images, options) => {
            asked += images.count;
            return classifier.classify(images, options);
          },
        },
      );
      expect(await fs.readFile(out, 'utf8')).toBe(table);
      expect(await fs.readFile(`${out}.skipped.csv`, 'utf8')).toBe(skipped);
      if (i === cuts) expect(asked).toBe(0);
      if (i > cuts / 2) expect(asked).toBeLessThan(counts.rows * 0.8);
      await fs.rm(out);
    }
  });

  test('goes on behind what is damaged', async () => {
    const { bytes, table } = await whole();
    const damaged = Buffer.from(bytes);
    damaged.fill(0, Math.round(bytes.length * 0.6), Math.round(bytes.length * 0.7));
    await fs.mkdir(`${out}.partial`);
    await fs.writeFile(journal(), damaged);
    await predict();
    expect(await fs.readFile(out, 'utf8')).toBe(table);
  });

  test('or stopped keeps what it knows', async () => {
    const controller = new AbortController();
    let batches = 0;
    const reason = new Error('enough');
    const stopped = predict({
      signal: controller.signal,
      onBatch: () => {
        if (++batches === 4) controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    const begun: unknown[] = [];
    const summary = await predict({ onBegin: (each) => begun.push(each) });
    expect(begun).toMatchObject([{ rows: 4 * 8 - 2 }]);
    expect(summary).toMatchObject(counts);
    expect(await rowsOf()).toHaveLength(counts.rows);
  });

  test.each([
    ['another model', { modelSha256: 'b'.repeat(64) }, 'another model'],
    ['another option', { limit: 3 }, '--limit none, not 3'],
    ['all probabilities', { probabilities: true }, '--probabilities none, not given'],
  ])('is not gone on with for %s', async (_, options, difference) => {
    const { bytes } = await whole();
    await fs.mkdir(`${out}.partial`);
    await fs.writeFile(journal(), bytes.subarray(0, bytes.length / 2));
    await expect(predict(options)).rejects.toMatchObject({
      code: 'usage',
      message: `${out}: expected the model, inputs and options that it was begun with. Received: what was begun has ${difference}.`,
      hint: expect.stringContaining('--overwrite'),
    });
    expect(await fs.readFile(journal())).toHaveLength(bytes.length / 2);
    await predict({ ...options, overwrite: true });
    expect((await rowsOf()).length).toBeGreaterThan(0);
  });

  test('is not gone on with where a folder holds other pictures', async () => {
    const { bytes } = await whole();
    await fs.mkdir(`${out}.partial`);
    const lines = Buffer.from(bytes).toString().split('\n').slice(0, 3);
    await fs.writeFile(journal(), `${lines.join('\n')}\n`);
    await fs.copyFile(at('single.png'), at('scans/00.png'));
    try {
      await expect(predict()).rejects.toThrow(
        `${at('scans')}: expected the pictures that it held when ${out} was begun. Received: others (21 then, 22 now).`,
      );
    } finally {
      await fs.rm(at('scans/00.png'));
    }
    await predict();
    expect(await rowsOf()).toHaveLength(counts.rows);
  });
});

describe('sorted', () => {
  const sortInto = () => ({ folder: join(out, '../sorted') });

  test('pictures lie in a folder for each class, whatever they come from, under names of their own', async () => {
    await predict({ sortInto: sortInto() });
    const files = await filesBelow(sortInto().folder);
    expect(Object.keys(files)).toHaveLength(counts.rows);
    for (const [name, of] of [
      ['7/single.png', 'single.png'],
      ['1/00, a.png', 'scans/00, a.png'],
      ['3/00, a.png', 'scans/inner/00, a.png'],
    ] as const) {
      expect(Buffer.from(files[name] ?? []).equals(await fs.readFile(at(of))), name).toBe(true);
    }
    const { data } = await sharp(files['3/rows.idx-1.png'])
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(new Uint8Array(data)).toEqual(glyph('3'));
  });

  test('names that are taken get a number, and nothing is lost', async () => {
    const { folder: into } = sortInto();
    await fs.mkdir(join(into, '7'), { recursive: true });
    await fs.writeFile(join(into, '7/single.png'), 'mine');
    paths = [at('single.png'), at('single.png'), ...paths];
    try {
      await predict({ sortInto: sortInto() });
    } finally {
      paths = paths.slice(2);
    }
    const names = Object.keys(await filesBelow(join(into, '7'))).filter((name) => name.startsWith('single'));
    expect(names.sort()).toEqual(['single-2.png', 'single-3.png', 'single-4.png', 'single.png']);
    expect(await fs.readFile(join(into, '7/single.png'), 'utf8')).toBe('mine');
  });

  test('links where that is asked for', async () => {
    await predict({ sortInto: { ...sortInto(), link: true } });
    const [link, own] = await Promise.all([
      fs.stat(join(sortInto().folder, '7/single.png')),
      fs.stat(at('single.png')),
    ]);
    expect(link.ino).toBe(own.ino);
  });

  test('what a killed process left undone is done, once', async () => {
    const { folder: into } = sortInto();
    await predict({ sortInto: sortInto(), kind: 'part' });
    const expected = await filesBelow(into);
    const lines = (await fs.readFile(out, 'utf8')).split('\n');
    for (const kept of [2, 4, 7, 10]) {
      await fs.rm(out);
      await fs.mkdir(`${out}.partial`);
      await fs.writeFile(join(`${out}.partial`, 'journal.jsonl'), `${lines.slice(0, kept).join('\n')}\n`);
      const known = lines.slice(1, kept).flatMap((line) => JSON.parse(line).rows as { sortedTo: string }[]);
      // Of the last batch a part was copied; of what comes behind nothing.
      const copied = new Set(known.slice(0, -3).map(({ sortedTo }) => sortedTo));
      for (const name of Object.keys(expected)) if (!copied.has(name)) await fs.rm(join(into, name));
      await predict({ sortInto: sortInto(), kind: 'part' });
      expect(await filesBelow(into)).toEqual(expected);
    }
  });

  test('a folder within the inputs is refused', async () => {
    await expect(predict({ sortInto: { folder: at('scans/sorted') } })).rejects.toThrow(
      'expected a folder outside of what is classified',
    );
  });
});

describe('parts of several processes', () => {
  const shards = (count: number) => Array.from({ length: count }, (_, i) => ({ number: i + 1, count }));
  const partAt = (number: number) => `${out}-${number}.part`;
  const predictParts = async (count: number) => {
    for (const shard of shards(count)) await predict({ shard, out: partAt(shard.number), kind: 'part' });
    return shards(count).map(({ number }) => partAt(number));
  };

  test.each([1, 3])('%i of them make the table of one', async (count) => {
    await predict({ out: `${out}.one` });
    const parts = await predictParts(count);
    expect(await mergePredictions(parts.reverse(), { out, kind: 'csv' })).toMatchObject(counts);
    const digits = (rows: Record<string, string>[]) =>
      rows.map(({ probability, ...row }) => ({ ...row, probability: Number(probability).toFixed(5) }));
    expect(digits(await rowsOf())).toEqual(digits(await rowsOf(`${out}.one`)));
    const sorted = async (path: string) => (await fs.readFile(path, 'utf8')).split('\r\n').sort();
    expect(await sorted(`${out}.skipped.csv`)).toEqual(await sorted(`${out}.one.skipped.csv`));
  });

  test('what is missing, twice, not done or of another prediction is refused', async () => {
    const parts = await predictParts(3);
    const merged = (given: readonly string[]) => mergePredictions(given, { out, kind: 'csv' });
    const [one = '', two = '', three = ''] = parts;
    await expect(merged([one, three])).rejects.toThrow('Received: 2; of --shard 2/3 there is none.');
    await expect(merged([one, two, two, three])).rejects.toThrow('expected each part once');
    await expect(merged([one, two, join(folder, 'none.part')])).rejects.toThrow('or no such file.');
    await expect(merged([one, two, at('rows.idx')])).rejects.toThrow(
      'rows.idx: expected a part of a prediction. Received: something else',
    );
    const lines = (await fs.readFile(two, 'utf8')).trimEnd().split('\n');
    await fs.writeFile(two, `${lines.slice(0, -1).join('\n')}\n`);
    await expect(merged(parts)).rejects.toThrow(`${two}: expected a part that is done.`);
    await fs.writeFile(two, `${[lines[0], ...lines.slice(2)].join('\n')}\n`);
    await expect(merged(parts)).rejects.toThrow(/expected \d+ pictures in all parts together/);
    await predict({ shard: { number: 2, count: 3 }, limit: 2, out: two, kind: 'part', overwrite: true });
    await expect(merged(parts)).rejects.toThrow('Received: one that has --limit 2, not none.');
    await expect(fs.stat(out)).rejects.toThrow('ENOENT');
  });

  test('a picture stays in its part when others are added', async () => {
    const filesOf = async (path: string) =>
      [...(await fs.readFile(path, 'utf8')).matchAll(/"file":"([^"]+)"/g)].map(([, file]) => file);
    const before = await filesOf((await predictParts(2))[0] ?? '');
    await fs.copyFile(at('single.png'), at('scans/00.png'));
    try {
      await predict({ shard: { number: 1, count: 2 }, out: partAt(3), kind: 'part' });
    } finally {
      await fs.rm(at('scans/00.png'));
    }
    const after = await filesOf(partAt(3));
    expect(after.filter((file) => !file?.endsWith('scans/00.png'))).toEqual(before);
  });
});
