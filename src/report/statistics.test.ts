import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { spreadOf, wilsonInterval } from './statistics.js';

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

test.each([
  // The first four: Newcombe 1998, table I, method 3.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
  [29, 29, 0.883, 1],
])('%d of %d lie between these', (found, of, low, high) => {
  const interval = wilsonInterval(found, of);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test('an interval holds what was seen, and 19 of 20 of those of a fair sample hold the truth', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (of, share) => {
        const found = Math.round(share * of);
        const { low, high } = wilsonInterval(found, of);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(found / of);
        expect(high).toBeGreaterThanOrEqual(found / of);
        expect(high).toBeLessThanOrEqual(1);
      },
    ),
  );
  const random = Random.seeded(3);
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const found = Array.from({ length: 100 }, () => random.uniform()).filter((x) => x < 0.93).length;
    const { low, high } = wilsonInterval(found, 100);
    if (low <= 0.93 && 0.93 <= high) held++;
  }
  expect(held / trials).toBeGreaterThan(0.93);
  expect(held / trials).toBeLessThan(0.98);
});

test('nothing seen, nothing known', () => {
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
});
