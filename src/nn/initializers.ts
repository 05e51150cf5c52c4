import type { Random } from '../random/random.js';
import { type Shape, sizeOf, type Tensor, tensor } from '../tensor/tensor.js';

/** Initial values of a parameter. */
export type Initializer = 'glorotUniform' | 'zeros' | 'ones';

/**
 * Glorot & Bengio 2010, eq. 16: U(−l, l) with l = √(6 / (fanIn + fanOut)), which keeps the variance of activations and
 * gradients alike from layer to layer. Keras's default.
 *
 * A kernel [O, I, kh, kw] has fanIn = I·kh·kw and fanOut = O·kh·kw, a matrix [in, out] has fanIn = in, fanOut = out.
 */
function glorotLimit(shape: Shape): number {
  const [first = 1, second = 1, ...area] = shape;
  return Math.sqrt(6 / ((first + second) * sizeOf(area)));
}

/** The starting value of one parameter; each takes its own stream, so adding a layer changes no other. */
export function initialize(initializer: Initializer, shape: Shape, random: Random): Tensor<'float32'> {
  const data = new Float32Array(sizeOf(shape));
  if (initializer === 'ones') data.fill(1);
  if (initializer === 'glorotUniform') {
    const limit = glorotLimit(shape);
    for (let i = 0; i < data.length; i++) data[i] = random.uniform(-limit, limit);
  }
  return tensor('float32', shape, data);
}
