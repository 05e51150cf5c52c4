import type { Five, Three, Value } from '../graph/graph.js';
import { reluOp } from '../graph/ops/arithmetic.js';
import type { BatchNormAttributes } from '../graph/ops/normalize.js';
import { float, int, ints, string } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import type { Handle } from './emitter.js';
import type { Lowering, LoweringRule } from './lowering.js';

/** [C] as the column [C, 1] that broadcasts along channel rows. */
function column(lowering: Lowering, perChannel: Value): Handle {
  return lowering.emit.reshape(lowering.plain(perChannel), [...perChannel.shape, 1]);
}

/** 1/√(σ² + ε) of a column. */
function reciprocalDeviation(lowering: Lowering, variance: Handle, epsilon: number): Handle {
  const { emit } = lowering;
  return emit.node('Reciprocal', [emit.node('Sqrt', [emit.node('Add', [variance, emit.float(epsilon)])])]);
}

/** gain·x + offset for each row, and what else can be done in the same pass. */
interface AffineRows {
  /** [channels, length], a map as channel rows. */
  readonly rows: Handle;
  /** [channels, 1]. */
  readonly gain: Handle;
  readonly offset: Handle;
  /** Rows to add. */
  readonly plus?: Handle;
  /** Whether ReLU follows. */
  readonly relu?: boolean;
}

/**
 * One pass over the map: a depthwise 1×1 convolution with bias, sum and activation (ONNX Runtime's FusedConv) takes half
 * the time of multiply, add and ReLU one by one. What it adds it writes over, if nobody else needs it any more.
 */
function affineRows(lowering: Lowering, affine: AffineRows): Handle {
  const { emit } = lowering;
  const { rows, gain, offset, plus, relu = false } = affine;
  const channels = at(rows.shape, 0);
  if (lowering.target === 'webgpu') {
    const scaled = emit.node('Add', [emit.node('Mul', [rows, gain]), offset]);
    const sum = plus === undefined ? scaled : emit.node('Add', [scaled, plus]);
    return relu ? emit.node('Relu', [sum]) : sum;
  }
  const asMap = (x: Handle) => emit.reshape(x, [1, ...x.shape]);
  const inputs = [asMap(rows), emit.reshape(gain, [channels, 1, 1]), emit.reshape(offset, [channels])];
  const y = emit.microsoft('FusedConv', plus === undefined ? inputs : [...inputs, asMap(plus)], {
    kernel_shape: ints([1]),
    group: int(channels),
    ...(relu && { activation: string('Relu') }),
  });
  return emit.reshape(y, rows.shape);
}

/**
 * Rows of one channel are contiguous, so each statistic is one pass of row sums: σ² = E[x²] − μ², which spares the pass
 * that subtracts μ. It loses digits as (μ/σ)²: with a mean of 28 deviations y is off by 6e-5, which training does not
 * notice; the interpreter's two-pass form is the reference.
 */
const batchNormTrain: LoweringRule<BatchNormAttributes, Three, Three> = (lowering, node) => {
  const {
    inputs: [x, scale, shift],
    outputs: [y, mean, variance],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const rows = lowering.channelRows(x);
  const length = at(rows.shape, 1);
  const mu = emit.node('ReduceMean', [rows], { axes: ints([1]), keepdims: int(1) });
  const meanSquare = emit.node('Mul', [rowDots(lowering, rows, rows), emit.float(1 / length)]);
  // Rounding can leave a channel that never varies a hair below 0.
  const sigma2 = emit.node('Relu', [emit.node('Sub', [meanSquare, emit.node('Mul', [mu, mu])])]);
  const gain = emit.node('Mul', [column(lowering, scale), reciprocalDeviation(lowering, sigma2, epsilon)]);
  const offset = emit.node('Sub', [column(lowering, shift), emit.node('Mul', [mu, gain])]);
  const next = lowering.onlyConsumer(y);
  const relu = next?.op === reluOp;
  const scaled = affineRows(lowering, { rows, gain, offset, relu });
  lowering.setChannelRows(relu ? at(next.outputs, 0) : y, scaled);
  lowering.set(mean, emit.reshape(mu, mean.shape));
  lowering.set(variance, emit.reshape(sigma2, variance.shape));
};

/**
 * dx = a·(dy + b·x + c) per channel, with the three numbers of a channel computed on columns: one pass over the map, after
 * those that sum up dscale and dshift. The convolution before takes a into its kernel, which is small.
 *
 *   a = scale·r, b = −r·dscale/n, c = −dshift/n − b·μ
 */
const batchNormGrad: LoweringRule<BatchNormAttributes, Five, Three> = (lowering, node) => {
  const {
    inputs: [x, dy, scale, mean, variance],
    outputs: [dx, dscale, dshift],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  const xRows = lowering.channelRows(x);
  const dyRows = lowering.channelRows(dy);
  const mu = column(lowering, mean);
  const r = reciprocalDeviation(lowering, column(lowering, variance), epsilon);

  const sumDy = emit.reduceSum(dyRows, [1], true);
  const sumDyX = rowDots(lowering, dyRows, xRows);
  const sumDyCentred = emit.node('Sub', [sumDyX, emit.node('Mul', [mu, sumDy])]);
  const gradScale = emit.node('Mul', [sumDyCentred, r]);

  const overN = emit.float(-1 / at(xRows.shape, 1));
  const b = emit.node('Mul', [overN, emit.node('Mul', [r, gradScale])]);
  const c = emit.node('Sub', [emit.node('Mul', [overN, sumDy]), emit.node('Mul', [b, mu])]);
  lowering.setScaledRows(dx, {
    rows: affineRows(lowering, { rows: xRows, gain: b, offset: c, plus: dyRows }),
    gain: emit.node('Mul', [column(lowering, scale), r]),
  });
  lowering.set(dscale, emit.reshape(gradScale, dscale.shape));
  lowering.set(dshift, emit.reshape(sumDy, dshift.shape));
};

/**
 * Σ u·v of each row, as a column. On the CPU a batch of 1×n by n×1 products, half the time of multiply-then-sum;
 * FusedMatMul is ONNX Runtime's own and only its CPU provider is sure to have it.
 */
function rowDots(lowering: Lowering, u: Handle, v: Handle): Handle {
  const { emit } = lowering;
  const [channels, length] = [at(u.shape, 0), at(u.shape, 1)];
  if (lowering.target === 'webgpu') return emit.reduceSum(emit.node('Mul', [u, v]), [1], true);
  const [u3, v3] = [emit.reshape(u, [channels, 1, length]), emit.reshape(v, [channels, 1, length])];
  return emit.reshape(emit.fusedProduct(u3, v3, 'transB'), [channels, 1]);
}

/** ONNX's own operator where maps are plain, which ONNX Runtime folds into the convolution before it. */
const batchNormInference: LoweringRule<BatchNormAttributes, Five> = (lowering, node) => {
  const {
    inputs: [x, scale, shift, mean, variance],
    outputs: [y],
    attributes: { epsilon },
  } = node;
  const { emit } = lowering;
  if (lowering.mapLayout === 'plain') {
    const inputs = [lowering.map(x), ...[scale, shift, mean, variance].map((v) => lowering.plain(v))];
    lowering.setMap(y, emit.node('BatchNormalization', inputs, { epsilon: float(epsilon) }));
    return;
  }
  // All four before the first operator, in their order.
  const columns = [scale, shift, mean, variance].map((v) => column(lowering, v));
  const gain = emit.node('Mul', [at(columns, 0), reciprocalDeviation(lowering, at(columns, 3), epsilon)]);
  const offset = emit.node('Sub', [at(columns, 1), emit.node('Mul', [at(columns, 2), gain])]);
  const rows = lowering.channelRows(x);
  lowering.setChannelRows(y, affineRows(lowering, { rows, gain, offset }));
};

export const normalizeRules = { batchNormTrain, batchNormGrad, batchNormInference };
