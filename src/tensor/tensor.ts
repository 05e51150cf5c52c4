import { QuarterturnError } from '../errors.js';

/** Element types that graphs and files use. */
export type DType = 'float32' | 'uint8' | 'int32' | 'int64' | 'bool';

/** Sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The typed array that holds each dtype (bool: one byte, 0 or 1). */
export interface ArrayOf {
  float32: Float32Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
}

/** A dense array in host memory, row-major. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: ArrayOf[D];
}

/** Tensors by name: the weights of a network, what a graph is fed and gives, the content of a file. */
export type Tensors = Readonly<Record<string, Tensor>>;

const constructors = {
  float32: Float32Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** Number of elements: the product of the axes (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Bytes that one element takes. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** True where both shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** A tensor of zeros. */
export function zeros<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return { dtype, shape, data: new constructors[dtype](sizeOf(shape)) as ArrayOf[D] };
}

/**
 * A tensor over existing data (not copied).
 * @throws QuarterturnError `shape` if the element count differs from the shape's.
 */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: ArrayOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    throw new QuarterturnError(
      'shape',
      `tensor: expected ${sizeOf(shape)} elements for shape [${shape.join(', ')}]. Received: ${data.length}.`,
    );
  }
  return { dtype, shape, data };
}

/** A float32 tensor from plain numbers. */
export function float32(shape: Shape, values: ArrayLike<number>): Tensor<'float32'> {
  return tensor('float32', shape, Float32Array.from(values));
}

/** A float32 scalar. */
export function scalar(value: number): Tensor<'float32'> {
  return float32([], [value]);
}

/** A copy that shares nothing with the original. */
export function cloneTensor<D extends DType>(t: Tensor<D>): Tensor<D> {
  return { ...t, data: t.data.slice() as ArrayOf[D] };
}

/**
 * The tensor of a name.
 * @throws QuarterturnError `usage` if there is none
 */
export function tensorNamed(tensors: Tensors, name: string): Tensor {
  const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (found) return found;
  const names = Object.keys(tensors);
  const shown = names.length > 6 ? [...names.slice(0, 6), '…'] : names;
  throw new QuarterturnError(
    'usage',
    `tensors: expected one named "${name}". Received: ${shown.join(', ') || 'none'}.`,
  );
}
