import { describe, expect, test } from 'vitest';
import { sampleCounts, sampleImages } from '../../test/support/sample-classifier.js';
import { imagesInMemory } from '../data/image-source.js';
import { tensor } from '../tensor/tensor.js';
import { colourLayout, colourLayoutLength } from './colour-layout.js';
import { gradientEncoder } from './gradient-encoder.js';
import { orientedGradients } from './oriented-gradients.js';

const size = 28;

/** Images of 28×28, each drawn by a function of its pixels. */
function drawn(...images: ((y: number, x: number) => readonly [number, number, number])[]) {
  const pixels = images.flatMap((colourAt) =>
    Array.from({ length: size * size }, (_, i) => colourAt(Math.floor(i / size), i % size)).flat(),
  );
  return tensor('uint8', [images.length, size, size, 3], Uint8Array.from(pixels));
}

const product = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => value * (b[i] ?? 0)).reduce((sum, value) => sum + value, 0);

describe('colours of an image', () => {
  const red = () => [200, 20, 20] as const;
  const green = () => [20, 200, 20] as const;

  test('rows have length 1; the same colours are alike, others are not', () => {
    const { data, shape } = colourLayout(drawn(red, () => [150, 10, 10], green));
    expect(shape).toEqual([3, colourLayoutLength]);
    const [a, b, c] = [0, 1, 2].map((n) =>
      data.subarray(n * colourLayoutLength, (n + 1) * colourLayoutLength),
    );
    expect(Math.hypot(...(a ?? []))).toBeCloseTo(1, 6);
    expect(product(a ?? [], b ?? [])).toBeGreaterThan(0.99);
    expect(product(a ?? [], c ?? [])).toBeLessThan(0);
  });

  test('where a colour is counts, how bright the whole is does not', () => {
    const at =
      (top: number, ground: number) =>
      (y: number): readonly [number, number, number] =>
        y < 14 ? [ground + top, ground + top, ground + top] : [ground, ground, ground];
    const { data } = colourLayout(drawn(at(60, 20), at(60, 120), at(0, 90)));
    const [dim, bright, plain] = [0, 1, 2].map((n) => data.subarray(n * 48, (n + 1) * 48));
    expect(product(dim ?? [], bright ?? [])).toBeCloseTo(1, 5);
    expect([...(plain ?? [])].every((value) => value === 0)).toBe(true);
  });
});

describe('oriented gradients as an encoder', () => {
  test.each(sampleCounts)('%i grey images: the gradients, bit for bit', async (count) => {
    const images = sampleImages(count, [28, 28, 1]);
    const source = imagesInMemory({ name: 'g', pixels: images.data, height: 28, width: 28, channels: 1 });
    const rows = await gradientEncoder(1).describe(source);
    expect(rows).toEqual(orientedGradients(images));
  });

  test('images in colour: rows of length 1, of both', async () => {
    const images = sampleImages(3, [32, 32, 3]);
    const source = imagesInMemory({ name: 'c', pixels: images.data, height: 32, width: 32, channels: 3 });
    const encoder = gradientEncoder(3);
    const { data, shape } = await encoder.describe(source);
    expect(shape).toEqual([3, 392 + 48]);
    const row = data.subarray(0, encoder.dimensions);
    expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    expect(product(row.subarray(0, 392), row.subarray(0, 392))).toBeCloseTo(0.9, 5);
    expect(encoder.fingerprint).not.toBe(gradientEncoder(1).fingerprint);
  });
});
