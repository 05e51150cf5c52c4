import { expect, test } from 'vitest';
import { estimateClassShares } from './class-shares.js';

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
