import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gradients } from '../../src/graph/gradients.js';
import { constant, graph, input, type Value } from '../../src/graph/graph.js';
import {
  add,
  erf,
  mul,
  neg,
  reduceMean,
  reduceSum,
  sigmoid,
  sub,
  tanh,
  transpose,
} from '../../src/graph/ops/arithmetic.js';
import { conv, samePads } from '../../src/graph/ops/conv.js';
import { argMax, cast, equal, oneHot } from '../../src/graph/ops/discrete.js';
import { allOps } from '../../src/graph/ops/index.js';
import { matMul } from '../../src/graph/ops/matmul.js';
import { batchNormInference, batchNormTrain } from '../../src/graph/ops/normalize.js';
import { avgPool, maxPool, samePoolPads } from '../../src/graph/ops/pool.js';
import { logSoftmax, softmax } from '../../src/graph/ops/softmax.js';
import { gelu } from '../../src/nn/activations.js';
import { type DType, float32, type Shape } from '../../src/tensor/tensor.js';
import { interpret, kernels } from './interpreter.js';
import type { Float64Tensor } from './kernels/kernel.js';
import { expectClose, randomTensor, type Shaped } from './numeric.js';

interface GoldenCase {
  readonly inputs: Readonly<Record<string, Golden>>;
  readonly outputs: Readonly<Record<string, Golden>>;
  readonly upstream?: Golden;
  readonly gradients: Readonly<Record<string, Golden>>;
}
interface Golden {
  readonly shape: Shape;
  readonly data: readonly number[];
}
type Values = Readonly<Record<string, Value>>;

const goldenFile = new URL('../golden/ops.json', import.meta.url);
const golden = JSON.parse(readFileSync(goldenFile, 'utf8')).cases as Readonly<Record<string, GoldenCase>>;

const epsilon = 1e-3;
const same = (x: Value) => {
  const [, , height, width] = x.shape as readonly [number, number, number, number];
  const pads = samePoolPads([height, width], [3, 3], [2, 2]);
  return { kernel: [3, 3], strides: [2, 2], pads } as const;
};
const convSame = ({ x, kernel }: Values) => ({
  y: conv(x!, kernel!, { pads: samePads(kernel!.shape[2]!, kernel!.shape[3]!) }),
});
const pooled =
  (pool: typeof maxPool) =>
  ({ x }: Values) => ({ y: pool(x!, same(x!)) });
const crossEntropy = ({ logits, targets }: Values) => {
  const logProbabilities = logSoftmax(logits!);
  const picked = mul(oneHot(targets!, logits!.shape[1]!), logProbabilities);
  return { loss: neg(reduceMean(reduceSum(picked, [1]), [0])), logProbabilities };
};

/** How each golden case is written in our ops; its first output is the one that is differentiated. */
const built: Readonly<Record<string, (inputs: Values) => Values>> = {
  conv5x5: convSame,
  conv3x3: convSame,
  conv1x1: convSame,
  maxPoolEven: pooled(maxPool),
  maxPoolOdd: pooled(maxPool),
  maxPoolEvenOddNegative: pooled(maxPool),
  maxPoolEvenTies: pooled(maxPool),
  maxPoolOddTies: pooled(maxPool),
  averagePoolEven: pooled(avgPool),
  averagePoolOdd: pooled(avgPool),
  batchNormTrain: ({ x, scale, shift }) => ({ ...batchNormTrain(x!, scale!, shift!, { epsilon }) }),
  batchNormInference: ({ x, scale, shift, mean, variance }) => ({
    y: batchNormInference(
      x!,
      { scale: scale!, shift: shift!, mean: mean!, variance: variance! },
      { epsilon },
    ),
  }),
  crossEntropy,
  crossEntropyLargeLogits: crossEntropy,
  dense: ({ x, kernel, bias }) => ({ y: add(matMul(x!, kernel!), bias!) }),
  sigmoid: ({ x }) => ({ y: sigmoid(x!) }),
  tanh: ({ x }) => ({ y: tanh(x!) }),
  erf: ({ x }) => ({ y: erf(x!) }),
  gelu: ({ x }) => ({ y: gelu(x!) }),
};

describe('the interpreter agrees with PyTorch in float64', () => {
  test('every golden case is built here', () => {
    expect(Object.keys(built)).toEqual(Object.keys(golden));
  });

  test.each(Object.entries(golden))('%s', (name, { inputs, outputs, upstream, gradients: expected }) => {
    const dtypeOf = (input: string): DType => (input === 'targets' ? 'int32' : 'float32');
    const values = Object.fromEntries(
      Object.entries(inputs).map(([key, { shape }]) => [key, input(key, dtypeOf(key), shape)]),
    );
    const results = built[name]!(values);
    const first = Object.values(results)[0]!;
    // L = Σ upstream·y, so that the gradient that reaches y is the upstream one.
    const weighted = upstream
      ? mul(first, input('upstream', 'float32', upstream.shape))
      : mul(first, constant(float32([], [1])));
    const loss = reduceSum(weighted, [...weighted.shape.keys()]);
    const wrt = Object.keys(expected);
    const derived = gradients(
      loss,
      wrt.map((key) => values[key]!),
    );
    const named = Object.fromEntries(wrt.map((key, i) => [`gradient of ${key}`, derived[i]!]));
    const whole = graph({ ...results, ...named });

    const available: Readonly<Record<string, Golden | undefined>> = { ...inputs, upstream };
    const fed = Object.fromEntries(Object.keys(whole.inputs).map((key) => [key, available[key]!.data]));
    const actual = interpret(whole, fed);

    const tolerance = { relative: 1e-7, absolute: 1e-7 }; // the file holds nine digits, sums lose some
    for (const key of Object.keys(results)) expectClose(actual[key]!, outputs[key]!, tolerance, key);
    for (const key of wrt) {
      expectClose(actual[`gradient of ${key}`]!, expected[key]!, tolerance, `gradient of ${key}`);
    }
  });
});

describe('interpret', () => {
  /** One output of one op on inputs given as numbers. */
  function run(build: (...inputs: Value[]) => Value, ...operands: [DType, Shape, number[]][]): Float64Tensor {
    const values = operands.map(([dtype, shape], i) => input(`${i}`, dtype, shape));
    const fed = Object.fromEntries(operands.map(([, , numbers], i) => [`${i}`, numbers]));
    return interpret(graph({ out: build(...values) }), fed).out!;
  }
  const numbers = (...parameters: Parameters<typeof run>) => [...run(...parameters).data];

  test('knows every op and no other', () => {
    expect(Object.keys(kernels).sort()).toEqual(allOps.map((op) => op.name).sort());
  });

  test('broadcasts with axes aligned at the end', () => {
    const { shape, data } = run(
      sub,
      ['float32', [2, 2], [1, 2, 3, 4]],
      ['float32', [3, 1, 2], [0, 10, 20, 30, 40, 50]],
    );
    expect(shape).toEqual([3, 2, 2]);
    expect([...data]).toEqual([1, -8, 3, -6, -19, -28, -17, -26, -39, -48, -37, -46]);
  });

  test('transposes: axis k of the output is axis perm[k] of the input', () => {
    const x: [DType, Shape, number[]] = ['float32', [1, 2, 3], [1, 2, 3, 4, 5, 6]];
    const { shape, data } = run((v) => transpose(v!, [2, 0, 1]), x);
    expect(shape).toEqual([3, 1, 2]);
    expect([...data]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('conv does not flip its kernel, and reads pads as top, left, bottom, right', () => {
    const x: [DType, Shape, number[]] = ['float32', [1, 1, 2, 2], [1, 2, 3, 4]];
    const w: [DType, Shape, number[]] = ['float32', [1, 1, 1, 2], [10, 1]];
    expect(numbers((x, w) => conv(x!, w!, { pads: [0, 0, 0, 0] }), x, w)).toEqual([12, 34]);
    const { shape, data } = run((x, w) => conv(x!, w!, { pads: [1, 1, 0, 0] }), x, w);
    expect(shape).toEqual([1, 1, 3, 2]);
    expect([...data]).toEqual([0, 0, 1, 12, 3, 34]);
  });

  test('softmax holds at magnitudes that overflow eˣ', () => {
    expect(numbers((x) => softmax(x!), ['float32', [1, 3], [1000, 1000, -1000]])).toEqual([0.5, 0.5, 0]);
  });

  test('casts toward zero', () => {
    const x: [DType, Shape, number[]] = ['float32', [4], [-1.9, -0.5, 0.9, 254.99]];
    expect(numbers((v) => cast(v!, 'int32'), x).map((v) => v + 0)).toEqual([-1, 0, 0, 254]);
    expect(numbers((v) => cast(v!, 'uint8'), ['float32', [2], [0.99, 254.99]])).toEqual([0, 254]);
    expect(numbers((v) => cast(v!, 'bool'), x)).toEqual([1, 1, 1, 1]);
    expect(numbers((v) => cast(v!, 'float32'), ['uint8', [2], [0, 255]])).toEqual([0, 255]);
  });

  test('argMax takes the first maximum, equal compares, oneHot ignores labels out of range', () => {
    const rows: [DType, Shape, number[]] = ['float32', [3, 3], [1, 5, 5, -2, -3, -2, 0, 0, 1]];
    expect(numbers((v) => argMax(v!), rows)).toEqual([1, 0, 2]);
    expect(numbers(equal, ['int32', [3], [1, 2, 3]], ['int32', [3], [1, 0, 3]])).toEqual([1, 0, 1]);
    expect(numbers((v) => oneHot(v!, 2), ['int32', [4], [1, 0, 2, -1]])).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });

  test('computes in float64 whatever the dtype', () => {
    expect(numbers(add, ['float32', [], [0.1]], ['float32', [], [0.2]])).toEqual([0.1 + 0.2]);
  });

  test('names an input that is missing, unknown or of another size', () => {
    const sum = graph({ sum: add(input('a', 'float32', [2]), 1) });
    expect(() => interpret(sum, {})).toThrow('expected a value for input "a". Received: none.');
    expect(() => interpret(sum, { a: [1, 2], b: [1] })).toThrow('Received: "b".');
    expect(() => interpret(sum, { a: [1] })).toThrow('expected [2] for input "a". Received: 1 numbers.');
    expect(() => interpret(sum, { a: float32([1, 2], [1, 2]) })).toThrow('Received: [1,2].');
  });
});

describe('expectClose', () => {
  const close = (actual: Shaped | number[], expected: Shaped | number[], relative: number, absolute = 0) =>
    expectClose(actual, expected, { relative, absolute }, 'these');

  test('allows absolute + relative·|expected|, both ends included', () => {
    expect(() => close([1.5, -2], [1, -4], 0.5)).not.toThrow();
    expect(() => close([0.25], [0], 0.5, 0.25)).not.toThrow();
    expect(() => close([0.26], [0], 0.5, 0.25)).toThrow();
  });

  test('names the worst index and both values', () => {
    const expected = { shape: [2, 3], data: [1, 1, 1, 1, 1, 100] };
    expect(() => close([1, 1.1, 1, 3, 1, 101], expected, 0.05)).toThrow(
      'these: 2 of 6 values are off, the worst at [1, 0]: expected 1 ± 0.05. Received: 3.',
    );
  });

  test('NaN is close to nothing, an infinity to itself', () => {
    expect(() => close([Number.NaN], [Number.NaN], 1)).toThrow('Received: NaN');
    expect(() => close([1, Number.NaN], [1, 1], 1)).toThrow('worst at [1]');
    expect(() => close([Number.POSITIVE_INFINITY], [1], 1)).toThrow('Received: Infinity');
    expect(() => close([1], [Number.POSITIVE_INFINITY], 1)).toThrow('expected Infinity');
    expect(() => close([Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY], 0)).not.toThrow();
  });

  test('compares shapes', () => {
    expect(() => close(float32([2, 3], Array(6).fill(0)), float32([3, 2], Array(6).fill(0)), 1)).toThrow(
      'these: expected shape [3,2]. Received: [2,3].',
    );
    expect(() => close([1], [1, 2], 1)).toThrow('expected shape [2]. Received: [1].');
  });
});

describe('randomTensor', () => {
  test('is the same for the same seed and stays in its range', () => {
    const drawn = randomTensor(3, [20, 50], { low: 2, high: 5 });
    expect(drawn).toEqual(randomTensor(3, [20, 50], { low: 2, high: 5 }));
    expect(drawn.data).not.toEqual(randomTensor(4, [20, 50], { low: 2, high: 5 }).data);
    expect(Math.min(...drawn.data)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...drawn.data)).toBeLessThanOrEqual(5);
    expect(drawn.data.reduce((sum, v) => sum + v) / 1000).toBeCloseTo(3.5, 1);
  });
});
