import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { readTensors } from './program.js';

export interface ConvOperands {
  /** float32 [N, C, H, W] */
  readonly x: Tensor<'float32'>;
  /** float32 [O, C, kh, kw] */
  readonly w: Tensor<'float32'>;
  /** float32 [N, O, H, W] */
  readonly dy: Tensor<'float32'>;
}

/**
 * The operands of the convolution for a batch of any size: one image's x and dy, repeated. So results of one image are
 * the same in every batch, and the kernel's gradient grows with it.
 */
export function convOperands(path: string, batch: number): ConvOperands {
  const { x, w, dy } = readTensors(path) as unknown as ConvOperands;
  return { x: repeated(x, batch), w, dy: repeated(dy, batch) };
}

function repeated({ shape, data }: Tensor<'float32'>, batch: number): Tensor<'float32'> {
  const all = new Float32Array(data.length * batch);
  for (let i = 0; i < batch; i++) all.set(data, i * data.length);
  return tensor('float32', [batch, ...shape.slice(1)], all);
}

const checkedCount = 16;

/** The first numbers of y, dx and dw / N, for results [N, …] or [O, C, kh, kw] as `convOperands` gives them. */
export function convChecks(batch: number, results: readonly ArrayLike<number>[]): number[] {
  const [y, dx, dw] = results.map((data) => Array.from({ length: checkedCount }, (_, i) => data[i]!));
  return [...y!, ...dx!, ...dw!.map((value) => value / batch)];
}
