import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { pythonWith, runPython } from '../../test/support/python.js';
import { sampleClassifier, sampleImages } from '../../test/support/sample-classifier.js';
import { imagesInMemory } from '../data/image-source.js';
import { describeModel } from '../model/describe-model.js';
import { exportClassifier } from '../model/export-model.js';
import { loadClassifier } from '../model/load-classifier.js';
import type { TrainingSummary } from '../model/training-summary.js';
import { createNodeRuntime } from '../runtime/node.js';
import { modelCard } from './model-card.js';

const classNames = ['ant', 'bee', 'a|b*', 'line\nbreak', 'eel'];
const training: TrainingSummary = {
  ...{
    preset: 'quick',
    seed: 12,
    stage: 'selfTrain',
    images: 60_000,
    labels: 100,
    settings: 'ab'.repeat(32),
  },
  test: null,
  estimate: { accuracy: 0.871, low: 0.79, high: 0.92, level: 0.95, heldBack: 100, method: 'three folds' },
  calibration: { temperature: 1.31, heldBack: 100, eceBefore: 0.12, eceAfter: 0.034 },
};
const sample = sampleClassifier('compact', [32, 32, 3]);
const bytes = exportClassifier({
  ...sample,
  classNames,
  training,
  pictureFit: 'cover',
  meanBrightness: 33.3,
  abstention: { threshold: 0.614, accepted: 0.96, low: 0.9, high: 0.984, level: 0.95, heldBack: 100 },
});
const model = describeModel('classifier.onnx', bytes);
const card = modelCard(model, { file: 'classifier.onnx', data: 'my <photos>', sha256: 'cd'.repeat(32) });

describe('a model card', () => {
  test('says what the file says', () => {
    expect(card).toMatch(/^# Classifier of 5 classes of my \\<photos\\>\n\n/);
    for (const said of [
      `| SHA-256 | \`${'cd'.repeat(32)}\` |`,
      '| takes | `images`: uint8 [N, 32, 32, 3], 0–255, red, green, blue; any N |',
      '5, in the order of the probabilities: ant, bee, a\\|b\\*, line break, eel.',
      '60,000 images (my \\<photos\\>), of which 100 had a label. Preset `quick`, seed 12, kept from self-training.',
      '**Estimate:** 87 % right, from 79 to 92 % with 95 % confidence, by 100 labels that were held back (three folds).',
      'a temperature of 1.31, from 100 held-back labels. Their expected calibration error is 3.4 % (12.0 % before).',
      '3. It is scaled until it covers 32×32 (rows × columns), and the middle is taken. Filter: Lanczos.',
      '- It was never tested on images apart from those that it learned from;',
      "- It is unsure of a picture whose largest probability is below 0.61 (the file's `quarterturn.abstention`)",
      'were sure of 96 % of 100 held-back labels.',
      '## Licence\n\nNone is stated here.',
    ]) {
      expect(card).toContain(said);
    }
    expect(card).not.toMatch(/undefined|NaN|\bTest:/);
  });

  test('calls a test a test, and nothing known nothing known', () => {
    const tested = { ...training, estimate: null, test: { accuracy: 0.9, images: 10_000 } };
    const said = modelCard({ ...model, training: tested }, { file: 'm.onnx' });
    expect(said).toContain('**Test:** 90.0 % of 10,000 test images right.');
    expect(said).not.toContain('Estimate');
    const none = { ...training, estimate: null, calibration: null };
    expect(modelCard({ ...model, training: none }, { file: 'm.onnx' })).toMatch(
      /Nobody knows: there was no test set[\s\S]*Calibration:\*\* none[\s\S]*It was never tested\. On pictures/,
    );
    const { training: _t, preprocessing: _p, classNames: _c, ...bare } = model;
    expect(modelCard(bare, { file: 'm.onnx' })).toMatch(
      /5, without names: 0 to 4\.[\s\S]*The file does not say\./,
    );
  });

  test('of a thousand classes names fifty', () => {
    const names = Array.from({ length: 1000 }, (_, k) => `kind ${k}`);
    const said = modelCard({ ...model, classes: 1000, classNames: names }, { file: 'm.onnx' });
    expect(said).toContain('kind 49, and 950 more, which the file names.');
    expect(said).not.toContain('kind 50');
  });
});

const cv2 = await pythonWith('cv2');
const sizes = [
  [28, 28, 1],
  [32, 32, 3],
] as const;
describe.each(sizes)('its OpenCV program for %i×%i×%i', (height, width, channels) => {
  test.each(['cover', 'contain', 'stretch'] as const)(
    '%s: as here, for a picture of that size',
    async (fit) => {
      if (!cv2) return;
      const classifier = sampleClassifier('compact', [height, width, channels]);
      const file = exportClassifier({ ...classifier, classNames, pictureFit: fit });
      const pixels = Uint8Array.from(sampleImages(1, [height, width, channels]).data);
      const picture = await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
      const said = modelCard(describeModel('m.onnx', file), { file: 'm.onnx' });
      const [, program] = /with OpenCV[\s\S]*?```python\n([\s\S]*?)```/.exec(said) ?? [];
      const printed = await runPython(cv2, program ?? '', { 'm.onnx': file, 'picture.png': picture });
      const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
      const loaded = await loadClassifier('m.onnx', file, { runtime });
      const images = imagesInMemory({ name: 'one', pixels, height, width, channels });
      const expected = await loaded.classify(images);
      const [row] = JSON.parse(printed) as number[][];
      expected.forEach((p, k) => {
        expect(row?.[k]).toBeCloseTo(p, 4);
      });
    },
  );
});
