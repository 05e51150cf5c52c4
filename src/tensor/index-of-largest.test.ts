import { expect, test } from 'vitest';
import { indexOfLargest } from './index-of-largest.js';

test.each([
  [[0.2, 0.5, 0.3], 1],
  [[3, 3, 1], 0],
  [[-5, -2, -3], 1],
  [[-0, 0], 0],
  [[Number.NEGATIVE_INFINITY, -1e30], 1],
  [[1, Number.POSITIVE_INFINITY], 1],
  // A network that has diverged: what is no number wins over none.
  [[Number.NaN, 0.1, 0.9], 2],
  [[0.9, Number.NaN, 0.1], 0],
  [[Number.NaN, Number.NEGATIVE_INFINITY], 1],
  [[Number.NaN, Number.NaN], 0],
  [[], 0],
])('the largest of %j is at %i', (row, index) => {
  expect(indexOfLargest(row)).toBe(index);
  expect(indexOfLargest(Float32Array.from(row))).toBe(index);
});
