import { expect, test } from 'vitest';
import type { FoldAnswers } from '../../store/fold-answers.js';
import { wilsonInterval } from '../../train/wilson.js';
import { calibrationFrom, estimateFrom, possibleGain } from './appraise.js';

test('what may be gained is counted where answers differ, by the probabilities of what is kept', () => {
  // Of 100 images, 10 are answered otherwise, each with 0.7 against 0.2.
  const probabilities = Float32Array.from(Array.from({ length: 100 }, () => [0.7, 0.2, 0.1]).flat());
  const sample = Int32Array.from({ length: 100 }, (_, i) => (i < 10 ? 1 : 0));
  const gain = (heldBack: number) => possibleGain(probabilities, [{ sample }, { sample }], heldBack);
  expect(gain(100)).toBeCloseTo(0.05 + Math.sqrt(0.05 / 100), 6);
  // Never more than the share of images on which the two differ.
  expect(gain(1)).toBeCloseTo(0.1, 12);
  expect(possibleGain(probabilities, [{ sample: new Int32Array(100) }], 100)).toBe(0);
  expect(possibleGain(new Float32Array(), [{ sample: new Int32Array() }], 100)).toBe(0);
});

test("the interval is Wilson's, longer at both ends and never beyond 0 and 1", () => {
  const evidence = { summary: { stage: 'scratch', found: 97, of: 100 }, answers: [] };
  const { low, high } = wilsonInterval(97, 100);
  const estimate = (optimism: number, gain: number) => estimateFrom(evidence, { optimism, gain });
  expect(estimate(0, 0)).toMatchObject({ accuracy: 0.97, low, high, level: 0.95, heldBack: 100 });
  expect(estimate(0, 0.004)).toMatchObject({ low, high: high + 0.004 });
  expect(estimate(0.02, 0)).toMatchObject({ accuracy: 0.97, low: wilsonInterval(95, 100).low, high });
  expect(estimate(1, 0.5)).toMatchObject({ low: 0, high: 1 });
});

test('calibration pools all folds, without those that diverged, and lowers their cross-entropy', () => {
  // Three logits apart, and right three times of four: that is 0.95 where 0.75 is due.
  const fold = (number: number): FoldAnswers => ({
    ...{ fold: number, positions: [0, 1, 2, 3], targets: [0, 0, 0, 1], sample: new Int32Array() },
    logits: Float32Array.from([3, 0, 3, 0, 3, 0, 3, 0]),
  });
  const folds = Array.from({ length: 25 }, (_, i) => fold(i));
  const found = calibrationFrom(folds);
  expect(found.heldBack).toBe(100);
  // ln 3 apart is 3 to 1; the prior holds it back a little.
  expect(found.temperature).toBeGreaterThan(2.4);
  expect(found.temperature).toBeLessThan(3 / Math.log(3));
  expect(found.eceBefore).toBeCloseTo(1 / (1 + Math.exp(-3)) - 0.75, 6);
  expect(found.eceAfter).toBeLessThan(0.02);
  expect(found.logLossAfter).toBeLessThan(found.logLossBefore);
  expect(found.bins.reduce((sum, { count }) => sum + count, 0)).toBe(100);
});
