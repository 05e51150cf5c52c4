import { add, erf, mul, type Value } from '../graph/index.js';

/**
 * Gaussian error linear unit, x·Φ(x) = x/2 · (1 + erf(x/√2)), with the exact Φ and not its approximation by tanh.
 *
 * @example
 * const mlp = network({ hidden: dense('hidden', 784, 128) }, ({ hidden }, x) => gelu(hidden(x)));
 * @see Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2
 */
export function gelu(x: Value): Value {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}
