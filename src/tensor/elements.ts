import { QuarterturnError } from '../errors.js';
import type { Shape } from './tensor.js';

/**
 * The element of a list that is known to have one there. Not for inner loops over typed arrays.
 * @throws RangeError where it has none: a fault of this library, not of its user
 */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const element = list[index];
  if (element !== undefined) return element;
  throw new RangeError(`expected an element at ${index}. Received: a list of ${list.length}.`);
}

/**
 * The axes of maps [N, C, H, W], kernels [O, C, kh, kw] and stored maps.
 * @throws QuarterturnError `shape` for another number of axes
 */
export function fourAxes(shape: Shape): readonly [number, number, number, number] {
  const [n, c, h, w, ...more] = shape;
  if (n !== undefined && c !== undefined && h !== undefined && w !== undefined && more.length === 0) {
    return [n, c, h, w];
  }
  throw new QuarterturnError('shape', `expected four axes. Received: [${shape.join(', ')}].`);
}
