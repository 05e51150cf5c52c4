import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DataFlags, readingOf } from './data-options.js';
import { isLabelTable, labelsInData, withLabelTable } from './labels-file.js';
import { labelColumns } from './option-values.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-labels-'));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

test.each([
  ['labels.csv', 'file,label\na.png,cat\n', true],
  ['labels.tsv', 'file\tlabel\na.png\tcat\n', true],
  ['labels.jsonl', '{"file":"a.png","label":"cat"}\n', true],
  ['rows.json', '[{"file":"a.png","label":"cat"}]', true],
  ['map.json', '{"a.png":"cat"}', true],
  ['labels.txt', 'a.png,cat\n', true],
  ['labels.json', '{"images":[{"index":1,"label":"cat"}]}', false],
  ['marked.json', '\uFEFF{"images":[]}', false],
  ['broken.json', '{"images":[', false],
  ['words.json', 'a.png,cat\n', false],
])('%s is told from other labels by its content', async (name, text, expected) => {
  await fs.writeFile(join(folder, name), text);
  expect(await isLabelTable(join(folder, name))).toBe(expected);
});

test('a table takes the place of a labels file among the flags', async () => {
  const labels = join(folder, 'labels.csv');
  expect(await withLabelTable({ labels, seed: 3 })).toEqual({ labelTable: labels, seed: 3 });
  await expect(withLabelTable({ labels, labelTable: '/other.csv' })).rejects.toThrow(
    /expected the JSON that suggest writes beside --label-table\. Received: another table\./,
  );
  expect(await withLabelTable({ labels: join(folder, 'nothing.json') })).toEqual({
    labels: join(folder, 'nothing.json'),
  });
});

test('columns are named for a table, by name or place', async () => {
  expect(labelColumns('file=my photo,label=3')).toEqual({ fileColumn: 'my photo', labelColumn: 3 });
  expect(labelColumns('label=kind')).toEqual({ labelColumn: 'kind' });
  for (const wrong of ['kind', 'file=a,file=b', 'file=', 'file=a,b', 'name=a']) {
    expect(() => labelColumns(wrong)).toThrow(
      '--label-columns: expected file=<column>,label=<column>, or one of them. Received:',
    );
  }
  const columns = { labelColumns: { labelColumn: 'kind' } };
  await expect(withLabelTable(columns)).rejects.toThrow(
    /expected a table of labels beside it\. Received: none/,
  );
  const labels = join(folder, 'labels.csv');
  expect(await withLabelTable({ labels, ...columns })).toEqual({ labelTable: labels, ...columns });
});

test('a run keeps the columns of its table, and of no other one', () => {
  const config = { reading: { labelTable: '/a.csv', table: { fileColumn: 'photo', labelColumn: 3 } } };
  const columnsOf = (flags: DataFlags, isOther = false) => readingOf(flags, config, isOther).table;
  expect(columnsOf({})).toEqual({ fileColumn: 'photo', labelColumn: 3 });
  expect(columnsOf({ labelTable: '/a.csv' })).toEqual({ fileColumn: 'photo', labelColumn: 3 });
  expect(columnsOf({ labelColumns: { labelColumn: 'kind' } })).toEqual({
    fileColumn: 'photo',
    labelColumn: 'kind',
  });
  expect(columnsOf({ labelTable: '/b.csv' })).toBeUndefined();
  expect(columnsOf({}, true)).toBeUndefined();
});

test('labels in the data are those of the images that have one', () => {
  const classNames = ['cat', 'dog'];
  const images = {
    name: 'pets',
    count: 4,
    height: 8,
    width: 8,
    channels: 1,
    read: () => Promise.reject(new Error('unread')),
  };
  expect(labelsInData({ images, labels: Int32Array.of(1, -1, 0, -1), classNames })).toEqual({
    data: null,
    images: [
      { index: 0, label: 'dog' },
      { index: 2, label: 'cat' },
    ],
  });
});
