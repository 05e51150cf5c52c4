import { describe, expect, test } from 'vitest';
import { gradients } from '../../src/graph/gradients.js';
import { constant, graph, input, type Value } from '../../src/graph/graph.js';
import { mul, reduceSum } from '../../src/graph/ops/arithmetic.js';
import type { Pads } from '../../src/graph/ops/conv.js';
import { maxPool, type PoolAttributes, samePoolPads } from '../../src/graph/ops/pool.js';
import { float32 } from '../../src/tensor/tensor.js';
import { interpret } from '../support/interpreter.js';

const none: Pads = [0, 0, 0, 0];
/** A 3×3 window at every second pixel, padded as TensorFlow's SAME. */
const same3x3 = (height: number, width: number): PoolAttributes => ({
  kernel: [3, 3],
  strides: [2, 2],
  pads: samePoolPads([height, width], [3, 3], [2, 2]),
});
const sumOf = (v: Value) => reduceSum(v, [...v.shape.keys()]);

describe('max-pool ties', () => {
  /** Gradient of Σ dy·maxPool(x) for x [1, 1, H, W]. */
  function maxPoolGradient(rows: readonly number[][], attributes: PoolAttributes, dy: readonly number[]) {
    const x = input('x', 'float32', [1, 1, rows.length, rows[0]!.length]);
    const y = maxPool(x, attributes);
    const [gradient] = gradients(sumOf(mul(y, constant(float32(y.shape, dy)))), [x]);
    return [...interpret(graph({ gradient: gradient! }), { x: rows.flat() }).gradient!.data];
  }

  test('the first maximum in row-major order gets the whole gradient', () => {
    const rows = [
      [0, 1, 2, 2],
      [2, 2, 0, 2],
    ];
    const whole: PoolAttributes = { kernel: [2, 4], strides: [1, 1], pads: none };
    expect(maxPoolGradient(rows, whole, [5])).toEqual([0, 0, 5, 0, 0, 0, 0, 0]);
  });

  test('on an even map with pads after, each window of a constant map sends it to its first pixel', () => {
    const rows = Array.from({ length: 4 }, () => [1, 1, 1, 1]);
    // biome-ignore format: one line a row of the map
    expect(maxPoolGradient(rows, same3x3(4, 4), [10, 20, 30, 40])).toEqual([
      10, 0, 20, 0,
      0, 0, 0, 0,
      30, 0, 40, 0,
      0, 0, 0, 0,
    ]);
  });

  test('on an odd map with pads before, padding never wins, not even over negative values', () => {
    const rows = Array.from({ length: 3 }, () => [-1, -1, -1]);
    // Windows begin at −1 and 1 on both axes.
    expect(maxPoolGradient(rows, same3x3(3, 3), [10, 20, 30, 40])).toEqual([10, 20, 0, 30, 40, 0, 0, 0, 0]);
  });

  test('windows that share a maximum add up', () => {
    const rows = [[0, 0, 7, 0, 0]];
    const attributes: PoolAttributes = { kernel: [1, 3], strides: [1, 2], pads: none };
    expect(maxPoolGradient(rows, attributes, [3, 4])).toEqual([0, 0, 7, 0, 0]);
  });
});
