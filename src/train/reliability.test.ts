import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReliabilityTally, reliabilityBins, reliabilityOf } from './reliability.js';

test('the expected calibration error of six answers, by hand', () => {
  // prettier-ignore
  const probabilities = Float32Array.of(
    0.9,
    0.1, // right
    0.95,
    0.05, // wrong
    0.45,
    0.55, // right
    0.4,
    0.6, // wrong
    0.25,
    0.75, // right
    0.3,
    0.7, // without a class
  );
  const { bins, count, expectedCalibrationError } = reliabilityOf(probabilities, [0, 1, 1, 0, 1, -1]);
  expect(count).toBe(5);
  expect(bins.map((bin) => bin.count)).toEqual([0, 0, 0, 0, 0, 2, 0, 1, 1, 1]);
  expect(bins[5]).toMatchObject({ low: 0.5, high: 0.6, accuracy: 0.5 });
  expect(bins[5]?.meanConfidence).toBeCloseTo(0.575, 6);
  // (2·|0.5 − 0.575| + |1 − 0.75| + |1 − 0.9| + |0 − 0.95|) / 5
  expect(expectedCalibrationError).toBeCloseTo((0.15 + 0.25 + 0.1 + 0.95) / 5, 6);
});

test('a confidence on an edge belongs to the range that ends with it', () => {
  for (let edge = 0; edge <= 10; edge++) {
    const tally = new ReliabilityTally();
    tally.add(edge / 10, true);
    expect(tally.result().bins.findIndex(({ count }) => count === 1)).toBe(Math.max(0, edge - 1));
  }
  const tally = new ReliabilityTally();
  tally.add(1.00005, true);
  expect(tally.result().bins.at(-1)).toMatchObject({ count: 1, meanConfidence: 1 });
});

test('nothing counted is an error of 0 and ten empty ranges', () => {
  const empty = reliabilityOf(new Float32Array(), []);
  expect(empty).toMatchObject({ count: 0, expectedCalibrationError: 0 });
  expect(empty.bins).toHaveLength(reliabilityBins);
});

test('every answer is counted once, and the error lies between the gap of the means and 1', () => {
  const answer = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean());
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 200 }), (answers) => {
      const tally = new ReliabilityTally();
      for (const [confidence, isRight] of answers) tally.add(confidence, isRight);
      const { bins, count, expectedCalibrationError } = tally.result();
      expect(count).toBe(answers.length);
      for (const bin of bins.filter((bin) => bin.count > 0)) {
        expect(bin.meanConfidence).toBeGreaterThan(bin.low - 1e-6);
        expect(bin.meanConfidence).toBeLessThan(bin.high + 1e-6);
      }
      const confidence = answers.reduce((sum, [p]) => sum + p, 0) / count;
      const accuracy = answers.filter(([, isRight]) => isRight).length / count;
      expect(expectedCalibrationError).toBeGreaterThanOrEqual(Math.abs(accuracy - confidence) - 1e-9);
      expect(expectedCalibrationError).toBeLessThanOrEqual(1);
    }),
  );
});
