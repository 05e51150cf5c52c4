import { expect, test } from 'vitest';
import { estimateClassShares, labelledShares } from './class-shares.js';

/** Densities of classes that do not overlap, of these sizes. */
function apart(sizes: readonly number[]): Float32Array {
  return Float32Array.from(
    sizes
      .flatMap((size, k) => Array.from({ length: size }, () => sizes.map((_, j) => (j === k ? 1 / size : 0))))
      .flat(),
  );
}

test('classes that lie apart have the shares of their images, drawn a little towards even ones', async () => {
  const shares = await estimateClassShares(apart([80, 15, 5]), 3);
  [0.8, 0.15, 0.05].forEach((share, k) => {
    expect(shares[k]).toBeCloseTo((share + 0.1) / 1.3, 4);
  });
});

test('classes that lie at the same places are even, whatever the images', async () => {
  const densities = new Float32Array(4 * 50).fill(1 / 50);
  expect([...(await estimateClassShares(densities, 4))]).toEqual(Array(4).fill(0.25));
});

test('an image that no class reaches says nothing, and no image at all leaves the shares even', async () => {
  const some = apart([30, 10]);
  const with100 = new Float32Array(some.length + 200);
  with100.set(some);
  expect(await estimateClassShares(with100, 2)).toEqual(await estimateClassShares(some, 2));
  expect([...(await estimateClassShares(new Float32Array(20), 2))]).toEqual([0.5, 0.5]);
});

test('the shares are found where the classes overlap', async () => {
  // Points on a line: class 0 lies at 0 … 29, class 1 at 20 … 39; two thirds of what lies in both is of class 0.
  const densities = Float32Array.from(
    Array.from({ length: 40 }, (_, i) => [i < 30 ? 1 / 30 : 0, i >= 20 ? 1 / 20 : 0]).flat(),
  );
  const [first] = await estimateClassShares(densities, 2);
  // The most probable share p of class 0, even shares counting as 12 images more: 26/p − 10/(3 − p) − 16/(1 − p) = 0.
  expect(first).toBeCloseTo(0.595, 2);
});

/** So many labels of each class. */
const labelsOf = (counts: readonly number[]) => counts.flatMap((count, k) => Array<number>(count).fill(k));

test('labels given evenly let expect even shares, and those that are uneven by chance alone do, too', () => {
  const even = labelledShares(labelsOf([25, 25, 25, 25]), 4);
  expect([...even.shares]).toEqual(Array(4).fill(0.25));
  expect(even.weight).toBeCloseTo(0.2, 12);
  // χ² = (3² + 3² + 1² + 1²) / 25 = 0.8, less than 3.
  expect([...labelledShares(labelsOf([28, 22, 26, 24]), 4).shares]).toEqual(Array(4).fill(0.25));
});

test('labels that are uneven beyond chance are believed, the more the farther', () => {
  // χ² = (45² + 15² + 15² + 15²) / 25 = 108, so that a = 1 − 3/108.
  const { shares } = labelledShares(labelsOf([70, 10, 10, 10]), 4);
  const a = 1 - 3 / 108;
  expect(shares[0]).toBeCloseTo((25 + a * 45 + 1) / 104, 12);
  expect(shares[1]).toBeCloseTo((25 - a * 15 + 1) / 104, 12);
  expect(shares.reduce((x, y) => x + y, 0)).toBeCloseTo(1, 12);
});

test('without a label, even shares are expected', () => {
  expect([...labelledShares([], 2).shares]).toEqual([0.5, 0.5]);
});

test('shares that are expected draw the estimate towards them', async () => {
  const prior = { shares: Float64Array.of(0.2, 0.8), weight: 0.5 };
  const [first] = await estimateClassShares(apart([60, 40]), 2, { prior });
  expect(first).toBeCloseTo((0.6 + 0.5 * 0.2) / 1.5, 3);
});
