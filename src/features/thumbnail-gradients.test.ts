import { describe, expect, test } from 'vitest';
import { tensor } from '../tensor/tensor.js';
import { thumbnailGradients } from './thumbnail-gradients.js';

const image = (side: number, channels: number, value: (y: number, x: number, c: number) => number) =>
  Uint8Array.from({ length: side * side * channels }, (_, i) => {
    const at = Math.floor(i / channels);
    return value(Math.floor(at / side), at % side, i % channels);
  });

const cosine = (data: Float32Array, length: number): number => {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (data[i] ?? 0) * (data[length + i] ?? 0);
  return sum;
};

describe('thumbnailGradients', () => {
  test('are differences to the left and upwards, of length 1', () => {
    const steps = thumbnailGradients(tensor('uint8', [1, 2, 2, 1], Uint8Array.of(10, 20, 40, 50)), 16);
    // Right above: 10; left below: 30; right below: 10 and 30.
    const norm = Math.sqrt(10 ** 2 + 30 ** 2 + 10 ** 2 + 30 ** 2);
    expect(steps.shape).toEqual([1, 4]);
    for (const [i, value] of [10, 30, 10, 30].entries()) expect(steps.data[i]).toBeCloseTo(value / norm, 6);
  });

  test.each([28, 64, 96])(
    'of %i pixels a side, an image and a lighter one with less contrast are one row',
    (side) => {
      const wave = (y: number, x: number): number => Math.round(80 + 60 * Math.sin(y / 5 + x / 3));
      const dim = (y: number, x: number): number => 100 + Math.round(0.5 * wave(y, x));
      const both = new Uint8Array([...image(side, 3, wave), ...image(side, 3, dim)]);
      const { data, shape } = thumbnailGradients(tensor('uint8', [2, side, side, 3], both), 16);
      expect(shape).toEqual([2, 2 * 16 * 15]);
      expect(cosine(data, shape[1] ?? 0)).toBeGreaterThan(0.999);
    },
  );

  test('of images of one colour are 0, and images turned are other ones', () => {
    const plain = image(28, 1, () => 90);
    const across = image(28, 1, (_, x) => 9 * x);
    const down = image(28, 1, (y) => 9 * y);
    const { data, shape } = thumbnailGradients(
      tensor('uint8', [3, 28, 28, 1], new Uint8Array([...plain, ...across, ...down])),
      16,
    );
    const length = shape[1] ?? 0;
    expect(data.subarray(0, length).every((value) => value === 0)).toBe(true);
    expect(cosine(data.subarray(length), length)).toBeCloseTo(0, 6);
  });
});
