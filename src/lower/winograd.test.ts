import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import type { Matrix } from './matrix.js';
import { longestKernel, overTiles, tileSize, winogradTransforms } from './winograd.js';

const random = Random.seeded(3);
const numbers = (length: number) => Array.from({ length }, () => random.uniform(-1, 1));
const product = (matrix: Matrix, vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));

describe('F(m, r) is correlation', () => {
  const sizes = [1, 2, 3, 4, 5, 6].flatMap((m) => [1, 2, 3, 4, 5].map((r) => [m, r] as const));
  test.each(sizes.filter(([m, r]) => m + r - 1 >= 2 && m + r - 1 <= 8))('F(%i, %i)', (m, r) => {
    const { kernel, input, output } = winogradTransforms(m, r);
    const [g, d] = [numbers(r), numbers(m + r - 1)];
    const points = product(kernel, g).map((value, i) => value * product(input, d)[i]!);
    const y = product(output, points);
    y.forEach((value, i) => {
      expect(Math.abs(value - g.reduce((sum, tap, k) => sum + tap * d[i + k]!, 0))).toBeLessThan(1e-12);
    });
  });

  test('F(2, 3) by the points 0, 1, −1 and infinity, as the paper prints it up to signs', () => {
    expect(winogradTransforms(2, 3)).toEqual({
      kernel: [
        [-1, -0, -0],
        [0.5, 0.5, 0.5],
        [0.5, -0.5, 0.5],
        [0, 0, 1],
      ],
      input: [
        [-1, 0, 1, 0],
        [0, 1, 1, 0],
        [0, -1, 1, 0],
        [0, -1, 0, 1],
      ],
      output: [
        [1, 1, 1, 0],
        [0, 1, -1, 1],
      ],
    });
  });

  test('what a transform of inputs or outputs multiplies by is exact in float32', () => {
    const { input, output } = winogradTransforms(tileSize, longestKernel);
    for (const value of [...input, ...output].flat()) expect(Math.fround(value)).toBe(value);
  });
});

test('tiles stand side by side, each over its positions, without those outside', () => {
  const transform = [
    [1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10],
  ];
  expect(overTiles(transform, 2, 6, 1)).toEqual([
    [2, 3, 4, 5, 0, 0],
    [0, 0, 0, 1, 2, 3],
    [7, 8, 9, 10, 0, 0],
    [0, 0, 0, 6, 7, 8],
  ]);
});
