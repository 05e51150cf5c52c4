import { cast, mul, transpose, type Value } from '../graph/index.js';

/**
 * uint8 [N, H, W, C] → float32 [N, C, H, W] in 0–1: pixels / 255, the only normalisation there is.
 *
 * The cast comes first: some runtimes (TensorRT) take whole numbers into nothing else.
 */
export function imagesToMaps(images: Value): Value {
  return mul(transpose(cast(images, 'float32'), [0, 3, 1, 2]), 1 / 255);
}
