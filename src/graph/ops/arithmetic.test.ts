import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Shape, sizeOf } from '../../tensor/tensor.js';
import { input, type Value } from '../graph.js';
import {
  add,
  broadcastShapes,
  broadcastTo,
  exp,
  reduceMean,
  reduceSum,
  reluGrad,
  reshape,
  sumTo,
  transpose,
} from './arithmetic.js';

const value = (...shape: number[]): Value => input('x', 'float32', shape);
const labels = input('labels', 'int32', [3]);

describe('broadcastShapes', () => {
  test.each<[Shape, Shape, Shape]>([
    [[], [], []],
    [[], [2, 3], [2, 3]],
    [[2, 3], [3], [2, 3]],
    [
      [2, 1, 4],
      [3, 1],
      [2, 3, 4],
    ],
    [
      [1, 1],
      [5, 1],
      [5, 1],
    ],
  ])('[%s] and [%s] give [%s]', (a, b, expected) => {
    expect(broadcastShapes('add', a, b)).toEqual(expected);
    expect(broadcastShapes('add', b, a)).toEqual(expected);
  });

  test.each<[Shape, Shape]>([
    [[2], [3]],
    [[2, 3], [2]],
    [
      [2, 3, 4],
      [2, 4],
    ],
  ])('[%s] and [%s] do not go together', (a, b) => {
    expect(() => broadcastShapes('add', a, b)).toThrow(
      `add: expected shapes that broadcast. Received: [${a.join(', ')}] and [${b.join(', ')}].`,
    );
  });

  test('is undone by sumTo', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 });
    const thinned = fc.tuple(
      shape,
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      fc.nat({ max: 4 }),
    );
    fc.assert(
      fc.property(thinned, ([full, ones, dropped]) => {
        const small = full.map((n, i) => (ones[i] ? 1 : n)).slice(Math.min(dropped, full.length));
        expect(broadcastShapes('add', full, small)).toEqual(full);
        expect(sumTo(value(...full), small).shape).toEqual(small);
      }),
    );
  });
});

describe('elementwise ops', () => {
  test('take numbers as float32 scalars', () => {
    const sum = add(value(2, 3), 1.5);
    expect(sum.shape).toEqual([2, 3]);
    expect(sum.node.inputs[1]).toMatchObject({ dtype: 'float32', shape: [] });
  });

  test('refuse whole numbers', () => {
    const message = 'expected float32 operands. Received: int32 [3].';
    expect(() => add(labels, 1)).toThrow(`add: ${message}`);
    expect(() => exp(labels)).toThrow(`exp: ${message}`);
    expect(() => reluGrad(value(3), labels)).toThrow(`reluGrad: ${message}`);
    expect(() => reduceSum(labels, [0])).toThrow(`reduceSum: ${message}`);
  });

  test('reluGrad does not broadcast', () => {
    expect(() => reluGrad(value(2, 3), value(3))).toThrow(
      'reluGrad: expected two operands of one shape. Received: float32 [2, 3] and float32 [3].',
    );
  });
});

describe('reshape, transpose, broadcastTo', () => {
  test('what changes nothing adds no node', () => {
    const x = value(2, 3);
    expect(reshape(x, [2, 3])).toBe(x);
    expect(broadcastTo(x, [2, 3])).toBe(x);
    expect(sumTo(x, [2, 3])).toBe(x);
  });

  test('keep the dtype', () => {
    expect(reshape(labels, [1, 3])).toMatchObject({ dtype: 'int32', shape: [1, 3] });
    expect(transpose(reshape(labels, [1, 3]), [1, 0])).toMatchObject({ dtype: 'int32', shape: [3, 1] });
  });

  test('transpose: axis k of the output is axis perm[k] of the input', () => {
    expect(transpose(value(2, 3, 4, 5), [3, 0, 2, 1]).shape).toEqual([5, 2, 4, 3]);
  });

  test('refuse what does not fit', () => {
    expect(() => reshape(value(2, 3), [4])).toThrow(
      'reshape: expected 4 elements for [4]. Received: float32 [2, 3].',
    );
    for (const perm of [[0], [0, 0], [0, 2], [-1, 0]]) {
      expect(() => transpose(value(2, 3), perm)).toThrow(
        `transpose: expected a permutation of 2 axes. Received: [${perm.join(', ')}].`,
      );
    }
    expect(() => broadcastTo(value(2, 3), [3])).toThrow(
      'broadcastTo: expected a shape that broadcasts to [3]. Received: float32 [2, 3].',
    );
    expect(() => broadcastTo(value(2, 3), [2, 1])).toThrow('broadcastTo: expected a shape that broadcasts');
  });
});

describe('reductions', () => {
  test.each([reduceSum, reduceMean])('%o drops or keeps its axes', (reduce) => {
    const x = value(2, 3, 4);
    expect(reduce(x, [0, 2]).shape).toEqual([3]);
    expect(reduce(x, [2, 0], { keepDims: true }).shape).toEqual([1, 3, 1]);
    expect(sizeOf(reduce(x, [0, 1, 2]).shape)).toBe(1);
  });

  test.each([[[2]], [[-1]], [[0, 0]]])('refuse axes %o of a matrix', (axes) => {
    expect(() => reduceMean(value(2, 3), axes)).toThrow(
      `reduceMean: expected different axes from 0 … 1. Received: float32 [2, 3], axes [${axes.join(', ')}].`,
    );
  });
});
