import { cast, mul, transpose, type Value } from '../graph/index.js';

/** uint8 [N, H, W, C] → float32 [N, C, H, W] in 0–1: pixels / 255, the only normalisation there is. */
export function imagesToMaps(images: Value): Value {
  return mul(cast(transpose(images, [0, 3, 1, 2]), 'float32'), 1 / 255);
}
