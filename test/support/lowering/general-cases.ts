import type { Value } from '../../../src/graph/graph.js';
import { constant } from '../../../src/graph/graph.js';
import {
  add,
  broadcastTo,
  div,
  erf,
  exp,
  log,
  mul,
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
} from '../../../src/graph/ops/arithmetic.js';
import { argMax, cast, equal, oneHot } from '../../../src/graph/ops/discrete.js';
import { matMul } from '../../../src/graph/ops/matmul.js';
import { logSoftmax, softmax } from '../../../src/graph/ops/softmax.js';
import { type DType, float32, type Shape, tensor } from '../../../src/tensor/tensor.js';
import { randomAwayFromZero, randomTensor } from '../numeric.js';
import type { LoweringCase } from './case.js';

/** Cases of the ops that are not about images: elementwise, axes, reductions, matrices, whole numbers. */

let seed = 100;
const uniform = (...shape: number[]) => randomTensor(seed++, shape);
const positive = (...shape: number[]) => randomTensor(seed++, shape, { low: 0.5, high: 2 });
const awayFromZero = (...shape: number[]) => randomAwayFromZero(seed++, shape);
const bytes = (...values: number[]) => tensor('uint8', [values.length], Uint8Array.from(values));
const int32s = (...values: number[]) => tensor('int32', [values.length], Int32Array.from(values));

/** N ≠ C ≠ H ≠ W: a swap of any two axes shows. */
const map: Shape = [2, 3, 4, 5];
/** Maps on which a transpose of N and C moves nothing in memory. */
const thinMaps: readonly Shape[] = [
  [1, 3, 2, 2],
  [3, 1, 2, 2],
  [1, 1, 3, 1],
  [2, 3, 1, 1],
];

const binary = { add, sub, mul, div } as const;
/** What a map meets: itself, per channel, per image, per row, per column, one image, numbers, ranks above its own. */
const partners: readonly Shape[] = [
  map,
  [3, 1, 1],
  [1, 3, 1, 1],
  [2, 1, 1, 1],
  [2, 3, 1, 1],
  [1, 1, 4, 5],
  [4, 1],
  [5],
  [3, 4, 5],
  [],
  [1],
  [1, 1, 1, 1],
  [2, 1, 1, 1, 1],
  [1, 1, 1, 1, 1],
];

const elementwise: readonly LoweringCase[] = [
  ...Object.entries(binary).flatMap(([op, build]): LoweringCase[] => [
    ...partners.map(
      (shape): LoweringCase => ({
        op,
        what: `a map and [${shape}], both ways`,
        inputs: [positive(...map), positive(...shape)],
        build: (a, b) => [build(a!, b!), build(b!, a!)],
      }),
    ),
    {
      op,
      what: 'matrices, a row, a column and a number',
      inputs: [positive(3, 4), positive(1, 4), positive(3, 1)],
      build: (a, row, column) => [
        build(a!, a!),
        build(a!, row!),
        build(column!, a!),
        build(row!, column!),
        build(a!, 3),
        build(-0.5, a!),
      ],
    },
    {
      op,
      what: 'two maps that broadcast each other',
      inputs: [positive(2, 1, 4, 1), positive(1, 3, 1, 5)],
      build: (a, b) => build(a!, b!),
    },
  ]),
  {
    op: 'add',
    what: 'a map and a constant of rank 4',
    inputs: [uniform(...map)],
    build: (x) => [add(x!, constant(uniform(...map))), add(constant(uniform(1, 3, 1, 1)), x!)],
  },
  {
    op: 'mul',
    what: 'thin maps per channel and per image',
    inputs: thinMaps.map((shape) => uniform(...shape)),
    build: (...maps) =>
      maps.flatMap((x) => [
        mul(x, constant(uniform(x.shape[1]!, 1, 1))),
        mul(x, constant(uniform(x.shape[0]!, 1, 1, 1))),
      ]),
  },
  ...Object.entries({ neg, exp, log, sqrt, sigmoid, tanh, erf, relu }).map(
    ([op, build]): LoweringCase => ({
      op,
      what: 'a map, a matrix, a number',
      inputs: (op === 'log' || op === 'sqrt' ? [positive] : [uniform]).flatMap((draw) => [
        draw(...map),
        draw(3, 4),
        draw(),
      ]),
      build: (...xs) => xs.map((x) => build(x)),
    }),
  ),
  {
    op: 'relu',
    what: 'what is exactly 0',
    inputs: [float32([4], [0, -0, 1, -1])],
    build: (x) => relu(x!),
  },
  {
    op: 'reluGrad',
    what: 'a map, a matrix, both layouts meeting',
    inputs: [awayFromZero(...map), uniform(...map), awayFromZero(3, 4), uniform(3, 4)],
    build: (y, dy, z, dz) => [
      reluGrad(y!, dy!),
      reluGrad(z!, dz!),
      reluGrad(y!, constant(uniform(...map))),
      reluGrad(constant(awayFromZero(...map)), dy!),
    ],
  },
  {
    op: 'reluGrad',
    what: 'what is exactly 0, and what is tiny or huge',
    inputs: [float32([6], [0, -0, 1e-30, -1e-30, 1e30, -1e30]), uniform(6)],
    build: (y, dy) => reluGrad(y!, dy!),
  },
];

/** All sets of axes of a rank, the empty one too. */
const subsets = (rank: number): number[][] =>
  Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, a) => a).filter((a) => bits & (1 << a)),
  );

const reductions: readonly LoweringCase[] = Object.entries({ reduceSum, reduceMean }).flatMap(
  ([op, build]) => [
    ...[false, true].map(
      (keepDims): LoweringCase => ({
        op,
        what: `a map over every set of axes${keepDims ? ', axes kept' : ''}`,
        inputs: [uniform(...map)],
        build: (x) => subsets(4).map((axes) => build(x!, axes, { keepDims })),
      }),
    ),
    {
      op,
      what: 'thin maps over every set of axes',
      inputs: thinMaps.map((shape) => uniform(...shape)),
      build: (...maps) =>
        maps.flatMap((x) =>
          subsets(4).flatMap((axes) => [build(x, axes), build(x, axes, { keepDims: true })]),
        ),
    },
    {
      op,
      what: 'axes in another order, other ranks',
      inputs: [uniform(...map), uniform(2, 3), uniform(4), uniform(), uniform(2, 3, 1, 2, 2)],
      build: (x, matrix, vector, number, five) => [
        build(x!, [3, 0]),
        build(x!, [2, 1], { keepDims: true }),
        ...subsets(2).map((axes) => build(matrix!, axes)),
        build(vector!, [0]),
        build(number!, []),
        build(five!, [0, 3]),
      ],
    },
    {
      op,
      what: 'of a reduction, and of a reduction next to a map',
      inputs: [uniform(...map)],
      build: (x) => {
        const perImage = build(x!, [1, 2, 3], { keepDims: true });
        const perChannel = build(x!, [0, 2, 3], { keepDims: true });
        return [
          build(perImage, [0]),
          sub(x!, perImage),
          sub(sub(x!, perChannel), build(x!, [2, 3], { keepDims: true })),
        ];
      },
    },
  ],
);

/** All orders of four axes. */
const permutations = (items: readonly number[]): number[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((first) =>
        permutations(items.filter((i) => i !== first)).map((rest) => [first, ...rest]),
      );

const axes: readonly LoweringCase[] = [
  {
    op: 'reshape',
    what: 'a map to other ranks and to other maps; to and from a number',
    inputs: [uniform(...map), uniform(1, 1, 1, 1), uniform()],
    build: (x, one, number) => [
      reshape(x!, [6, 20]),
      reshape(x!, [120]),
      reshape(x!, [3, 2, 5, 4]),
      reshape(x!, [1, 2, 3, 4, 5]),
      reshape(one!, []),
      reshape(number!, [1, 1, 1, 1]),
    ],
  },
  {
    op: 'reshape',
    what: 'bytes and whole numbers',
    inputs: [bytes(1, 2, 3, 250, 251, 252), int32s(-1, 2, -3, 4)],
    build: (b, i) => [reshape(b!, [2, 3]), reshape(i!, [1, 2, 1, 2])],
  },
  {
    op: 'transpose',
    what: 'a map in every order of its axes',
    inputs: [uniform(...map)],
    build: (x) => permutations([0, 1, 2, 3]).map((perm) => transpose(x!, perm)),
  },
  {
    op: 'transpose',
    what: 'thin maps in every order of their axes',
    inputs: thinMaps.map((shape) => uniform(...shape)),
    build: (...maps) => maps.flatMap((x) => permutations([0, 1, 2, 3]).map((perm) => transpose(x, perm))),
  },
  {
    op: 'transpose',
    what: 'other ranks, bytes',
    inputs: [uniform(2, 3), uniform(2, 3, 4), uniform(5), bytes(1, 2, 3, 250, 251, 252)],
    build: (matrix, three, vector, b) => [
      transpose(matrix!, [1, 0]),
      transpose(three!, [2, 0, 1]),
      transpose(vector!, [0]),
      transpose(reshape(b!, [1, 3, 2, 1]), [0, 3, 1, 2]),
    ],
  },
  {
    op: 'broadcastTo',
    what: 'to a map',
    inputs: partners.filter((p) => p.length <= 4 && p !== map).map((shape) => uniform(...shape)),
    build: (...xs) => xs.map((x) => broadcastTo(x, map)),
  },
  {
    op: 'broadcastTo',
    what: 'to other ranks',
    inputs: [uniform(3, 1), uniform(), uniform(1, 3, 1, 1)],
    build: (column, number, perChannel) => [
      broadcastTo(column!, [2, 3, 4]),
      broadcastTo(number!, [2, 3]),
      broadcastTo(number!, [1]),
      broadcastTo(perChannel!, [2, 2, 3, 4, 5]),
      broadcastTo(column!, [2, 2, 2, 3, 4]),
    ],
  },
];

const matrices: readonly LoweringCase[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].map(
      (transposeB): LoweringCase => ({
        op: 'matMul',
        what: `A${transposeA ? 'ᵀ' : ''}·B${transposeB ? 'ᵀ' : ''}`,
        inputs: [
          transposeA ? uniform(3, 2) : uniform(2, 3),
          transposeB ? uniform(4, 3) : uniform(3, 4),
          transposeA ? uniform(5, 2, 3, 2) : uniform(5, 2, 2, 3),
          transposeB ? uniform(5, 2, 4, 3) : uniform(5, 2, 3, 4),
        ],
        build: (a, b, ...many) => [
          matMul(a!, b!, { transposeA, transposeB }),
          matMul(many[0]!, many[1]!, { transposeA, transposeB }),
        ],
      }),
    ),
  ),
  {
    op: 'matMul',
    what: 'of a map’s mean and of a map as a matrix',
    inputs: [uniform(...map), uniform(3, 4), uniform(60, 2)],
    build: (x, w, v) => [matMul(reduceMean(x!, [2, 3]), w!), matMul(reshape(x!, [2, 60]), v!)],
  },
  ...Object.entries({ softmax, logSoftmax }).map(
    ([op, build]): LoweringCase => ({
      op,
      what: 'rows, one column, numbers whose powers overflow',
      inputs: [uniform(3, 4), uniform(3, 1), float32([2, 3], [1000, 999, -1000, -200, -201, -200])],
      build: (...xs) => xs.map((x) => build(x)),
    }),
  ),
];

const dtypes: readonly DType[] = ['float32', 'int32', 'int64', 'uint8', 'bool'];

const wholeNumbers: readonly LoweringCase[] = [
  ...dtypes.map(
    (to): LoweringCase => ({
      op: 'cast',
      what: `to ${to}`,
      inputs: [bytes(0, 1, 127, 255), int32s(0, 1, 7, 100), float32([4], [0, 0.75, 1, 2.5])],
      build: (...xs) => xs.map((x) => cast(x, to)),
    }),
  ),
  {
    op: 'cast',
    what: 'a map, there and back',
    inputs: [randomTensor(seed++, map, { low: -9, high: 9 })],
    build: (x) => [cast(x!, 'int32'), cast(cast(x!, 'int32'), 'float32')],
  },
  {
    op: 'cast',
    what: 'images of bytes to maps',
    inputs: [
      tensor(
        'uint8',
        [2, 2, 2, 3],
        Uint8Array.from({ length: 24 }, (_, i) => i * 11),
      ),
    ],
    build: (x) => mul(cast(transpose(x!, [0, 3, 1, 2]), 'float32'), 1 / 255),
  },
  {
    op: 'oneHot',
    what: 'labels in and out of range',
    inputs: [int32s(2, 0, 3, -1, 4)],
    build: (labels) => oneHot(labels!, 4),
  },
  {
    op: 'argMax',
    what: 'rows, and the first of several',
    inputs: [uniform(4, 7), float32([3, 3], [1, 1, 0, -2, -1, -1, 0, 0, 0])],
    build: (...xs) => xs.map((x) => argMax(x)),
  },
  {
    op: 'equal',
    what: 'numbers equal and not',
    inputs: [int32s(3, -1, 0, 7), int32s(3, 1, 0, 8)],
    build: (a, b) => equal(a!, b!),
  },
];

const nodes: readonly LoweringCase[] = [
  {
    op: 'input',
    what: 'an input as an output, a value under two names',
    inputs: [uniform(...map), int32s(1, 2)],
    build: (x, i): Value[] => [x!, i!, neg(x!), neg(x!), x!],
  },
  {
    op: 'constant',
    what: 'constants as outputs, and equal ones of other shapes and dtypes',
    inputs: [],
    build: () => [
      constant(uniform(...map)),
      constant(float32([2, 1], [1, 2])),
      constant(float32([1, 2], [1, 2])),
      constant(int32s(1, 2)),
      constant(tensor('bool', [2], Uint8Array.of(1, 0))),
    ],
  },
];

export const generalCases: readonly LoweringCase[] = [
  ...nodes,
  ...elementwise,
  ...reductions,
  ...axes,
  ...matrices,
  ...wholeNumbers,
];
