import {
  apply,
  applyOne,
  checkFloat32,
  describeType,
  type Five,
  type One,
  type OpDefinition,
  shapeError,
  type Three,
  type Value,
} from '../graph.js';
import { add, div, mul, neg, reduceSum, reshape, sqrt, sub } from './arithmetic.js';

export interface BatchNormAttributes {
  /** Added to the variance. */
  readonly epsilon: number;
}

function checkChannels(op: string, x: Value, perChannel: readonly Value[]): void {
  checkFloat32(op, [x, ...perChannel]);
  const channels = x.shape[1];
  if (x.shape.length !== 4 || perChannel.some((v) => v.shape.length !== 1 || v.shape[0] !== channels)) {
    throw shapeError(
      op,
      'x [N, C, H, W] and [C] for each statistic and parameter',
      [x, ...perChannel].map(describeType).join(', '),
    );
  }
}

/**
 * Batch normalisation with the batch's own statistics, over N, H, W of each channel (Ioffe & Szegedy 2015, alg. 1):
 *
 *   μ = mean x, σ² = mean (x − μ)², x̂ = (x − μ)/√(σ² + ε), y = scale·x̂ + shift
 *
 * Outputs y [N, C, H, W], μ [C] and σ² [C] (biased). μ and σ² are for moving statistics: no gradient flows through them.
 */
export const batchNormTrainOp: OpDefinition<BatchNormAttributes, Three, Three> = {
  name: 'batchNormTrain',
  types: ([x, scale, shift]) => {
    checkChannels('batchNormTrain', x, [scale, shift]);
    const statistic = { dtype: 'float32', shape: scale.shape } as const;
    return [{ dtype: 'float32', shape: x.shape }, statistic, statistic];
  },
  gradient: ({ inputs: [x, scale], outputs: [, mean, variance], attributes }, [g, gMean, gVariance]) => {
    if (gMean || gVariance) {
      throw shapeError(
        'batchNormTrain',
        'a loss that depends on y alone',
        'one that depends on the statistics',
      );
    }
    return g ? apply(batchNormGradOp, [x, g, scale, mean, variance], attributes) : [];
  },
};

/**
 * Gradient of batchNormTrain. With n = N·H·W and r = 1/√(σ² + ε), differentiating through μ and σ² gives
 * (Ioffe & Szegedy 2015, section 3):
 *
 *   dshift = Σ dy, dscale = Σ dy·x̂, dx = scale·r·(dy − dshift/n − x̂·dscale/n)
 *
 * Second derivatives are not needed by any recipe.
 */
export const batchNormGradOp: OpDefinition<BatchNormAttributes, Five, Three> = {
  name: 'batchNormGrad',
  types: ([x, dy, scale, mean, variance]) => {
    checkChannels('batchNormGrad', x, [scale, mean, variance]);
    checkChannels('batchNormGrad', dy, []);
    const parameter = { dtype: 'float32', shape: scale.shape } as const;
    return [{ dtype: 'float32', shape: x.shape }, parameter, parameter];
  },
  gradient: 'none',
};

/** See {@link batchNormTrainOp}. */
export function batchNormTrain(
  x: Value,
  scale: Value,
  shift: Value,
  attributes: BatchNormAttributes,
): { readonly y: Value; readonly mean: Value; readonly variance: Value } {
  const [y, mean, variance] = apply(batchNormTrainOp, [x, scale, shift], attributes);
  return { y, mean, variance };
}

/**
 * Batch normalisation with given statistics, an affine map per channel:
 *
 *   y = x·a + b, a = scale/√(variance + ε), b = shift − mean·a
 *
 * The gradient is that of this formula, written with the ops it is made of.
 */
export const batchNormInferenceOp: OpDefinition<BatchNormAttributes, Five, One> = {
  name: 'batchNormInference',
  types: ([x, scale, shift, mean, variance]) => {
    checkChannels('batchNormInference', x, [scale, shift, mean, variance]);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  gradient: ({ inputs: [x, scale, , mean, variance], attributes: { epsilon } }, [g]) => {
    if (!g) return [];
    const deviation = sqrt(add(variance, epsilon));
    const a = div(scale, deviation);
    const perChannel = (v: Value) => reshape(v, [...v.shape, 1, 1]);
    const gradShift = reduceSum(g, [0, 2, 3]);
    const gradA = sub(reduceSum(mul(g, x), [0, 2, 3]), mul(mean, gradShift));
    const gradScale = div(gradA, deviation);
    // a = scale·(variance + ε)^(−1/2), so ∂a/∂variance = −a / 2(variance + ε).
    const gradVariance = neg(div(mul(gradA, a), mul(add(variance, epsilon), 2)));
    return [mul(g, perChannel(a)), gradScale, gradShift, neg(mul(a, gradShift)), gradVariance];
  },
};

/** See {@link batchNormInferenceOp}. */
export function batchNormInference(
  x: Value,
  { scale, shift, mean, variance }: Readonly<Record<'scale' | 'shift' | 'mean' | 'variance', Value>>,
  attributes: BatchNormAttributes,
): Value {
  return applyOne(batchNormInferenceOp, [x, scale, shift, mean, variance], attributes);
}
