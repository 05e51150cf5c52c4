import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spreadOf } from './statistics.js';

test('divides the squares by n − 1', () => {
  // Σ(x − 5)² = 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, over 7.
  const { mean, deviation } = spreadOf([2, 4, 4, 4, 5, 5, 7, 9]);
  expect(mean).toBe(5);
  expect(deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
});

test('one value deviates by 0, none has neither', () => {
  expect(spreadOf([0.9])).toEqual({ mean: 0.9, deviation: 0 });
  expect(spreadOf([])).toEqual({ mean: Number.NaN, deviation: Number.NaN });
});

test('moving all values moves the mean and not the deviation', () => {
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 2 }), value, (values, shift) => {
      const before = spreadOf(values);
      const after = spreadOf(values.map((x) => x + shift));
      expect(after.mean).toBeCloseTo(before.mean + shift, 9);
      expect(after.deviation).toBeCloseTo(before.deviation, 9);
    }),
  );
});
