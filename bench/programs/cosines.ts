import type { Tensor } from '../../src/tensor/tensor.js';

/**
 * Cosines in float64 of each row and the `count` others found for it, [rows · count]: the same for all who name the same rows,
 * or others just as near.
 *
 * @param rows float32 [n, d], of length 1
 */
export function cosinesOf({ shape, data }: Tensor<'float32'>, found: Int32Array, count: number): number[] {
  const d = shape[1]!;
  return Array.from(found, (row, i) => {
    const [own, other] = [Math.floor(i / count) * d, row * d];
    let sum = 0;
    for (let k = 0; k < d; k++) sum += data[own + k]! * data[other + k]!;
    return sum;
  });
}
