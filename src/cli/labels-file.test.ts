import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLabelTable } from '../labels/label-table.js';
import { writeLabelTable } from '../labels/label-table-file.node.js';
import { presets } from '../recipes/presets.js';
import { MemoryStore } from '../store/checkpoint.js';
import { readLabelRecord } from '../store/label-record.js';
import { assertHoldsNoLabels, readLabelsFile, writeLabelsFile } from './labels-file.js';
import { assertSameLabels, chosenSettings } from './settings.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-labels-'));
  file = join(folder, 'labels.json');
});
afterEach(() => fs.rm(folder, { recursive: true }));

const labels = {
  data: { origin: 'my, {images}', checksums: { 'train-images': 'aa' } },
  images: [
    { index: 12, label: 'a "b": c' },
    { index: 3, label: null },
  ],
};
const blank = { ...labels, images: [{ index: 3, label: null }] };

test('docs/labels.md shows both files as they are', async () => {
  const page = await fs.readFile(join(import.meta.dirname, '../../docs/labels.md'), 'utf8');
  const [written, byHand, kept] = Array.from(page.matchAll(/```json\n(.*?)```/gs), ([, json = '']) => json);
  await fs.writeFile(file, byHand ?? '');
  expect((await readLabelsFile(file)).images).toEqual([{ index: 123, label: '7' }]);
  await fs.writeFile(file, written ?? '');
  const files = new Map<number, string>(
    JSON.parse(written ?? '').images.map((each: { index: number; file: string }) => [each.index, each.file]),
  );
  await writeLabelsFile(file, await readLabelsFile(file), (index) => files.get(index));
  expect(await fs.readFile(file, 'utf8')).toBe(written);
  const store = new MemoryStore();
  await store.writeJson('labels', JSON.parse(kept ?? ''));
  expect((await readLabelRecord(store))?.classNames).toEqual(['seven', 'two']);
});

describe('a labels file', () => {
  test('reads back as it was written, one line an image', async () => {
    await writeLabelsFile(file, labels);
    expect(await readLabelsFile(file)).toEqual(labels);
    expect(await fs.readFile(file, 'utf8')).toContain('\n    { "index": 3, "label": null }\n');
  });

  test.each([
    ['no JSON', /labels\.json: expected a value at line 1, column 1\. Received: "no JSON"\./],
    ['{"images":[\n{"index":1,"label":"7"},\n]}', /expected a value at line 3, column 1\. Received: "\]\}"/],
    ['', /expected a value at line 1, column 1\. Received: its end\./],
    ['[{"index":0,"label":"7"}]', /expected a labels file\. Received: /],
    ['{"images":[{"index":1e300,"label":null}]}', /Received: images\.0\.index: /],
    ['{"images":[{"index":"1","label":null}]}', /Received: images\.0\.index: /],
    ['{"images":[{"index":1.5,"label":null}]}', /Received: images\.0\.index: /],
    ['{"image":[]}', /Received: images: .*"image"/],
  ])('refuses %s', async (text, message) => {
    await fs.writeFile(file, text);
    await expect(readLabelsFile(file)).rejects.toThrow(message);
  });

  test.each([
    ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 without', (text: string) => Buffer.from(text, 'utf16le')],
    ['UTF-16, high byte first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('is read from %s', async (_, encode) => {
    await fs.writeFile(file, encode('{"images":[{"index":0,"label":"Käfer"},{"index":1,"label":7}]}'));
    expect((await readLabelsFile(file)).images).toEqual([
      { index: 0, label: 'Käfer' },
      { index: 1, label: '7' },
    ]);
  });

  test('is refused where it cannot be read', async () => {
    await expect(readLabelsFile(file)).rejects.toThrow(
      `${file}: expected a labels file. Received: no such file.`,
    );
    await expect(readLabelsFile(folder)).rejects.toThrow('Received: a folder.');
    await fs.writeFile(file, Uint8Array.of(0x7b, 0x22, 0xff, 0x22));
    await expect(readLabelsFile(file)).rejects.toThrow('bytes that are neither UTF-8 nor UTF-16');
    await fs.truncate(file, 100_000_001);
    await expect(readLabelsFile(file)).rejects.toThrow(
      '100000001 bytes, more than the 100000000 that are read',
    );
  });

  test('is not written over once it holds labels, nor is any other file', async () => {
    await assertHoldsNoLabels(file);
    await writeLabelsFile(file, blank);
    await assertHoldsNoLabels(file);
    await writeLabelsFile(file, labels);
    await expect(assertHoldsNoLabels(file)).rejects.toThrow('Received: 1 label in it.');
    await fs.writeFile(file, '{"my":"diary"}');
    await expect(assertHoldsNoLabels(file)).rejects.toThrow('Received: another file.');
  });
});

test('a table of labels reads back as it was written, whatever the names, and is not lost', async () => {
  const table = join(folder, 'labels.csv');
  const rows = [
    { file: 'a, "b".png', label: ' two' },
    { file: '=1+1.png', label: '007' },
    { file: 'käfer/ö.png', label: null },
  ];
  await assertHoldsNoLabels(table);
  await writeLabelTable(table, rows);
  const bytes = await fs.readFile(table);
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  const read = readLabelTable(table, bytes).rows.map(({ file, label = null }) => ({ file, label }));
  expect(read).toEqual(rows);
  await expect(assertHoldsNoLabels(table)).rejects.toThrow('Received: 2 labels in it.');
  await writeLabelTable(table, [{ file: 'a.png', label: null }]);
  expect(await fs.readFile(table, 'latin1')).toBe('file,label\r\na.png,\r\n');
  await assertHoldsNoLabels(table);
  await fs.writeFile(table, 'my diary');
  await expect(assertHoldsNoLabels(table)).rejects.toThrow('Received: another file.');
});

describe('--labels', () => {
  beforeEach(() => writeLabelsFile(file, labels));

  test('makes one draw of them, whatever the settings before', async () => {
    const base = { ...presets.quick, draws: 5, labels: blank };
    expect(await chosenSettings({ labels: file }, 'finetune', base)).toEqual({ ...base, draws: 1, labels });
    await expect(chosenSettings({ labels: file, draws: 2 }, 'finetune')).rejects.toThrow('draws: expected 1');
  });

  test('labels per class put given labels aside', async () => {
    const base = { ...presets.quick, labels };
    const settings = await chosenSettings({ labelsPerClass: 3, draws: 4 }, 'finetune', base);
    expect(settings).toEqual({ ...presets.quick, labelsPerClass: 3, draws: 4 });
    expect((await chosenSettings({}, 'finetune', base)).labels).toEqual(labels);
  });

  test('beside --resume they must be those of the run', async () => {
    await assertSameLabels({ labels: file }, { ...presets.quick, labels }, 'runs/a');
    const other = assertSameLabels({ labels: file }, { ...presets.quick, labels: blank }, 'runs/a');
    await expect(other).rejects.toThrow('--resume runs/a: expected the labels that the run began with.');
  });
});
