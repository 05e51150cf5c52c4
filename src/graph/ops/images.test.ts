import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { input, scoped } from '../graph.js';
import { conv, convInputGrad, convWeightGrad, type Pads, samePads } from './conv.js';
import { batchNormInference, batchNormTrain } from './normalize.js';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad, samePoolPads } from './pool.js';

const value = (...shape: number[]) => input('x', 'float32', shape);
const pixels = input('pixels', 'uint8', [2, 3, 8, 8]);
const none: Pads = [0, 0, 0, 0];

describe('samePads', () => {
  test.each<[number, number, Pads]>([
    [1, 1, [0, 0, 0, 0]],
    [5, 3, [2, 1, 2, 1]],
    [2, 4, [0, 1, 1, 2]],
  ])('kernel %i × %i', (height, width, pads) => {
    expect(samePads(height, width)).toEqual(pads);
  });

  test('keep the size of the map, whatever the kernel', () => {
    const side = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(side, side, side, side, (h, w, kh, kw) => {
        const y = conv(value(1, 1, h, w), value(1, 1, kh, kw), { pads: samePads(kh, kw) });
        expect(y.shape).toEqual([1, 1, h, w]);
      }),
    );
  });
});

describe('samePoolPads', () => {
  // TensorFlow's examples: 28 → 14 pads only after, 7 → 4 pads on both sides.
  test.each<[[number, number], Pads]>([
    [
      [28, 14],
      [0, 0, 1, 1],
    ],
    [
      [7, 5],
      [1, 1, 1, 1],
    ],
    [
      [6, 7],
      [0, 1, 1, 1],
    ],
  ])('3 × 3 at stride 2 on %o', (size, pads) => {
    expect(samePoolPads(size, [3, 3], [2, 2])).toEqual(pads);
  });

  test('needs none where windows tile the map or skip over it', () => {
    expect(samePoolPads([8, 9], [2, 3], [2, 3])).toEqual([0, 0, 0, 0]);
    expect(samePoolPads([5, 5], [1, 1], [2, 2])).toEqual([0, 0, 0, 0]);
  });

  test('give maps of ceil(size / stride)', () => {
    const small = fc.integer({ min: 1, max: 5 });
    const side = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(side, side, small, small, small, small, (h, w, kh, kw, sh, sw) => {
        const [kernel, strides] = [[kh, kw] as const, [sh, sw] as const];
        const pads = samePoolPads([h, w], kernel, strides);
        const { shape } = maxPool(value(1, 1, h, w), { kernel, strides, pads });
        expect(shape).toEqual([1, 1, Math.ceil(h / sh), Math.ceil(w / sw)]);
      }),
    );
  });
});

describe('convolution', () => {
  test('pads are top, left, bottom, right', () => {
    const y = conv(value(2, 3, 8, 9), value(4, 3, 3, 2), { pads: [1, 0, 3, 4] });
    expect(y.shape).toEqual([2, 4, 10, 12]);
  });

  test('refuses what does not fit, naming the layer', () => {
    expect(() =>
      scoped('block1.conv1', () => conv(value(2, 1, 8, 8), value(4, 3, 5, 5), { pads: none })),
    ).toThrow(
      'block1.conv1: conv: expected x [N, C, H, W] and kernel [O, C, kh, kw]. ' +
        'Received: x [2, 1, 8, 8] and kernel [4, 3, 5, 5].',
    );
    expect(() => conv(value(3, 8, 8), value(4, 3, 5, 5), { pads: none })).toThrow('expected x [N, C, H, W]');
    expect(() => conv(value(2, 3, 4, 8), value(4, 3, 5, 5), { pads: none })).toThrow(
      'conv: expected a map of at least 5 × 5 after padding. Received: [2, 3, 4, 8].',
    );
    expect(() => conv(pixels, value(4, 3, 5, 5), { pads: none })).toThrow(
      'conv: expected float32 operands. Received: uint8 [2, 3, 8, 8].',
    );
  });

  test('its transposes check dy against the shape that conv would give', () => {
    const [x, w] = [
      [2, 3, 8, 9],
      [4, 3, 3, 2],
    ] as const;
    const pads = none;
    expect(convInputGrad(value(2, 4, 6, 8), value(...w), x, { pads }).shape).toEqual(x);
    expect(convWeightGrad(value(...x), value(2, 4, 6, 8), w, { pads }).shape).toEqual(w);
    expect(() => convInputGrad(value(2, 4, 6, 7), value(...w), x, { pads })).toThrow(
      'convInputGrad: expected dy [2, 4, 6, 8]. Received: float32 [2, 4, 6, 7].',
    );
    expect(() => convWeightGrad(value(...x), value(2, 4, 6, 7), w, { pads })).toThrow(
      'convWeightGrad: expected dy [2, 4, 6, 8]. Received: float32 [2, 4, 6, 7].',
    );
  });
});

describe('pooling', () => {
  const attributes = { kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] } as const;

  test.each([maxPool, avgPool])('%o: a last window that does not fit whole is left out', (pool) => {
    expect(pool(value(2, 3, 8, 6), attributes).shape).toEqual([2, 3, 4, 3]);
    expect(pool(value(2, 3, 8, 6), { ...attributes, pads: none }).shape).toEqual([2, 3, 3, 2]);
  });

  test('refuses maps that are too small, windows of padding alone, and whole numbers', () => {
    expect(() => maxPool(value(2, 3, 1, 8), { ...attributes, pads: none })).toThrow(
      'maxPool: expected x [N, C, H, W] of at least 3 × 3 after padding. Received: [2, 3, 1, 8].',
    );
    expect(() => avgPool(value(2, 3, 8, 8), { ...attributes, pads: [3, 0, 0, 0] })).toThrow(
      'avgPool: expected',
    );
    expect(() => avgPool(value(3, 8, 8), attributes)).toThrow('Received: [3, 8, 8].');
    expect(() => maxPool(pixels, attributes)).toThrow('maxPool: expected float32 operands');
  });

  test('gradients check y and dy against the pooled shape', () => {
    const [x, y, other] = [value(2, 3, 8, 6), value(2, 3, 4, 3), value(2, 3, 4, 4)];
    expect(maxPoolGrad(x, y, y, attributes).shape).toEqual([2, 3, 8, 6]);
    expect(avgPoolGrad(y, [2, 3, 8, 6], attributes).shape).toEqual([2, 3, 8, 6]);
    expect(() => maxPoolGrad(x, y, other, attributes)).toThrow(
      'maxPoolGrad: expected y and dy [2, 3, 4, 3]. Received: float32 [2, 3, 4, 3] and float32 [2, 3, 4, 4].',
    );
    expect(() => avgPoolGrad(other, [2, 3, 8, 6], attributes)).toThrow(
      'avgPoolGrad: expected dy [2, 3, 4, 3]. Received: float32 [2, 3, 4, 4].',
    );
  });
});

describe('batch normalisation', () => {
  const epsilon = 1e-3;
  const [three, four] = [value(3), value(4)];

  test('wants one statistic and one parameter a channel', () => {
    expect(() => batchNormTrain(value(2, 3, 4, 5), three, four, { epsilon })).toThrow(
      'batchNormTrain: expected x [N, C, H, W] and [C] for each statistic and parameter. ' +
        'Received: float32 [2, 3, 4, 5], float32 [3], float32 [4].',
    );
    const rest = { scale: three, shift: three, mean: three };
    expect(batchNormInference(value(2, 3, 4, 5), { ...rest, variance: three }, { epsilon }).shape).toEqual([
      2, 3, 4, 5,
    ]);
    expect(() => batchNormInference(value(2, 3, 4, 5), { ...rest, variance: four }, { epsilon })).toThrow(
      'batchNormInference: expected',
    );
    expect(() => batchNormTrain(value(2, 3), three, three, { epsilon })).toThrow('expected x [N, C, H, W]');
    expect(() => batchNormTrain(pixels, three, three, { epsilon })).toThrow('expected float32 operands');
  });
});
