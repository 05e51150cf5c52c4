import { add, mul, sub } from '../graph/index.js';
import { isDecayed, type Optimizer, valueNamed } from './optimizer.js';

export interface SgdSettings {
  /** Share of the velocity kept at each step. */
  readonly momentum: number;
  /** L2 penalty λ: g ← g + λ·w, on kernels only. 0 in the notebook. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with Nesterov's momentum, in Keras's form (Sutskever et al. 2013, eq. 3–4, rewritten at
 * the looked-ahead point):
 *
 *   v ← m·v − lr·g
 *   w ← w + m·v − lr·g
 */
export function sgd({ momentum, weightDecay = 0 }: SgdSettings): Optimizer {
  return {
    name: 'sgd',
    slots: ['velocity'],
    scalars: {},
    advance: () => ({}),
    update({ param, gradient, slots, learningRate }) {
      const g = weightDecay > 0 && isDecayed(param) ? add(gradient, mul(param, weightDecay)) : gradient;
      const step = mul(g, learningRate);
      const next = sub(mul(valueNamed(slots, 'velocity'), momentum), step);
      return { param: sub(add(param, mul(next, momentum)), step), slots: { velocity: next } };
    },
  };
}
