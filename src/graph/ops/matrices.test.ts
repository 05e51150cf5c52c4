import { describe, expect, test } from 'vitest';
import { input } from '../graph.js';
import { argMax, cast, equal, oneHot } from './discrete.js';
import { matMul } from './matmul.js';
import { logSoftmax, softmax } from './softmax.js';

const value = (...shape: number[]) => input('x', 'float32', shape);
const labels = input('labels', 'int32', [3]);

describe('matMul', () => {
  test.each([
    [false, false, [2, 3], [3, 4]],
    [true, false, [3, 2], [3, 4]],
    [false, true, [2, 3], [4, 3]],
    [true, true, [3, 2], [4, 3]],
  ])('transposeA %o, transposeB %o: [%s] · [%s] is [2, 4]', (transposeA, transposeB, a, b) => {
    expect(matMul(value(...a), value(...b), { transposeA, transposeB }).shape).toEqual([2, 4]);
  });

  test('refuses other inner axes, other ranks and whole numbers', () => {
    expect(() => matMul(value(2, 3), value(2, 4))).toThrow(
      'matMul: expected matrices with a common inner axis. Received: float32 [2, 3] and float32 [2, 4].',
    );
    expect(() => matMul(value(2, 3), value(3, 4), { transposeA: true })).toThrow(
      'Received: float32 [2, 3] transposed and float32 [3, 4].',
    );
    expect(() => matMul(value(5, 2, 3), value(3, 4))).toThrow('matMul: expected matrices');
    expect(() => matMul(value(5, 2, 3), value(4, 3, 4))).toThrow('matMul: expected matrices');
    expect(() => matMul(value(3), value(3, 4))).toThrow('matMul: expected matrices');
    expect(matMul(value(5, 6, 2, 3), value(5, 6, 3, 4)).shape).toEqual([5, 6, 2, 4]);
    expect(() => matMul(input('x', 'uint8', [2, 3]), value(3, 4))).toThrow('Received: uint8 [2, 3].');
  });
});

describe('softmax and logSoftmax', () => {
  test.each([softmax, logSoftmax])('%o keeps rows of logits, refuses the rest', (op) => {
    expect(op(value(5, 3))).toMatchObject({ dtype: 'float32', shape: [5, 3] });
    expect(() => op(value(3))).toThrow('expected float32 [N, K]. Received: float32 [3].');
    expect(() => op(labels)).toThrow('Received: int32 [3].');
  });
});

describe('discrete ops', () => {
  test('give these types', () => {
    expect(cast(labels, 'float32')).toMatchObject({ dtype: 'float32', shape: [3] });
    expect(oneHot(labels, 5)).toMatchObject({ dtype: 'float32', shape: [3, 5] });
    expect(argMax(value(3, 5))).toMatchObject({ dtype: 'int32', shape: [3] });
    expect(equal(labels, argMax(value(3, 5)))).toMatchObject({ dtype: 'float32', shape: [3] });
  });

  test('refuse other operands', () => {
    expect(() => oneHot(value(3), 5)).toThrow('oneHot: expected int32 [N]. Received: float32 [3].');
    expect(() => argMax(value(3))).toThrow('argMax: expected float32 [N, K]. Received: float32 [3].');
    expect(() => equal(labels, value(3))).toThrow('equal: expected two int32 of one shape');
    expect(() => equal(labels, input('other', 'int32', [4]))).toThrow('Received: int32 [3] and int32 [4].');
  });
});
