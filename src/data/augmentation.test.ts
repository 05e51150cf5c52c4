import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import type { AffineTransform } from './affine.js';
import { augmentBatch, drawTransform, transformImage } from './augmentation.js';
import { type AugmentationPolicy, policyFor, strengths } from './augmentation-policy.js';
import { ElasticField } from './elastic-field.js';
import { rotateImage } from './rotation.js';

const still: AffineTransform = {
  rotateDegrees: 0,
  scale: 1,
  aspect: 1,
  shearFraction: 0,
  mirror: false,
  shiftX: 0,
  shiftY: 0,
};

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

  it('moves pixels exactly by whole shifts, the border’s median behind', () => {
    // Along the border, corners twice: 10 10 20 30 30 40 | 60 70 70 80 90 90; the lower median is 40.
    expect(transformed({ shiftX: 1 })).toEqual([40, 10, 20, 40, 40, 50, 40, 70, 80]);
    expect(transformed({ shiftY: -1 })).toEqual([40, 50, 60, 70, 80, 90, 40, 40, 40]);
    expect(transformed({ shiftX: -2, shiftY: 1 })).toEqual([40, 40, 40, 30, 40, 40, 60, 40, 40]);
    expect(transformed({ shiftX: 3 })).toEqual(new Array(9).fill(40));
  });

  it('fills with what most of the border shows, in each channel of its own', () => {
    // Red on white, touching the border on the left; 2 x 3 pixels.
    const red = [200, 0, 10];
    const white = [255, 255, 254];
    const pixels = Uint8Array.from([white, white, white, red, white, white].flat());
    const shifted = transformImage(pixels, 2, 3, 3, { ...still, shiftX: 1 });
    expect([...shifted]).toEqual([white, white, white, white, red, white].flat());
  });

  it('interpolates between neighbours and fades at the border', () => {
    expect(transformed({ shiftX: 0.5 })).toEqual([25, 15, 25, 40, 45, 55, 55, 75, 85]);
    // Above, 0.5 of 40 and 0.5 of the row's; the row's first is 0.25 of 40 and 0.75 of 10, and so on; rounded.
    expect(transformed({ shiftX: 0.25, shiftY: 0.5 })).toEqual([29, 29, 34, 29, 33, 43, 51, 63, 73]);
  });

  it('magnifies about the centre', () => {
    // At scale 2 the output's corner samples the middle between the corner and the centre.
    expect(transformed({ scale: 2 })).toEqual([30, 35, 40, 45, 50, 55, 60, 65, 70]);
  });

  it('slants: one pixel to the right for each pixel down', () => {
    expect(transformed({ shearFraction: 1 })).toEqual([20, 30, 40, 40, 50, 60, 40, 70, 80]);
  });

  it('mirrors left and right', () => {
    expect(transformed({ mirror: true })).toEqual([30, 20, 10, 60, 50, 40, 90, 80, 70]);
    // Before it turns: the mirrored image counter-clockwise.
    expect(transformed({ mirror: true, rotateDegrees: 90 })).toEqual([10, 40, 70, 20, 50, 80, 30, 60, 90]);
  });

  it('widens and flattens to another aspect, the area staying the same', () => {
    // Twice as wide and half as high: columns sample at -0.5, 0, 0.5 and rows at -2, 0, 2 about the centre.
    expect(transformed({ aspect: 4 })).toEqual([40, 40, 40, 45, 50, 55, 40, 40, 40]);
  });

  it('moves each pixel by the elastic field on top of the affine map', () => {
    const [height, width] = [9, 14];
    const ramp = Uint8Array.from({ length: height * width * 2 }, (_, i) => {
      const pixel = i >> 1;
      return i % 2 === 0 ? 10 * (pixel % width) + 50 : 20 * Math.floor(pixel / width) + 30;
    });
    const field = new ElasticField(height, width);
    field.draw(1, Random.seeded(5));
    const moved = transformImage(ramp, height, width, 2, { ...still, shiftX: 1 }, field);
    for (let y = 1; y < height - 1; y++) {
      field.row(y);
      for (let x = 2; x < width - 1; x++) {
        // Linear interpolation of a ramp is the ramp.
        const at = 2 * (y * width + x);
        expect(Math.abs(moved[at]! - (10 * (x - 1 + field.dx[x]!) + 50))).toBeLessThanOrEqual(0.5);
        expect(Math.abs(moved[at + 1]! - (20 * (y + field.dy[x]!) + 30))).toBeLessThanOrEqual(0.5);
      }
    }
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
  const policy = policyFor(6, 4, strengths.strong);
  const everything: AugmentationPolicy = {
    ...policy,
    aspect: 0.2,
    cutoutFraction: 0.5,
    flipHorizontal: true,
    contrast: 0.3,
    brightness: 0.2,
  };
  const one = (pixels: readonly number[], change: Partial<AugmentationPolicy>, seed: number) => [
    ...augmentBatch(
      Uint8Array.from(pixels),
      { count: 1, height: 1, width: pixels.length, channels: 1 },
      { ...policyFor(1, 1, strengths.none), ...change },
      Random.seeded(seed),
    ),
  ];
  const anyShape = fc.record({
    count: fc.nat(3),
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 3),
  });
  const sizeOf = (s: typeof shape) => s.count * s.height * s.width * s.channels;

  it('leaves pixels exactly as they are where every amplitude is 0', () => {
    fc.assert(
      fc.property(anyShape, (shape) => {
        const pixels = noise(sizeOf(shape));
        const none = policyFor(shape.height, shape.width, strengths.none);
        expect(augmentBatch(pixels, shape, none, Random.seeded(0))).toEqual(pixels);
      }),
    );
  });

  it.each([
    ['strong', policy],
    ['everything', everything],
  ])('is determined by its seed: %s', (_, policy) => {
    const result = augmentBatch(images, shape, policy, Random.seeded(3));
    expect(augmentBatch(images, shape, policy, Random.seeded(3))).toEqual(result);
    expect(augmentBatch(images, shape, policy, Random.seeded(4))).not.toEqual(result);
    expect(result).not.toEqual(images);
  });

  it('distorts each image on its own, as drawn in turn: its transform, then the field', () => {
    fc.assert(
      fc.property(anyShape, fc.constantFrom(0, 1.5), (shape, elasticPixels) => {
        const pixels = noise(sizeOf(shape));
        const { height, width, channels } = shape;
        const policy = { ...policyFor(height, width, strengths.strong), elasticPixels };
        const result = augmentBatch(pixels, shape, policy, Random.seeded(3));
        const random = Random.seeded(3);
        const size = height * width * channels;
        for (let start = 0; start < pixels.length; start += size) {
          const transform = drawTransform(policy, random);
          const field = elasticPixels > 0 ? new ElasticField(height, width) : undefined;
          field?.draw(elasticPixels, random);
          const image = pixels.slice(start, start + size);
          expect(result.slice(start, start + size)).toEqual(
            transformImage(image, height, width, channels, transform, field),
          );
        }
      }),
    );
  });

  it('draws five numbers for an image whatever the amplitudes, one for the aspect, and none for what is off', () => {
    const rigid = { ...strengths.strong, elasticFraction: 0 };
    for (const [strength, numbers] of [
      [strengths.none, 5],
      [strengths.weak, 5],
      [{ ...rigid, aspect: 0 }, 5],
      [rigid, 6],
    ] as const) {
      const random = Random.seeded(3);
      augmentBatch(images, shape, policyFor(6, 4, strength), random);
      const expected = Random.seeded(3);
      for (let i = 0; i < numbers * shape.count; i++) expected.uniform();
      expect(random.state()).toEqual(expected.state());
    }
  });

  it('may write over its input', () => {
    const expected = augmentBatch(images, shape, everything, Random.seeded(3));
    const buffer = images.slice();
    expect(augmentBatch(buffer, shape, everything, Random.seeded(3), buffer)).toBe(buffer);
    expect(buffer).toEqual(expected);
  });

  it('covers pixels of one square only, with the border’s median', () => {
    fc.assert(
      fc.property(
        anyShape,
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.nat(99),
        (shape, cutoutFraction, seed) => {
          const { height, width, channels } = shape;
          // 7 around, larger values within.
          const pixels = noise(sizeOf(shape)).map((value, i) => {
            const pixel = Math.floor(i / channels) % (height * width);
            const [x, y] = [pixel % width, Math.floor(pixel / width)];
            return x === 0 || y === 0 || x === width - 1 || y === height - 1 ? 7 : 8 + (value % 100);
          });
          const policy = { ...policyFor(height, width, strengths.none), cutoutFraction };
          const result = augmentBatch(pixels, shape, policy, Random.seeded(seed));
          const side = Math.round(cutoutFraction * Math.min(height, width));
          for (let n = 0; n < shape.count; n++) {
            const changed: { x: number; y: number }[] = [];
            for (let pixel = 0; pixel < height * width; pixel++) {
              const at = (n * height * width + pixel) * channels;
              const after = [...result.subarray(at, at + channels)];
              if (after.every((value, c) => value === pixels[at + c])) continue;
              expect(after).toEqual(new Array(channels).fill(7));
              changed.push({ x: pixel % width, y: Math.floor(pixel / width) });
            }
            if (changed.length === 0) continue;
            const xs = changed.map(({ x }) => x);
            const ys = changed.map(({ y }) => y);
            const across = Math.max(...xs) - Math.min(...xs) + 1;
            const down = Math.max(...ys) - Math.min(...ys) + 1;
            expect(changed.length).toBe(across * down); // no gap: within the frame each pixel is other than 7
            expect(Math.max(across, down)).toBeLessThanOrEqual(side);
          }
        },
      ),
    );
  });

  it('covers every pixel at times, near the border as in the middle', () => {
    const pixels = Uint8Array.from({ length: 25 }, (_, i) => i);
    const policy = { ...policyFor(5, 5, strengths.none), cutoutFraction: 1 };
    const shape = { count: 1, height: 5, width: 5, channels: 1 };
    const covered = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      augmentBatch(pixels, shape, policy, Random.seeded(seed)).forEach((value, i) => {
        if (value !== pixels[i]) covered.add(i);
      });
    }
    expect(covered.size).toBe(24); // all but the one that has the border's median itself
  });

  it('mirrors every other image', () => {
    const results = Array.from({ length: 400 }, (_, seed) =>
      one([1, 2, 3, 4], { flipHorizontal: true }, seed),
    );
    const mirrored = results.filter((result) => result[0] === 4);
    for (const result of mirrored) expect(result).toEqual([4, 3, 2, 1]);
    expect(mirrored.length).toBeGreaterThan(160);
    expect(mirrored.length).toBeLessThan(240);
  });

  it('refuses sizes that do not fit', () => {
    const random = Random.seeded(0);
    expect(() => augmentBatch(images, { ...shape, count: 4 }, policy, random)).toThrow(
      'Received: 360 in, 360 out.',
    );
    expect(() => augmentBatch(images, shape, policy, random, new Uint8Array(3))).toThrow('360 in, 3 out.');
  });

  it('refuses what a policy may not hold', () => {
    expect(() => augmentBatch(images, shape, { ...policy, scale: 1 }, Random.seeded(0))).toThrow(
      'augmentation scale: expected a number from 0 to below 1. Received: 1.',
    );
  });
});

it('drawTransform: within the amplitudes and close to them', () => {
  const random = Random.seeded(2);
  const policy = {
    ...policyFor(25, 30, { ...strengths.none, rotateDegrees: 15, scale: 0.12, shiftFraction: 0.08 }),
    shearFraction: 0.15,
    aspect: 0.3,
  };
  const draws = Array.from({ length: 2000 }, () => drawTransform(policy, random));
  const bounds = {
    rotateDegrees: [-15, 15],
    scale: [0.88, 1.12],
    aspect: [0.7, 1.3],
    shearFraction: [-0.15, 0.15],
    shiftX: [-2, 2],
    shiftY: [-2, 2],
  } as const;
  for (const [name, [low, high]] of Object.entries(bounds)) {
    const values = draws.map((draw) => draw[name as keyof typeof bounds]);
    const margin = 0.01 * (high - low);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.min(...values)).toBeLessThan(low + margin);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    expect(Math.max(...values)).toBeGreaterThan(high - margin);
  }
});
