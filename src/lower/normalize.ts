import type { Value } from '../graph/graph.js';
import type { BatchNormAttributes } from '../graph/ops/normalize.js';
import { float, int, ints } from '../onnx/model.js';
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

/** Rows of one channel are contiguous, so each statistic is one pass of row sums. */
const batchNormTrain: LoweringRule<BatchNormAttributes> = (lowering, node) => {
  const {
    inputs: [x, scale, shift],
    outputs: [y, mean, variance],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const channels = scale!.shape[0]!;
  const rows = lowering.channelRows(x!);
  const mu = emit.node('ReduceMean', [rows], { axes: ints([1]), keepdims: int(1) });
  // Two passes (deviations from the mean, then their squares): E[x²] − μ² would lose digits where |μ| ≫ σ.
  const centred = emit.node('Sub', [rows, mu]);
  const squares = emit.node('ReduceSumSquare', [centred], { axes: ints([1]), keepdims: int(1) });
  const sigma2 = emit.node('Mul', [squares, emit.float(channels / sizeOf(x!.shape))]);
  const gain = emit.node('Mul', [column(lowering, scale!), reciprocalDeviation(lowering, sigma2, epsilon)]);
  const scaled = emit.node('Mul', [centred, gain]);
  lowering.setChannelRows(y!, emit.node('Add', [scaled, column(lowering, shift!)]));
  lowering.set(mean!, emit.reshape(mu, [channels]));
  lowering.set(variance!, emit.reshape(sigma2, [channels]));
};

/**
 * dx = a·dy + b·x + c per channel, with the three numbers of a channel computed on columns: four passes over the map
 * instead of the six of the formula as written.
 *
 *   a = scale·r, b = −a·r·dscale/n, c = −a·dshift/n − b·μ
 */
const batchNormGrad: LoweringRule<BatchNormAttributes> = (lowering, node) => {
  const {
    inputs: [x, dy, scale, mean, variance],
    outputs: [dx, dscale, dshift],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const channels = scale!.shape[0]!;
  const perChannel = sizeOf(x!.shape) / channels;
  const xRows = lowering.channelRows(x!);
  const dyRows = lowering.channelRows(dy!);
  const mu = column(lowering, mean!);
  const r = reciprocalDeviation(lowering, column(lowering, variance!), epsilon);

  const sumDy = emit.reduceSum(dyRows, [1], true);
  const sumDyX = rowDots(lowering, dyRows, xRows, channels, perChannel);
  const sumDyCentred = emit.node('Sub', [sumDyX, emit.node('Mul', [mu, sumDy])]);
  const gradScale = emit.node('Mul', [sumDyCentred, r]);

  const a = emit.node('Mul', [column(lowering, scale!), r]);
  const overN = emit.float(-1 / perChannel);
  const aOverN = emit.node('Mul', [a, overN]);
  const b = emit.node('Mul', [aOverN, emit.node('Mul', [r, gradScale])]);
  const c = emit.node('Sub', [emit.node('Mul', [aOverN, sumDy]), emit.node('Mul', [b, mu])]);
  const linear = emit.node('Add', [emit.node('Mul', [dyRows, a]), emit.node('Mul', [xRows, b])]);
  lowering.setChannelRows(dx!, emit.node('Add', [linear, c]));
  lowering.set(dscale!, emit.reshape(gradScale, [channels]));
  lowering.set(dshift!, emit.reshape(sumDy, [channels]));
};

/**
 * Σ u·v of each row, as a column. On the CPU a batch of 1×n by n×1 products, half the time of multiply-then-sum;
 * FusedMatMul is ONNX Runtime's own and only its CPU provider is sure to have it.
 */
function rowDots(lowering: Lowering, u: string, v: string, rows: number, length: number): string {
  const { emit } = lowering;
  if (lowering.target === 'webgpu') return emit.reduceSum(emit.node('Mul', [u, v]), [1], true);
  const [u3, v3] = [emit.reshape(u, [rows, 1, length]), emit.reshape(v, [rows, 1, length])];
  const dots = emit.microsoft('FusedMatMul', [u3, v3], { transB: int(1), alpha: float(1) });
  return emit.reshape(dots, [rows, 1]);
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
  lowering.setChannelRows(y!, emit.node('Add', [emit.node('Mul', [lowering.channelRows(x!), a]), b]));
};

export const normalizeRules = { batchNormTrain, batchNormGrad, batchNormInference };
