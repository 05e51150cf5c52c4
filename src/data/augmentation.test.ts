import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import {
  type AffineTransform,
  augmentBatch,
  drawTransform,
  identityPolicy,
  policyFor,
  transformImage,
} from './augmentation.js';
import { rotateImage } from './rotation.js';

const still: AffineTransform = { rotateDegrees: 0, scale: 1, shearFraction: 0, shiftX: 0, shiftY: 0 };

function noise(size: number): Uint8Array {
  const random = Random.seeded(1);
  return Uint8Array.from({ length: size }, () => random.integer(256));
}

describe('transformImage', () => {
  // biome-ignore format: images are drawn as they look
  const image = Uint8Array.from([
    10, 20, 30,
    40, 50, 60,
    70, 80, 90,
  ]);
  const transformed = (change: Partial<AffineTransform>) => [
    ...transformImage(image, 3, 3, 1, { ...still, ...change }),
  ];

  it('moves pixels exactly by whole shifts, 0 behind', () => {
    expect(transformed({ shiftX: 1 })).toEqual([0, 10, 20, 0, 40, 50, 0, 70, 80]);
    expect(transformed({ shiftY: -1 })).toEqual([40, 50, 60, 70, 80, 90, 0, 0, 0]);
    expect(transformed({ shiftX: -2, shiftY: 1 })).toEqual([0, 0, 0, 30, 0, 0, 60, 0, 0]);
    expect(transformed({ shiftX: 3 })).toEqual(new Array(9).fill(0));
  });

  it('interpolates between neighbours and fades at the border', () => {
    expect(transformed({ shiftX: 0.5 })).toEqual([5, 15, 25, 20, 45, 55, 35, 75, 85]);
    expect(transformed({ shiftX: 0.25, shiftY: 0.5 })).toEqual([
      4,
      9,
      14, // 0.5 * (0.75 * 10, 0.25 * 10 + 0.75 * 20, ...), rounded
      19,
      33,
      43,
      41,
      63,
      73,
    ]);
  });

  it('magnifies about the centre', () => {
    // At scale 2 the output's corner samples the middle between the corner and the centre.
    expect(transformed({ scale: 2 })).toEqual([30, 35, 40, 45, 50, 55, 60, 65, 70]);
  });

  it('slants: one pixel to the right for each pixel down', () => {
    expect(transformed({ shearFraction: 1 })).toEqual([20, 30, 0, 40, 50, 60, 0, 70, 80]);
  });

  it.each([0, 1, 2, 3])('turns by %d * 90 degrees as rotateImage does', (k) => {
    for (const [side, channels] of [
      [28, 1],
      [7, 3],
    ] as const) {
      const pixels = noise(side * side * channels);
      const expected = new Uint8Array(pixels.length);
      rotateImage(pixels, 0, expected, 0, side, side, channels, k);
      const received = transformImage(pixels, side, side, channels, { ...still, rotateDegrees: 90 * k });
      const worst = received.reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(1);
    }
  });

  it('shears before it turns', () => {
    // Slanted to the right, then turned counter-clockwise: the slant now points up.
    const slanted = transformImage(image, 3, 3, 1, { ...still, shearFraction: 1 });
    const expected = new Uint8Array(9);
    rotateImage(slanted, 0, expected, 0, 3, 3, 1, 1);
    expect(transformed({ shearFraction: 1, rotateDegrees: 90 })).toEqual([...expected]);
  });
});

describe('augmentBatch', () => {
  const shape = { count: 5, height: 6, width: 4, channels: 3 };
  const images = noise(5 * 6 * 4 * 3);
  const policy = policyFor(6, 4);

  it('leaves pixels exactly as they are under the identity policy', () => {
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (count, height, width) => {
          const pixels = noise(count * height * width);
          const shape = { count, height, width, channels: 1 };
          expect(augmentBatch(pixels, shape, identityPolicy, Random.seeded(0))).toEqual(pixels);
        },
      ),
    );
  });

  it('is determined by its seed', () => {
    const result = augmentBatch(images, shape, policy, Random.seeded(3));
    expect(augmentBatch(images, shape, policy, Random.seeded(3))).toEqual(result);
    expect(augmentBatch(images, shape, policy, Random.seeded(4))).not.toEqual(result);
    expect(result).not.toEqual(images);
  });

  it('distorts each image on its own, as drawn in turn', () => {
    const result = augmentBatch(images, shape, policy, Random.seeded(3));
    const random = Random.seeded(3);
    for (let i = 0; i < 5; i++) {
      const one = transformImage(images.slice(72 * i, 72 * (i + 1)), 6, 4, 3, drawTransform(policy, random));
      expect(result.slice(72 * i, 72 * (i + 1))).toEqual(one);
    }
  });

  it('may write over its input', () => {
    const expected = augmentBatch(images, shape, policy, Random.seeded(3));
    const buffer = images.slice();
    expect(augmentBatch(buffer, shape, policy, Random.seeded(3), buffer)).toBe(buffer);
    expect(buffer).toEqual(expected);
  });

  it('refuses sizes that do not fit and impossible amplitudes', () => {
    const random = Random.seeded(0);
    expect(() => augmentBatch(images, { ...shape, count: 4 }, policy, random)).toThrow(
      'Received: 360 in, 360 out.',
    );
    expect(() => augmentBatch(images, shape, policy, random, new Uint8Array(3))).toThrow('360 in, 3 out.');
    expect(() => augmentBatch(images, shape, { ...policy, scale: 1 }, random)).toThrow(
      /scale: expected .* Received: 1/,
    );
    expect(() => augmentBatch(images, shape, { ...policy, rotateDegrees: -1 }, random)).toThrow(
      /rotateDegrees/,
    );
  });
});

it('drawTransform: within the amplitudes and close to them', () => {
  const random = Random.seeded(2);
  const policy = { rotateDegrees: 15, scale: 0.12, shiftPixels: 2, shearFraction: 0.15 };
  const draws = Array.from({ length: 2000 }, () => drawTransform(policy, random));
  const bounds = {
    rotateDegrees: [-15, 15],
    scale: [0.88, 1.12],
    shearFraction: [-0.15, 0.15],
    shiftX: [-2, 2],
    shiftY: [-2, 2],
  } as const;
  for (const [name, [low, high]] of Object.entries(bounds)) {
    const values = draws.map((draw) => draw[name as keyof AffineTransform]);
    const margin = 0.01 * (high - low);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.min(...values)).toBeLessThan(low + margin);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    expect(Math.max(...values)).toBeGreaterThan(high - margin);
  }
});
