import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zip } from '../../test/support/npz.js';
import { filesBelow, writePictures } from '../../test/support/picture-folder.js';
import { hashImages } from '../data/image-hash.js';
import { readLabelTable } from '../labels/label-table.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { settingsFor } from '../recipes/presets.js';
import { suggest } from '../recipes/suggest.js';
import { readImages } from '../runs/read-images.node.js';
import { createNodeRuntime } from '../runtime/node.js';
import { MemoryStore } from '../store/checkpoint.js';
import { readLabelsFile, writeLabelsFile } from './labels-file.js';
import { assertWritable, labelsSoFar, writeSuggested } from './suggested-labels.js';

let folder: string;
const at = (name: string) => join(folder, name);
const text = (name: string) => fs.readFile(at(name), 'utf8');
const cacheFolder = () => at('cache');

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-rounds-'));
  await writePictures(at('photos'), { counts: { bar: 14, corner: 16, edge: 10 } });
  // Three files that are copies of others.
  for (const n of [1, 2, 3]) {
    await fs.copyFile(at(`photos/edge/00${n}.png`), at(`photos/edge/copy of 00${n}.png`));
  }
  await fs.writeFile(at('photos.zip'), zip(await filesBelow(at('photos'))));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

/** One round, as the command does it. */
async function round(source: string, names: { labels?: string; out: string }, count: number) {
  const isTable = names.labels?.endsWith('v') ?? false;
  const labelTable = isTable ? at(names.labels ?? '') : undefined;
  await using data = await readImages(at(source), { labelTable, cacheFolder: cacheFolder() });
  const file = isTable || names.labels === undefined ? undefined : at(names.labels);
  const places = { out: at(names.out), file, table: labelTable, force: false };
  await assertWritable(places);
  // Without a table, the folders' names would be labels.
  const bare = { ...data, train: { ...data.train, labels: undefined, classNames: [] } };
  const seen = isTable ? data : bare;
  const labels = (await labelsSoFar(places, seen)) ?? null;
  const given = { settings: { ...settingsFor('quick'), labels }, data: seen, store: new MemoryStore() };
  const located = await withLocatedLabels({
    ...given,
    runtime: await createNodeRuntime({ device: 'cpu', threads: 1 }),
  });
  const suggestions = await suggest(located, { count });
  const fileOf = (index: number) => data.parts?.train[index]?.name;
  await writeSuggested(places, { located, suggestions, fileOf });
  const all = [...suggestions.labelled, ...suggestions.images.map(({ index }) => index)];
  return { all, hashes: await hashImages(data.train.images, all) };
}

/** Fills in the class of the first few rows that have none. */
async function fillIn(name: string, most: number): Promise<string> {
  let left = most;
  const filled = (await text(name)).replace(/^(\w+)(\/[^,\n]*),(?=\r?$)/gm, (row, kind) =>
    left-- > 0 ? `${row}${kind}` : row,
  );
  await fs.writeFile(at(name), filled);
  return filled;
}

describe('rounds of suggestions', () => {
  test.each([
    ['photos', 'a.csv'],
    ['photos.zip', 'b.csv'],
  ])('%s: %s is added to, what stands in it stays, and no picture comes twice', async (source, out) => {
    await round(source, { out }, 6);
    for (const total of [13, 20]) {
      // One is left open, and a person writes a remark.
      const before = `${await fillIn(out, 5)}elsewhere/9.png,bar\r\n`;
      await fs.writeFile(at(out), before);
      const { all, hashes } = await round(source, { labels: out, out }, 6);
      expect((await text(out)).startsWith(before)).toBe(true);
      expect(readLabelTable(out, await fs.readFile(at(out))).rows).toHaveLength(total);
      expect(new Set(all).size).toBe(all.length);
      expect(new Set(hashes).size).toBe(all.length);
      expect(all).toHaveLength(total - (total === 13 ? 1 : 2));
    }
    const files = readLabelTable(out, await fs.readFile(at(out))).rows.map(({ file }) => file);
    expect(new Set(files.filter((file) => !file.startsWith('elsewhere'))).size).toBe(18);
    // Nothing is left of 40 pictures but 22.
    const { all } = await round(source, { labels: out, out }, 100);
    expect(all).toHaveLength(40);
  });

  test('a new table has all that the old one has, and the old one stays', async () => {
    const old = 'id;file;class;who\n1;edge/000.png;edge;me\n2;copy of 001.png;;\n3;bar/000.png;bar;you\n';
    await fs.writeFile(at('old.csv'), old);
    const { all } = await round('photos', { labels: 'old.csv', out: 'new.csv' }, 2);
    expect(await text('old.csv')).toBe(old);
    expect(await text('new.csv')).toMatch(
      new RegExp(`^${old.replaceAll(/[.]/g, '\\.')};\\w+/\\w+\\.png;;\n;\\w+/\\w+\\.png;;\n$`),
    );
    // The row without a label names a copy: its picture waits for a label, and is not asked for again.
    expect(all).toHaveLength(5);
  });

  test('a labels file in JSON keeps labels, those still null, and those of images that are not there', async () => {
    await round('photos', { out: 'c.json' }, 3);
    const [first, ...others] = (await readLabelsFile(at('c.json'))).images;
    const elsewhere = { image: '0'.repeat(32), label: 'bar' };
    const images = [{ ...first!, label: 'edge' }, ...others, elsewhere];
    await writeLabelsFile(at('c.json'), { data: null, images });
    await round('photos', { labels: 'c.json', out: 'c.json' }, 3);
    const after = (await readLabelsFile(at('c.json'))).images;
    expect(after.slice(0, 4)).toEqual(images);
    expect(new Set(after.map(({ image }) => image)).size).toBe(7);
  });

  test('labels are never written over, and other kinds of tables never begun', async () => {
    await fs.writeFile(at('kept.csv'), 'file,label\nbar/000.png,bar\n');
    await expect(round('photos', { out: 'kept.csv' }, 1)).rejects.toThrow(/Received: 1 label in it/);
    await expect(round('photos', { out: 'new.tsv' }, 1)).rejects.toThrow(
      /expected a name that ends in \.csv or \.json\. Received: another kind of table/,
    );
  });
});
