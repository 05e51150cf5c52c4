import { describe, expect, test } from 'vitest';
import { gradients } from '../../src/graph/gradients.js';
import { applyOne, constant, input, type OpDefinition, type Value } from '../../src/graph/graph.js';
import {
  add,
  broadcastTo,
  div,
  erf,
  exp,
  expOp,
  log,
  mul,
  mulOp,
  neg,
  reduceMean,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  sigmoid,
  sqrt,
  sub,
  tanh,
  transpose,
} from '../../src/graph/ops/arithmetic.js';
import { conv, convInputGrad, convWeightGrad, type Pads, samePads } from '../../src/graph/ops/conv.js';
import { oneHot } from '../../src/graph/ops/discrete.js';
import { allOps } from '../../src/graph/ops/index.js';
import { matMul } from '../../src/graph/ops/matmul.js';
import { batchNormInference, batchNormTrain } from '../../src/graph/ops/normalize.js';
import { concat, slice } from '../../src/graph/ops/parts.js';
import {
  avgPool,
  avgPoolGrad,
  maxPool,
  type PoolAttributes,
  samePoolPads,
} from '../../src/graph/ops/pool.js';
import { logSoftmax, softmax } from '../../src/graph/ops/softmax.js';
import { tensor } from '../../src/tensor/tensor.js';
import { checkGradients, type DifferentiableCase } from '../support/gradient-check.js';
import { randomApart, randomAwayFromZero, randomTensor } from '../support/numeric.js';

interface Row extends DifferentiableCase {
  readonly op: string;
  /** What is particular about this case. */
  readonly what: string;
}

let seed = 0;
const uniform = (...shape: number[]) => randomTensor(seed++, shape);
const positive = (...shape: number[]) => randomTensor(seed++, shape, { low: 0.5, high: 2 });
const awayFromZero = (...shape: number[]) => randomAwayFromZero(seed++, shape);
const apart = (...shape: number[]) => randomApart(seed++, shape);

const none: Pads = [0, 0, 0, 0];
const epsilon = 1e-3;

/** 3 × 3 windows at stride 2 with TensorFlow's "same" pads, as RotNet pools. */
const same3x3 = (height: number, width: number): PoolAttributes => ({
  kernel: [3, 3],
  strides: [2, 2],
  pads: samePoolPads([height, width], [3, 3], [2, 2]),
});
const lopsided: PoolAttributes = { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 2] };

const square = (v: Value) => mul(v, v);
const sumOf = (v: Value) => reduceSum(v, [...v.shape.keys()]);
/** Σ of the squared gradients of Σ y³: a function whose own gradient runs the rules of the gradient ops. */
function gradientNorm(y: Value, operands: readonly Value[]): Value {
  const norms = gradients(sumOf(mul(square(y), y)), operands).map((g) => sumOf(square(g)));
  return norms.reduce((sum, norm) => add(sum, norm));
}

const rows: readonly Row[] = [
  { op: 'add', what: 'one shape', operands: [uniform(2, 3), uniform(2, 3)], build: add },
  { op: 'add', what: '[2, 3, 4] + [3, 1]', operands: [uniform(2, 3, 4), uniform(3, 1)], build: add },
  { op: 'add', what: '[3, 1] + [1, 4]', operands: [uniform(3, 1), uniform(1, 4)], build: add },
  { op: 'add', what: 'scalar + [2, 3]', operands: [uniform(), uniform(2, 3)], build: add },
  { op: 'add', what: '[1] + scalar', operands: [uniform(1), uniform()], build: add },
  {
    op: 'add',
    what: 'a map + [C, 1, 1]',
    operands: [uniform(2, 3, 2, 2), uniform(3, 1, 1)],
    build: add,
  },
  { op: 'sub', what: 'one shape', operands: [uniform(2, 3), uniform(2, 3)], build: sub },
  { op: 'sub', what: '[3] − [2, 3]', operands: [uniform(3), uniform(2, 3)], build: sub },
  { op: 'sub', what: '[2, 1] − [1, 3]', operands: [uniform(2, 1), uniform(1, 3)], build: sub },
  { op: 'mul', what: 'one shape', operands: [uniform(2, 3), uniform(2, 3)], build: mul },
  { op: 'mul', what: 'a map · [C, 1, 1]', operands: [uniform(2, 3, 2, 2), uniform(3, 1, 1)], build: mul },
  { op: 'mul', what: '[2, 1, 4] · [3, 1]', operands: [uniform(2, 1, 4), uniform(3, 1)], build: mul },
  { op: 'mul', what: 'by a number', operands: [uniform(2, 3)], build: (x) => mul(x!, -1.5) },
  { op: 'mul', what: 'by itself', operands: [uniform(2, 3)], build: (x) => mul(x!, x!) },
  { op: 'div', what: 'one shape', operands: [uniform(2, 3), positive(2, 3)], build: div },
  { op: 'div', what: '[2, 3] / [2, 1]', operands: [uniform(2, 3), positive(2, 1)], build: div },
  { op: 'div', what: 'scalar / [3]', operands: [uniform(), positive(3)], build: div },
  { op: 'neg', what: '[2, 3]', operands: [uniform(2, 3)], build: neg },
  { op: 'exp', what: '[2, 3]', operands: [uniform(2, 3)], build: exp },
  { op: 'log', what: 'of positive values', operands: [positive(2, 3)], build: log },
  { op: 'sqrt', what: 'of positive values', operands: [positive(2, 3)], build: sqrt },
  { op: 'sigmoid', what: '[2, 3]', operands: [uniform(2, 3)], build: sigmoid },
  { op: 'tanh', what: '[2, 3]', operands: [uniform(2, 3)], build: tanh },
  { op: 'erf', what: '[2, 3]', operands: [uniform(2, 3)], build: erf },
  {
    op: 'slice',
    what: 'the middle',
    operands: [uniform(2, 5)],
    build: (x) => slice(x!, { axis: 1, from: 1, to: 3 }),
  },
  {
    op: 'slice',
    what: 'the end',
    operands: [uniform(4, 2, 3)],
    build: (x) => slice(x!, { axis: 0, from: 2, to: 4 }),
  },
  {
    op: 'slice',
    what: 'all of it',
    operands: [uniform(2, 3)],
    build: (x) => slice(x!, { axis: 0, from: 0, to: 2 }),
  },
  { op: 'concat', what: 'one twice', operands: [uniform(2, 3)], build: (x) => concat([x!, square(x!)], 1) },
  { op: 'relu', what: 'away from 0', operands: [awayFromZero(4, 5)], build: relu },
  {
    op: 'reluGrad',
    what: 'in dy',
    operands: [awayFromZero(4, 5), uniform(4, 5)],
    build: reluGrad,
    wrt: [1],
  },
  {
    op: 'reluGrad',
    what: 'second order through relu',
    operands: [awayFromZero(4, 5)],
    build: (x) => gradientNorm(relu(x!), [x!]),
  },

  {
    op: 'reshape',
    what: '[2, 6] → [3, 1, 4]',
    operands: [uniform(2, 6)],
    build: (x) => reshape(x!, [3, 1, 4]),
  },
  { op: 'reshape', what: '[1, 1] → scalar', operands: [uniform(1, 1)], build: (x) => reshape(x!, []) },
  { op: 'transpose', what: 'a matrix', operands: [uniform(2, 3)], build: (x) => transpose(x!, [1, 0]) },
  {
    op: 'transpose',
    what: 'a perm that is not its own inverse',
    operands: [uniform(2, 3, 4, 5)],
    build: (x) => transpose(x!, [2, 0, 3, 1]),
  },
  {
    op: 'broadcastTo',
    what: '[3, 1] → [2, 3, 4]',
    operands: [uniform(3, 1)],
    build: (x) => broadcastTo(x!, [2, 3, 4]),
  },
  {
    op: 'broadcastTo',
    what: 'scalar → [2, 3]',
    operands: [uniform()],
    build: (x) => broadcastTo(x!, [2, 3]),
  },
  {
    op: 'broadcastTo',
    what: '[1, 2] → [1, 2] with an axis before',
    operands: [uniform(1, 2)],
    build: (x) => broadcastTo(x!, [1, 1, 2]),
  },
  ...[reduceSum, reduceMean].flatMap((reduce): Row[] => {
    const row = (shape: readonly number[], axes: readonly number[], keepDims: boolean): Row => ({
      op: reduce === reduceSum ? 'reduceSum' : 'reduceMean',
      what: `[${shape}] over [${axes}]${keepDims ? ', axes kept' : ''}`,
      operands: [uniform(...shape)],
      build: (x) => reduce(x!, axes, { keepDims }),
    });
    return [
      row([2, 3, 4], [1], false),
      row([2, 3, 4], [1], true),
      row([2, 3, 4, 2], [0, 2, 3], false),
      row([2, 3, 4, 2], [3, 0], true),
      row([2, 3], [0, 1], false),
      row([2, 3], [], false),
    ];
  }),

  ...[[], [2]].flatMap((many) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map(
        (transposeB): Row => ({
          op: 'matMul',
          what: `A${transposeA ? 'ᵀ' : ''}·B${transposeB ? 'ᵀ' : ''}${many.length > 0 ? ', two of each' : ''}`,
          operands: [
            uniform(...many, ...(transposeA ? [3, 2] : [2, 3])),
            uniform(...many, ...(transposeB ? [4, 3] : [3, 4])),
          ],
          build: (a, b) => matMul(a!, b!, { transposeA, transposeB }),
        }),
      ),
    ),
  ),
  {
    op: 'matMul',
    what: 'second order',
    operands: [uniform(2, 3), uniform(4, 3)],
    build: (a, b) => gradientNorm(matMul(a!, b!, { transposeB: true }), [a!, b!]),
  },

  ...(
    [
      ['5 × 5 same', [2, 2, 6, 5], [3, 2, 5, 5], samePads(5, 5)],
      ['3 × 3 same', [2, 3, 4, 5], [2, 3, 3, 3], samePads(3, 3)],
      ['3 × 3 without pads', [2, 2, 5, 4], [3, 2, 3, 3], none],
      ['1 × 1', [2, 3, 3, 4], [4, 3, 1, 1], none],
      ['2 × 4 same, an even kernel', [2, 2, 4, 5], [3, 2, 2, 4], samePads(2, 4)],
      ['3 × 2 with four different pads', [1, 2, 4, 3], [2, 2, 3, 2], [2, 0, 1, 3]],
      ['pads beyond the kernel', [1, 1, 2, 2], [1, 1, 2, 2], [3, 0, 0, 2]],
    ] satisfies [string, number[], number[], Pads][]
  ).flatMap(([what, x, w, pads]): Row[] => {
    const y = [
      x[0]!,
      w[0]!,
      x[2]! + pads[0] + pads[2] - w[2]! + 1,
      x[3]! + pads[1] + pads[3] - w[3]! + 1,
    ] as const;
    return [
      {
        op: 'conv',
        what,
        operands: [uniform(...x), uniform(...w)],
        build: (x, w) => conv(x!, w!, { pads }),
      },
      {
        op: 'convInputGrad',
        what,
        operands: [uniform(...y), uniform(...w)],
        build: (dy, w) => convInputGrad(dy!, w!, x, { pads }),
      },
      {
        op: 'convWeightGrad',
        what,
        operands: [uniform(...x), uniform(...y)],
        build: (x, dy) => convWeightGrad(x!, dy!, w, { pads }),
      },
    ];
  }),
  {
    op: 'conv',
    what: 'second order: the norm of both gradients',
    operands: [uniform(2, 2, 4, 3), uniform(3, 2, 3, 2)],
    build: (x, w) => gradientNorm(conv(x!, w!, { pads: samePads(3, 2) }), [x!, w!]),
  },

  ...(
    [
      ['3 × 3, stride 2, same, even map', [2, 2, 6, 8], same3x3(6, 8)],
      ['3 × 3, stride 2, same, odd map', [2, 2, 7, 5], same3x3(7, 5)],
      ['3 × 3, stride 2, same, even × odd map', [1, 2, 4, 5], same3x3(4, 5)],
      ['2 × 3, strides 1 and 2, four different pads', [1, 2, 4, 5], lopsided],
      [
        '2 × 2, stride 3: pixels that no window covers',
        [1, 2, 5, 6],
        { kernel: [2, 2], strides: [3, 3], pads: none },
      ],
    ] satisfies [string, number[], PoolAttributes][]
  ).flatMap(([what, shape, attributes]): Row[] => [
    { op: 'maxPool', what, operands: [apart(...shape)], build: (x) => maxPool(x!, attributes) },
    { op: 'avgPool', what, operands: [uniform(...shape)], build: (x) => avgPool(x!, attributes) },
    {
      op: 'avgPoolGrad',
      what,
      operands: [uniform(...avgPool(input('x', 'float32', shape), attributes).shape)],
      build: (dy) => avgPoolGrad(dy!, shape, attributes),
    },
  ]),
  {
    op: 'avgPool',
    what: 'second order',
    operands: [uniform(1, 2, 5, 4)],
    build: (x) => gradientNorm(avgPool(x!, same3x3(5, 4)), [x!]),
  },

  {
    op: 'batchNormTrain',
    what: 'y in x, scale and shift',
    operands: [uniform(3, 2, 2, 3), positive(2), uniform(2)],
    build: (x, scale, shift) => batchNormTrain(x!, scale!, shift!, { epsilon }).y,
  },
  {
    op: 'batchNormTrain',
    what: 'a small variance against a large epsilon',
    operands: [uniform(2, 3, 2, 2), uniform(3), uniform(3)],
    build: (x, scale, shift) => batchNormTrain(x!, scale!, shift!, { epsilon: 0.5 }).y,
  },

  {
    op: 'batchNormInference',
    what: 'all five operands',
    operands: [uniform(2, 3, 2, 2), uniform(3), uniform(3), uniform(3), positive(3)],
    build: (x, scale, shift, mean, variance) =>
      batchNormInference(x!, { scale: scale!, shift: shift!, mean: mean!, variance: variance! }, { epsilon }),
  },

  { op: 'softmax', what: '[3, 4]', operands: [uniform(3, 4)], build: softmax },
  { op: 'softmax', what: 'one column', operands: [uniform(3, 1)], build: softmax },
  { op: 'logSoftmax', what: '[3, 4]', operands: [uniform(3, 4)], build: logSoftmax },
  {
    op: 'logSoftmax',
    what: 'cross-entropy of labels',
    operands: [uniform(3, 4)],
    build: (logits) => crossEntropy(logits!, [2, 0, 3]),
  },
];

/** Mean over rows of −log p[label]. */
function crossEntropy(logits: Value, labels: readonly number[]): Value {
  const targets = oneHot(
    constant(tensor('int32', [labels.length], Int32Array.from(labels))),
    logits.shape[1]!,
  );
  return neg(reduceMean(reduceSum(mul(targets, logSoftmax(logits)), [1]), [0]));
}

describe('gradient rules agree with central differences', () => {
  test.each(rows)('$op: $what', ({ op, ...row }) => {
    expect(checkGradients(row)).toContain(op);
  });

  test('every op is checked, or says that it has no gradient', () => {
    const checked = new Set(rows.map(({ op }) => op));
    const differentiable = allOps.filter((op) => typeof op.gradient === 'function').map((op) => op.name);
    expect([...checked].sort()).toEqual(differentiable.sort());
  });

  test('these ops have none on purpose', () => {
    expect(allOps.filter((op) => op.gradient === 'none').map((op) => op.name)).toEqual([
      'input',
      'constant',
      'maxPoolGrad',
      'batchNormGrad',
      'cast',
      'oneHot',
      'equal',
    ]);
    expect(allOps.filter((op) => op.gradient === 'zero').map((op) => op.name)).toEqual(['argMax']);
  });

  test('a network end to end: two blocks of conv, batch norm, relu and pool, a head, cross-entropy', () => {
    const names = checkGradients({
      operands: [
        uniform(2, 1, 6, 6), // images
        uniform(3, 1, 3, 3), // block 1
        positive(3),
        uniform(3),
        uniform(4, 3, 1, 1), // block 2
        positive(4),
        uniform(4),
        uniform(4, 3), // head
        uniform(3),
      ],
      build: (images, kernel1, scale1, shift1, kernel2, scale2, shift2, weights, bias) => {
        const block = (x: Value, kernel: Value, scale: Value, shift: Value) => {
          const pads = samePads(kernel.shape[2]!, kernel.shape[3]!);
          return relu(batchNormTrain(conv(x, kernel, { pads }), scale, shift, { epsilon }).y);
        };
        const maps1 = maxPool(block(images!, kernel1!, scale1!, shift1!), same3x3(6, 6));
        const maps2 = avgPool(block(maps1, kernel2!, scale2!, shift2!), same3x3(3, 3));
        const features = reduceMean(maps2, [2, 3]);
        return crossEntropy(add(matMul(features, weights!), bias!), [2, 0]);
      },
    });
    expect(names).toEqual(expect.arrayContaining(['conv', 'batchNormTrain', 'relu', 'maxPool', 'avgPool']));
  });
});

describe('the check itself', () => {
  test('finds a rule that is wrong by two millionths', () => {
    const wrongExp: OpDefinition = {
      ...expOp,
      gradient: ({ outputs: [out] }, [g]) => [mul(mul(g!, out!), 1 + 2 ** -19)],
    };
    const build = (x?: Value) => applyOne(wrongExp, [x!], {});
    expect(() => checkGradients({ operands: [positive(3)], build })).toThrow(
      /^gradient of operand0: 3 of 3 values are off, the worst at \[\d\]/,
    );
  });

  test('finds an operand that a rule forgets', () => {
    const forgetful: OpDefinition = { ...mulOp, gradient: ({ inputs: [, b] }, [g]) => [mul(g!, b!)] };
    const build = (a?: Value, b?: Value) => add(applyOne(forgetful, [a!, b!], {}), b!);
    expect(() => checkGradients({ operands: [positive(3), positive(3)], build })).toThrow(
      'gradient of operand1',
    );
  });
});
