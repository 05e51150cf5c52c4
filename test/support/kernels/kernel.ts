import type { ValueType } from '../../../src/graph/graph.js';
import type { Shape } from '../../../src/tensor/tensor.js';

/** Numbers in row-major order, whatever dtype the graph gives them. */
export interface Float64Tensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** What one op computes: the data of each of `outputs`, whose types the graph's shape rules gave. */
export type Kernel<A extends object = object> = {
  run(
    inputs: readonly Float64Tensor[],
    attributes: A,
    outputs: readonly ValueType[],
  ): readonly Float64Array[];
}['run'];

/** Every index of a shape, in row-major order; one empty index for a scalar. */
export function* indices(shape: Shape): Generator<readonly number[]> {
  const index = shape.map(() => 0);
  if (shape.includes(0)) return;
  for (;;) {
    yield [...index];
    let axis = shape.length - 1;
    while (axis >= 0 && ++index[axis]! === shape[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/**
 * Where an index of a broadcast result reads from an operand of `shape`: axes are aligned at the end, and an
 * axis of size 1 is read at 0. An index of the operand itself is the plain row-major offset.
 */
export function offsetIn(shape: Shape, index: readonly number[]): number {
  const missing = index.length - shape.length;
  return shape.reduce((offset, n, axis) => offset * n + (n === 1 ? 0 : index[missing + axis]!), 0);
}
