import { describe, expect, test } from 'vitest';
import { sampleClasses, sampleClassifier } from '../../test/support/sample-classifier.js';
import { describeModel } from '../model/describe-model.js';
import { exportClassifier } from '../model/export-model.js';
import type { TrainingSummary } from '../model/training-summary.js';
import { formatModel } from './model.js';

const bytes = exportClassifier({
  ...sampleClassifier('compact', [28, 28, 1]),
  classNames: sampleClasses,
  meanBrightness: 33.3,
});
const described = describeModel('model.onnx', bytes);

describe('what a model is', () => {
  test('is read from its file', () => {
    const { network } = sampleClassifier('compact', [28, 28, 1]);
    const size = ({ shape }: { readonly shape: readonly number[] }) => shape.reduce((a, b) => a * b, 1);
    expect(described).toMatchObject({
      sizeBytes: bytes.length,
      input: 'images',
      output: 'probabilities',
      ...{ height: 28, width: 28, channels: 1, classes: 5, classNames: sampleClasses },
      preprocessing: { colour: 'grey', fit: 'contain', meanBrightness: 33.3 },
    });
    // Normalisation and folded statistics add a few numbers, or take a few away.
    const trained = network.specs.reduce((sum, spec) => sum + size(spec), 0);
    expect(described.parameters / trained).toBeGreaterThan(0.9);
    expect(described.parameters / trained).toBeLessThan(1.1);
    expect(described.operators).toMatchObject({ Cast: 1, Softmax: 1 });
  });

  test('is told in lines of 80 columns', () => {
    const lines = formatModel('model.onnx', described).split('\n');
    expect(lines[1]).toBe('Takes       images: uint8 [N, 28, 28, 1], any number of grey images');
    expect(lines[2]).toBe('Gives       probabilities: float32 [N, 5], a probability for each class');
    expect(lines[3]).toBe('Classes     5: ant, bee, cat, dog, eel');
    expect(lines.slice(4, 6)).toEqual([
      'Pictures    turned upright by EXIF, laid on 0 where transparent, fitted whole',
      '            into a frame of 0, made grey, mean brightness in training 33.3',
    ]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each([80, 40])('fits %i columns, all that the file says of its training included', (columns) => {
    const training: TrainingSummary = {
      ...{ preset: 'quick', seed: 12, stage: 'selfTrain', images: 60_000, labels: 100 },
      test: { accuracy: 0.9928, images: 10_000 },
      estimate: { accuracy: 0.97, low: 0.915, high: 0.99, level: 0.95, heldBack: 100, method: 'three folds' },
      calibration: { temperature: 0.62, heldBack: 100, eceBefore: 0.2, eceAfter: 0.096 },
      settings: 'ab'.repeat(32),
    };
    const abstention = {
      threshold: 0.614,
      accepted: 0.96,
      low: 0.9,
      high: 0.984,
      level: 0.95,
      heldBack: 100,
    };
    const model = { ...described, training, abstention };
    const text = formatModel('runs/five/models/classifier.onnx', model, columns);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    const words = text.replace(/\s+/g, ' ');
    expect(words).toContain(
      'Training 100 labels of 60,000 images, preset quick, seed 12, from self-training,',
    );
    expect(words).toContain('Unsure below a probability of 0.61; not of 96 % of 100 held-back labels');
    expect(words).toContain('99.28 % of 10,000 test images right, estimate 97 % (92 to 99 %)');
    expect(words).toContain('a temperature of 0.62: expected calibration error 9.6 %, settings abababababab');
  });

  test('of a thousand classes with names of any kind still fits', () => {
    const classNames = Array.from({ length: 1000 }, (_, k) => (k === 7 ? 'line\nbreak' : `class ${k}`));
    const lines = formatModel('model.onnx', { ...described, classes: 1000, classNames }).split('\n');
    expect(lines[3]).toMatch(/^Classes {5}1,000: class 0, class 1, /);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
