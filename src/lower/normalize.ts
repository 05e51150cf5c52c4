import type { Value } from '../graph/graph.js';
import { reluOp } from '../graph/ops/arithmetic.js';
import type { BatchNormAttributes } from '../graph/ops/normalize.js';
import { float, int, ints, string } from '../onnx/model.js';
import { sizeOf } from '../tensor/tensor.js';
import type { Lowering, LoweringRule } from './lowering.js';

/** [C] as the column [C, 1] that broadcasts along channel rows. */
function column(lowering: Lowering, perChannel: Value): string {
  return lowering.emit.reshape(lowering.plain(perChannel), [perChannel.shape[0]!, 1]);
}

/** 1/√(σ² + ε) of a column. */
function reciprocalDeviation(lowering: Lowering, variance: string, epsilon: number): string {
  const { emit } = lowering;
  return emit.node('Reciprocal', [emit.node('Sqrt', [emit.node('Add', [variance, emit.float(epsilon)])])]);
}

/** gain·x + offset for each row, and what else can be done in the same pass. */
interface AffineRows {
  readonly rows: string;
  readonly gain: string;
  readonly offset: string;
  /** Rows to add. */
  readonly plus?: string;
  /** Whether ReLU follows. */
  readonly relu?: boolean;
}

/**
 * One pass over the map: a depthwise 1×1 convolution with bias, sum and activation (ONNX Runtime's FusedConv) takes half
 * the time of multiply, add and ReLU one by one. What it adds it writes over, if nobody else needs it any more.
 */
function affineRows(lowering: Lowering, affine: AffineRows, { channels, length }: RowShape): string {
  const { emit } = lowering;
  const { rows, gain, offset, plus, relu = false } = affine;
  if (lowering.target === 'webgpu') {
    const scaled = emit.node('Add', [emit.node('Mul', [rows, gain]), offset]);
    const sum = plus === undefined ? scaled : emit.node('Add', [scaled, plus]);
    return relu ? emit.node('Relu', [sum]) : sum;
  }
  const asMap = (name: string) => emit.reshape(name, [1, channels, length]);
  const inputs = [asMap(rows), emit.reshape(gain, [channels, 1, 1]), emit.reshape(offset, [channels])];
  const y = emit.microsoft('FusedConv', plus === undefined ? inputs : [...inputs, asMap(plus)], {
    kernel_shape: ints([1]),
    group: int(channels),
    ...(relu && { activation: string('Relu') }),
  });
  return emit.reshape(y, [channels, length]);
}

/** A map as channel rows: [channels, length]. */
interface RowShape {
  readonly channels: number;
  readonly length: number;
}

/**
 * Rows of one channel are contiguous, so each statistic is one pass of row sums: σ² = E[x²] − μ², which spares the pass
 * that subtracts μ. It loses digits as (μ/σ)²: with a mean of 28 deviations y is off by 6e-5, which training does not
 * notice; the interpreter's two-pass form is the reference.
 */
const batchNormTrain: LoweringRule<BatchNormAttributes> = (lowering, node) => {
  const {
    inputs: [x, scale, shift],
    outputs: [y, mean, variance],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const channels = scale!.shape[0]!;
  const shape = { channels, length: sizeOf(x!.shape) / channels };
  const rows = lowering.channelRows(x!);
  const mu = emit.node('ReduceMean', [rows], { axes: ints([1]), keepdims: int(1) });
  const meanSquare = emit.node('Mul', [rowDots(lowering, rows, rows, shape), emit.float(1 / shape.length)]);
  // Rounding can leave a channel that never varies a hair below 0.
  const sigma2 = emit.node('Relu', [emit.node('Sub', [meanSquare, emit.node('Mul', [mu, mu])])]);
  const gain = emit.node('Mul', [column(lowering, scale!), reciprocalDeviation(lowering, sigma2, epsilon)]);
  const offset = emit.node('Sub', [column(lowering, shift!), emit.node('Mul', [mu, gain])]);
  const next = lowering.onlyConsumer(y!);
  const relu = next?.op === reluOp;
  const scaled = affineRows(lowering, { rows, gain, offset, relu }, shape);
  lowering.setChannelRows(relu ? next.outputs[0]! : y!, scaled);
  lowering.set(mean!, emit.reshape(mu, [channels]));
  lowering.set(variance!, emit.reshape(sigma2, [channels]));
};

/**
 * dx = a·(dy + b·x + c) per channel, with the three numbers of a channel computed on columns: one pass over the map, after
 * those that sum up dscale and dshift. The convolution before takes a into its kernel, which is small.
 *
 *   a = scale·r, b = −r·dscale/n, c = −dshift/n − b·μ
 */
const batchNormGrad: LoweringRule<BatchNormAttributes> = (lowering, node) => {
  const {
    inputs: [x, dy, scale, mean, variance],
    outputs: [dx, dscale, dshift],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const channels = scale!.shape[0]!;
  const shape = { channels, length: sizeOf(x!.shape) / channels };
  const xRows = lowering.channelRows(x!);
  const dyRows = lowering.channelRows(dy!);
  const mu = column(lowering, mean!);
  const r = reciprocalDeviation(lowering, column(lowering, variance!), epsilon);

  const sumDy = emit.reduceSum(dyRows, [1], true);
  const sumDyX = rowDots(lowering, dyRows, xRows, shape);
  const sumDyCentred = emit.node('Sub', [sumDyX, emit.node('Mul', [mu, sumDy])]);
  const gradScale = emit.node('Mul', [sumDyCentred, r]);

  const overN = emit.float(-1 / shape.length);
  const b = emit.node('Mul', [overN, emit.node('Mul', [r, gradScale])]);
  const c = emit.node('Sub', [emit.node('Mul', [overN, sumDy]), emit.node('Mul', [b, mu])]);
  lowering.setScaledRows(dx!, {
    rows: affineRows(lowering, { rows: xRows, gain: b, offset: c, plus: dyRows }, shape),
    gain: emit.node('Mul', [column(lowering, scale!), r]),
  });
  lowering.set(dscale!, emit.reshape(gradScale, [channels]));
  lowering.set(dshift!, emit.reshape(sumDy, [channels]));
};

/**
 * Σ u·v of each row, as a column. On the CPU a batch of 1×n by n×1 products, half the time of multiply-then-sum;
 * FusedMatMul is ONNX Runtime's own and only its CPU provider is sure to have it.
 */
function rowDots(lowering: Lowering, u: string, v: string, { channels, length }: RowShape): string {
  const { emit } = lowering;
  if (lowering.target === 'webgpu') return emit.reduceSum(emit.node('Mul', [u, v]), [1], true);
  const [u3, v3] = [emit.reshape(u, [channels, 1, length]), emit.reshape(v, [channels, 1, length])];
  const dots = emit.microsoft('FusedMatMul', [u3, v3], { transB: int(1), alpha: float(1) });
  return emit.reshape(dots, [channels, 1]);
}

/** ONNX's own operator where maps are plain, which ONNX Runtime folds into the convolution before it. */
const batchNormInference: LoweringRule<BatchNormAttributes> = (lowering, node) => {
  const {
    inputs: [x, ...perChannel],
    outputs: [y],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  if (lowering.mapLayout === 'plain') {
    const inputs = [lowering.map(x!), ...perChannel.map((v) => lowering.plain(v))];
    lowering.setMap(y!, emit.node('BatchNormalization', inputs, { epsilon: float(epsilon) }));
    return;
  }
  const [scale, shift, mean, variance] = perChannel.map((v) => column(lowering, v));
  const a = emit.node('Mul', [scale!, reciprocalDeviation(lowering, variance!, epsilon)]);
  const b = emit.node('Sub', [shift!, emit.node('Mul', [mean!, a])]);
  const channels = x!.shape[1]!;
  const shape = { channels, length: sizeOf(x!.shape) / channels };
  const rows = lowering.channelRows(x!);
  lowering.setChannelRows(y!, affineRows(lowering, { rows, gain: a, offset: b }, shape));
};

export const normalizeRules = { batchNormTrain, batchNormGrad, batchNormInference };
