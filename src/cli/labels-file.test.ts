import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { presets } from '../recipes/presets.js';
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

describe('a labels file', () => {
  test('reads back as it was written, one line an image', async () => {
    await writeLabelsFile(file, labels);
    expect(await readLabelsFile(file)).toEqual(labels);
    expect(await fs.readFile(file, 'utf8')).toContain('\n    { "index": 3, "label": null }\n');
  });

  test.each([
    ['no JSON', /expected a labels file\. Received: .*JSON/],
    ['{"images":[{"index":1.5,"label":null}]}', /Received: images\.0\.index: /],
    ['{"image":[]}', /Received: images: .*"image"/],
  ])('refuses %s', async (text, message) => {
    await fs.writeFile(file, text);
    await expect(readLabelsFile(file)).rejects.toThrow(message);
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
