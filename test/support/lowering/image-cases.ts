import { gradients } from '../../../src/graph/gradients.js';
import { apply, constant, input, type Value } from '../../../src/graph/graph.js';
import {
  add,
  broadcastTo,
  mul,
  reduceSum,
  relu,
  reshape,
  transpose,
} from '../../../src/graph/ops/arithmetic.js';
import { conv, convInputGrad, convWeightGrad, type Pads, samePads } from '../../../src/graph/ops/conv.js';
import { batchNormGradOp, batchNormInference, batchNormTrain } from '../../../src/graph/ops/normalize.js';
import {
  avgPool,
  avgPoolGrad,
  maxPool,
  maxPoolGrad,
  type PoolAttributes,
  samePoolPads,
} from '../../../src/graph/ops/pool.js';
import { Random } from '../../../src/random/random.js';
import { float32, type Shape, sizeOf } from '../../../src/tensor/tensor.js';
import { randomTensor, type Tolerance } from '../numeric.js';
import type { LoweringCase } from './case.js';

/** Cases of the ops on maps [N, C, H, W]: convolution, pooling, batch normalisation. */

let seed = 500;
const uniform = (...shape: number[]) => randomTensor(seed++, shape);
const positive = (...shape: number[]) => randomTensor(seed++, shape, { low: 0.5, high: 2 });
/** Few different numbers: most windows have several maxima. */
const tied = (...shape: number[]) => {
  const random = Random.seeded(seed++);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.integer(3) - 1),
  );
};

const none: Pads = [0, 0, 0, 0];

type Geometry = readonly [what: string, x: Shape, w: Shape, pads: Pads];

const geometries: readonly Geometry[] = [
  ['1 × 1', [2, 3, 3, 4], [4, 3, 1, 1], none],
  ['1 × 1 with pads', [2, 3, 3, 4], [4, 3, 1, 1], [1, 0, 2, 1]],
  ['1 × 1 on 1 × 1 maps', [3, 4, 1, 1], [2, 4, 1, 1], none],
  ['3 × 3 same', [2, 3, 5, 4], [4, 3, 3, 3], samePads(3, 3)],
  ['3 × 3 without pads', [2, 2, 5, 4], [3, 2, 3, 3], none],
  ['5 × 5 same, one channel in', [2, 1, 6, 5], [3, 1, 5, 5], samePads(5, 5)],
  ['5 × 5 same, one image', [1, 3, 6, 5], [2, 3, 5, 5], samePads(5, 5)],
  ['3 × 3 same, one channel out', [2, 3, 4, 5], [1, 3, 3, 3], samePads(3, 3)],
  ['3 × 3 same, one image, one channel in and out', [1, 1, 4, 5], [1, 1, 3, 3], samePads(3, 3)],
  ['2 × 4 same, an even kernel', [2, 2, 4, 5], [3, 2, 2, 4], samePads(2, 4)],
  ['3 × 2 with four different pads', [2, 2, 4, 3], [3, 2, 3, 2], [2, 0, 1, 3]],
  ['pads beyond the kernel', [2, 1, 2, 3], [2, 1, 2, 2], [3, 0, 0, 2]],
  ['a kernel as large as the map', [2, 3, 3, 4], [2, 3, 3, 4], none],
  ['50 channels in: two taps a product, the last one alone', [2, 50, 4, 3], [3, 50, 3, 3], samePads(3, 3)],
  ['100 channels in: a product a tap', [2, 100, 3, 4], [2, 100, 3, 3], samePads(3, 3)],
];

/** Large enough for the Fourier transform: 16 channels, 16 images. */
const fourierGeometries: readonly Geometry[] = [
  ['5 × 5 same on odd × even maps', [16, 16, 7, 10], [18, 16, 5, 5], samePads(5, 5)],
  ['3 × 3 same, an odd number of images', [17, 17, 7, 5], [16, 17, 3, 3], samePads(3, 3)],
  ['3 × 3 same, the largest map whose axes go at once', [16, 16, 8, 8], [18, 16, 3, 3], samePads(3, 3)],
  ['3 × 4 with four different pads', [16, 16, 9, 10], [18, 16, 3, 4], [2, 0, 1, 3]],
  ['3 × 5 without pads', [16, 16, 10, 9], [16, 16, 3, 5], none],
  ['pads beyond the kernel on either side', [16, 16, 4, 4], [16, 16, 3, 3], [3, 0, 2, 4]],
];

/** With points that a circle of 16 does not hold, and large enough for Winograd: 64 columns of tiles. */
const winogradGeometries: readonly Geometry[] = [
  ['5 × 5 same, wide maps', [16, 16, 4, 15], [18, 16, 5, 5], samePads(5, 5)],
  ['3 × 3 same, odd maps, an odd number of images', [17, 17, 17, 5], [16, 17, 3, 3], samePads(3, 3)],
  ['3 × 4 with four different pads', [16, 16, 5, 18], [18, 16, 3, 4], [2, 0, 1, 3]],
  ['3 × 5 without pads', [16, 16, 18, 19], [16, 16, 3, 5], none],
];

/**
 * Winograd's points are up to 20 times larger than the numbers that they stand for, and cancel again: errors are some 4e-6
 * of the typical output, ten times those of a direct sum. Outputs here are typically 5 to 20.
 */
const winogradTolerance: Tolerance = { relative: 2e-5, absolute: 5e-4 };

/** Of outputs of 5 to 20, too; frequencies are sums of a whole map. */
const fourierTolerance: Tolerance = { relative: 2e-5, absolute: 5e-5 };

const casesOf = ([what, x, w, pads]: Geometry, tolerance?: Tolerance): LoweringCase[] => {
  const y = [
    x[0]!,
    w[0]!,
    x[2]! + pads[0] + pads[2] - w[2]! + 1,
    x[3]! + pads[1] + pads[3] - w[3]! + 1,
  ] as const;
  const own = tolerance ? { tolerance } : {};
  return [
    {
      op: 'conv',
      what,
      inputs: [uniform(...x), uniform(...w)],
      build: (x, w) => conv(x!, w!, { pads }),
      ...own,
    },
    {
      op: 'convInputGrad',
      what,
      inputs: [uniform(...y), uniform(...w)],
      build: (dy, w) => convInputGrad(dy!, w!, x, { pads }),
      ...own,
    },
    {
      op: 'convWeightGrad',
      what,
      inputs: [uniform(...x), uniform(...y)],
      build: (x, dy) => convWeightGrad(x!, dy!, w, { pads }),
      ...own,
    },
  ];
};

const convolutions: readonly LoweringCase[] = [
  ...geometries.flatMap((geometry) => casesOf(geometry)),
  ...fourierGeometries.flatMap(([what, ...sizes]) =>
    casesOf([`Fourier, ${what}`, ...sizes], fourierTolerance),
  ),
  ...winogradGeometries.flatMap(([what, ...sizes]) =>
    casesOf([`Winograd, ${what}`, ...sizes], winogradTolerance),
  ),
];

/** 3 × 3 windows at stride 2 with TensorFlow's "same" pads, as RotNet pools. */
const same3x3 = (height: number, width: number): PoolAttributes => ({
  kernel: [3, 3],
  strides: [2, 2],
  pads: samePoolPads([height, width], [3, 3], [2, 2]),
});

const pools: readonly (readonly [what: string, shape: Shape, attributes: PoolAttributes])[] = [
  ['3 × 3, stride 2, same, even map', [2, 3, 6, 8], same3x3(6, 8)],
  ['3 × 3, stride 2, same, odd map', [2, 3, 7, 5], same3x3(7, 5)],
  ['3 × 3, stride 2, same, even × odd map, one image', [1, 3, 4, 5], same3x3(4, 5)],
  ['3 × 3, stride 2, same, one channel', [3, 1, 5, 6], same3x3(5, 6)],
  ['2 × 2 tiles', [2, 3, 4, 6], { kernel: [2, 2], strides: [2, 2], pads: none }],
  [
    '2 × 2 tiles that leave the last row and column',
    [2, 3, 5, 7],
    { kernel: [2, 2], strides: [2, 2], pads: none },
  ],
  [
    '2 × 2, stride 3: pixels that no window covers',
    [2, 3, 5, 9],
    { kernel: [2, 2], strides: [3, 3], pads: none },
  ],
  ['3 × 3, stride 1', [2, 3, 4, 5], { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }],
  [
    '2 × 3, strides 1 and 2, four different pads',
    [2, 3, 4, 5],
    { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 2] },
  ],
  ['5 × 4, strides 2 and 3', [2, 3, 8, 9], { kernel: [5, 4], strides: [2, 3], pads: [2, 1, 0, 3] }],
  ['1 × 1, stride 2', [2, 3, 4, 5], { kernel: [1, 1], strides: [2, 2], pads: none }],
  ['the whole map', [2, 3, 4, 5], { kernel: [4, 5], strides: [1, 1], pads: none }],
];

const pooling: readonly LoweringCase[] = pools.flatMap(([what, shape, attributes]): LoweringCase[] => {
  const pooled = maxPool(input('x', 'float32', shape), attributes).shape;
  return [
    { op: 'maxPool', what, inputs: [uniform(...shape)], build: (x) => maxPool(x!, attributes) },
    ...[uniform, tied].map(
      (draw): LoweringCase => ({
        op: 'maxPoolGrad',
        what: draw === tied ? `${what}, ties` : what,
        inputs: [draw(...shape), uniform(...pooled)],
        build: (x, dy) => {
          const y = maxPool(x!, attributes);
          return [y, maxPoolGrad(x!, y, dy!, attributes)];
        },
      }),
    ),
    { op: 'avgPool', what, inputs: [uniform(...shape)], build: (x) => avgPool(x!, attributes) },
    {
      op: 'avgPoolGrad',
      what,
      inputs: [uniform(...pooled)],
      build: (dy) => avgPoolGrad(dy!, shape, attributes),
    },
  ];
});

const epsilon = 1e-3;

const norms: readonly (readonly [what: string, shape: Shape])[] = [
  ['a map', [2, 3, 4, 5]],
  ['one channel', [3, 1, 2, 2]],
  ['one image', [1, 3, 2, 2]],
  ['1 × 1 maps', [5, 3, 1, 1]],
  ['one number a channel', [1, 3, 1, 1]],
];

const normalisation: readonly LoweringCase[] = [
  ...norms.flatMap(([what, shape]): LoweringCase[] => {
    const c = shape[1]!;
    return [
      {
        op: 'batchNormTrain',
        what,
        inputs: [uniform(...shape), positive(c), uniform(c)],
        build: (x, scale, shift) => {
          const { y, mean, variance } = batchNormTrain(x!, scale!, shift!, { epsilon });
          return [y, mean, variance];
        },
      },
      {
        op: 'batchNormGrad',
        what,
        inputs: [uniform(...shape), uniform(...shape), uniform(c), uniform(c), positive(c)],
        build: (...operands) => apply(batchNormGradOp, operands, { epsilon }),
      },
      {
        op: 'batchNormInference',
        what,
        inputs: [uniform(...shape), uniform(c), uniform(c), uniform(c), positive(c)],
        build: (x, scale, shift, mean, variance) =>
          batchNormInference(
            x!,
            { scale: scale!, shift: shift!, mean: mean!, variance: variance! },
            { epsilon },
          ),
      },
    ];
  }),
  {
    op: 'batchNormTrain',
    what: 'a mean of seven deviations',
    inputs: [randomTensor(seed++, [2, 2, 5, 5], { low: 3, high: 5 }), positive(2), uniform(2)],
    build: (x, scale, shift) => batchNormTrain(x!, scale!, shift!, { epsilon }).y,
  },
  {
    op: 'batchNormTrain',
    what: 'channels that never vary',
    inputs: [positive(2), uniform(2)],
    build: (scale, shift) => {
      const x = broadcastTo(constant(float32([2, 1, 1], [3, -0.7])), [3, 2, 4, 5]);
      const { y, mean, variance } = batchNormTrain(x, scale!, shift!, { epsilon });
      return [y, mean, variance];
    },
  },
  {
    op: 'batchNormTrain',
    what: 'through ReLU, alone and with other uses of its own value',
    inputs: [uniform(2, 3, 4, 5), positive(3), uniform(3)],
    build: (x, scale, shift) => {
      const norm = (epsilon: number) => batchNormTrain(x!, scale!, shift!, { epsilon }).y;
      const [used, given, twice] = [norm(0.1), norm(0.2), norm(0.3)];
      return [relu(norm(epsilon)), add(relu(used), used), given, relu(given), relu(twice), relu(twice)];
    },
  },
];

const chainGeometries: readonly Geometry[] = [
  ['a 1 × 1 convolution', [3, 4, 6, 5], [5, 4, 1, 1], none],
  ['a 3 × 3 convolution', [3, 4, 6, 5], [5, 4, 3, 3], samePads(3, 3)],
  ['one by the Fourier transform of the plane', [16, 16, 6, 5], [16, 16, 3, 3], samePads(3, 3)],
  ['one by the Fourier transform of each axis', [16, 16, 9, 10], [16, 16, 3, 3], samePads(3, 3)],
  ["one by Winograd's tiles", [16, 16, 4, 17], [16, 16, 3, 3], samePads(3, 3)],
];

/** What a gradient is handed on to can take a part of its work: BatchNorm's scale, the mask of ReLU. */
const chains: readonly LoweringCase[] = chainGeometries.map(([what, x, w, pads]): LoweringCase => {
  const c = w[0]!;
  return {
    op: 'batchNormGrad',
    what: `from a max-pool through ReLU on to ${what}`,
    inputs: [uniform(...x), uniform(...w), uniform(c), uniform(c)],
    build: (x, w, scale, shift) => {
      const y = relu(batchNormTrain(conv(x!, w!, { pads }), scale!, shift!, { epsilon }).y);
      const pooled = maxPool(y, same3x3(y.shape[2]!, y.shape[3]!));
      return gradients(reduceSum(mul(pooled, pooled), [0, 1, 2, 3]), [x!, w!, scale!, shift!]);
    },
    tolerance: { relative: 1e-4, absolute: 1e-3 },
  };
});

/** What images of 4 × 6 pixels with two channels last pass through before a convolution whose kernel learns. */
const ways: readonly (readonly [what: string, prepare: (x: Value) => Value])[] = [
  ['channels brought forward', (x) => mul(transpose(x, [0, 3, 1, 2]), 0.5)],
  [
    '2 × 2 pixels made channels',
    (x) => reshape(transpose(reshape(x, [3, 2, 2, 3, 2, 2]), [0, 5, 2, 4, 1, 3]), [3, 8, 2, 3]),
  ],
  ['two moves', (x) => transpose(transpose(x, [0, 3, 1, 2]), [0, 1, 3, 2])],
  ['images cut into rows', (x) => reshape(transpose(x, [0, 2, 1, 3]), [18, 2, 2, 2])],
  ['the batch moved', (x) => reshape(transpose(x, [1, 0, 2, 3]), [4, 2, 3, 6])],
];

const preparation: readonly LoweringCase[] = ways.map(([what, prepare]): LoweringCase => {
  const [, channels] = prepare(input('x', 'float32', [3, 4, 6, 2])).shape;
  return {
    op: 'convWeightGrad',
    what: `of images prepared, ${what}`,
    inputs: [uniform(3, 4, 6, 2), uniform(5, channels!, 2, 2)],
    build: (x, w) => {
      const y = conv(prepare(x!), w!, { pads: none });
      return [y, ...gradients(reduceSum(mul(y, y), [0, 1, 2, 3]), [w!])];
    },
  };
});

export const imageCases: readonly LoweringCase[] = [
  ...chains,
  ...convolutions,
  ...preparation,
  ...pooling,
  ...normalisation,
];
