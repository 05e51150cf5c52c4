import { add, div, mul, neg, sqrt, sub } from '../graph/index.js';
import { isDecayed, type Optimizer, valueNamed } from './optimizer.js';

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay λ: w ← w − lr·λ·w, on kernels only (Loshchilov & Hutter 2019). 0 in the notebook. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1, in the form of the remark in section 2 that Keras uses):
 *
 *   m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
 *   w ← w − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)
 *
 * The powers βᵗ are carried as two scalars, so that the step needs no count.
 */
export function adam({ beta1, beta2, epsilon, weightDecay = 0 }: AdamSettings): Optimizer {
  return {
    name: 'adam',
    slots: ['mean', 'square'],
    scalars: { beta1Power: 1, beta2Power: 1 },
    advance: (scalars) => ({
      beta1Power: mul(valueNamed(scalars, 'beta1Power'), beta1),
      beta2Power: mul(valueNamed(scalars, 'beta2Power'), beta2),
    }),
    update({ param, gradient, slots, scalars, learningRate }) {
      const m = add(mul(valueNamed(slots, 'mean'), beta1), mul(gradient, 1 - beta1));
      const v = add(mul(valueNamed(slots, 'square'), beta2), mul(mul(gradient, gradient), 1 - beta2));
      const bias1 = sub(1, valueNamed(scalars, 'beta1Power'));
      const bias2 = sub(1, valueNamed(scalars, 'beta2Power'));
      const correction = div(sqrt(bias2), bias1);
      const step = mul(div(m, add(sqrt(v), epsilon)), mul(learningRate, correction));
      const decayed =
        weightDecay > 0 && isDecayed(param) ? mul(param, add(neg(mul(learningRate, weightDecay)), 1)) : param;
      return { param: sub(decayed, step), slots: { mean: m, square: v } };
    },
  };
}
