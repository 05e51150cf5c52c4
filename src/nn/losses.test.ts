import { describe, expect, test } from 'vitest';
import { checkGradients } from '../../test/support/gradient-check.js';
import { interpret } from '../../test/support/interpreter.js';
import { randomTensor } from '../../test/support/numeric.js';
import { gradients, graph, input, mul, type Value } from '../graph/index.js';
import { float32 } from '../tensor/tensor.js';
import { mutualInformation, pseudoLabelLoss, rowsOf } from './losses.js';

type Rows = readonly (readonly number[])[];

/** A function of two matrices of logits, computed in float64. */
function valueAt(build: (a: Value, b: Value) => Value, a: Rows, b: Rows): number {
  const shape = [a.length, a[0]!.length];
  const y = build(input('a', 'float32', shape), input('b', 'float32', shape));
  return interpret(graph({ y }), { a: Float64Array.from(a.flat()), b: Float64Array.from(b.flat()) }).y!
    .data[0]!;
}

function softmaxOf(row: readonly number[]): number[] {
  const exps = row.map(Math.exp);
  const sum = exps.reduce((total, e) => total + e, 0);
  return exps.map((e) => e / sum);
}

/** Equations 2 and 3 of Ji et al. 2019, read off the page. */
function informationOf(a: Rows, b: Rows): number {
  const [p, q] = [a.map(softmaxOf), b.map(softmaxOf)];
  const classes = a[0]!.map((_, k) => k);
  const joint = classes.map((i) =>
    classes.map((j) =>
      p.reduce((sum, _, n) => sum + (p[n]![i]! * q[n]![j]! + q[n]![i]! * p[n]![j]!) / (2 * p.length), 0),
    ),
  );
  const marginal = joint.map((row) => row.reduce((sum, v) => sum + v, 0));
  return classes
    .flatMap((i) => classes.map((j) => [i, j] as const))
    .reduce(
      (sum, [i, j]) => sum + joint[i]![j]! * Math.log(joint[i]![j]! / (marginal[i]! * marginal[j]!)),
      0,
    );
}

describe('mutualInformation', () => {
  const a = [
    [2, 0.5, -1],
    [0, 1, 0.2],
    [-0.7, 0.1, 2.2],
    [1.5, 1.4, -2],
  ];
  const b = [
    [1, 0.9, -1.2],
    [0.3, 2, -0.2],
    [0.7, -0.1, 1.2],
    [-0.5, 1, 0],
  ];

  test('is the formula, and does not tell one view from the other', () => {
    const value = valueAt(mutualInformation, a, b);
    expect(value).toBeCloseTo(informationOf(a, b), 6);
    expect(valueAt(mutualInformation, b, a)).toBeCloseTo(value, 12);
    expect(value).toBeGreaterThan(0.03);
  });

  test('is 0 where everything is given one class, however surely', () => {
    const one = Array.from({ length: 6 }, () => [9, -9, 0]);
    expect(valueAt(mutualInformation, one, one)).toBeCloseTo(0, 6);
    const unsure = Array.from({ length: 6 }, () => [0, 0, 0]);
    expect(valueAt(mutualInformation, unsure, unsure)).toBeCloseTo(0, 6);
  });

  test('is near ln K for sure and balanced agreement, and far from it where views disagree', () => {
    const sure = Array.from({ length: 9 }, (_, n) => [0, 1, 2].map((k) => (n % 3 === k ? 25 : 0)));
    expect(valueAt(mutualInformation, sure, sure)).toBeCloseTo(Math.log(3), 5);
    // Each class of one view meets every class of the other equally often: knowing one says nothing of the other.
    const other = Array.from({ length: 9 }, (_, n) =>
      [0, 1, 2].map((k) => (Math.floor(n / 3) === k ? 25 : 0)),
    );
    expect(valueAt(mutualInformation, sure, other)).toBeCloseTo(0, 5);
  });

  test('has the gradient of its central differences, in both views', () => {
    const ops = checkGradients({
      operands: [randomTensor(1, [5, 4]), randomTensor(2, [5, 4])],
      build: (x, y) => mutualInformation(x!, y!),
    });
    expect(ops).toContain('log');
  });
});

describe('pseudoLabelLoss', () => {
  /** Logits of two classes with this probability for the first. */
  const sure = (p: number) => [Math.log(p / (1 - p)), 0];
  const distorted = [
    [1, 0],
    [0, 1.5],
    [-1, 2],
    [0.3, 0.2],
  ];
  const crossEntropy = (row: readonly number[], k: number) => -Math.log(softmaxOf(row)[k]!);

  test('counts only the rows above the threshold, and divides by all of them', () => {
    const confident = [sure(0.96), sure(0.94), sure(0.03), sure(0.5)];
    const loss = (threshold: number) =>
      valueAt((a, b) => pseudoLabelLoss(a, b, { threshold }), confident, distorted);
    const [first, second, third] = [0, 0, 1].map((k, n) => crossEntropy(distorted[n]!, k));
    expect(loss(0.95)).toBeCloseTo((first! + third!) / 4, 6);
    expect(loss(0.9)).toBeCloseTo((first! + second! + third!) / 4, 6);
    expect(loss(0.98)).toBe(0);
  });

  test('sends no gradient into the view that names the class, and the right one into the other', () => {
    const shape = [4, 2];
    const [a, b] = [input('a', 'float32', shape), input('b', 'float32', shape)];
    const fed = {
      a: Float64Array.from([sure(0.99), sure(0.7), sure(0.02), sure(0.98)].flat()),
      b: Float64Array.from(distorted.flat()),
    };
    expect(() => gradients(pseudoLabelLoss(a, b, { threshold: 0.95 }), [a])).toThrow(
      /that depends on wrt\[0\]/,
    );
    // Both are computed by one network: that one passes the discrete choice on the way must not be refused.
    checkGradients({
      operands: [float32(shape, fed.b)],
      build: (x) => pseudoLabelLoss(mul(x!, -3), x!, { threshold: 0.8 }),
    });
    checkGradients({
      operands: [float32(shape, fed.a), float32(shape, fed.b)],
      build: (x, y) => pseudoLabelLoss(x!, y!, { threshold: 0.95 }),
      wrt: [1],
    });
  });
});

describe('rowsOf', () => {
  const x = input('x', 'float32', [4, 3]);
  const data = Float64Array.from({ length: 12 }, (_, i) => i + 1);

  test.each([
    [0, 2],
    [1, 3],
    [3, 4],
  ])('rows %d to %d', (from, to) => {
    const y = interpret(graph({ y: rowsOf(x, from, to) }), { x: data }).y!;
    expect(y.shape).toEqual([to - from, 3]);
    expect([...y.data]).toEqual([...data.slice(3 * from, 3 * to)]);
  });

  test('all of them are the value itself; gradients go back to the rows that were taken', () => {
    expect(rowsOf(x, 0, 4)).toBe(x);
    checkGradients({ operands: [randomTensor(3, [4, 3])], build: (value) => rowsOf(value!, 1, 3) });
  });
});
