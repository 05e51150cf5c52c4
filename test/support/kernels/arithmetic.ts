import type { ReduceAttributes } from '../../../src/graph/ops/arithmetic.js';
import type { SliceAttributes } from '../../../src/graph/ops/parts.js';
import { type Shape, sizeOf } from '../../../src/tensor/tensor.js';
import { indices, type Kernel, offsetIn } from './kernel.js';

const unary =
  (f: (x: number) => number): Kernel =>
  ([x]) => [x!.data.map((v) => f(v))];

const binary =
  (f: (a: number, b: number) => number): Kernel =>
  ([a, b], _, [out]) => [
    Float64Array.from(indices(out!.shape), (index) =>
      f(a!.data[offsetIn(a!.shape, index)]!, b!.data[offsetIn(b!.shape, index)]!),
    ),
  ];

/**
 * Gauss's error function: its Taylor series near 0, and the continued fraction of its complement elsewhere.
 * @see Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.5 and 7.1.14
 */
function errorFunction(x: number): number {
  const size = Math.abs(x);
  if (size > 2.5) {
    let fraction = 0;
    for (let k = 100; k > 0; k--) fraction = k / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction)));
  }
  let [sum, power] = [x, x];
  for (let k = 1; k < 60; k++) {
    power *= (-x * x) / k;
    sum += power / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const add = binary((a, b) => a + b);
export const sub = binary((a, b) => a - b);
export const mul = binary((a, b) => a * b);
export const div = binary((a, b) => a / b);
export const neg = unary((x) => -x);
export const exp = unary(Math.exp);
export const log = unary(Math.log);
export const sqrt = unary(Math.sqrt);
export const sigmoid = unary((x) => 1 / (1 + Math.exp(-x)));
export const tanh = unary(Math.tanh);
export const erf = unary(errorFunction);
export const relu = unary((x) => Math.max(x, 0));
export const reluGrad = binary((y, dy) => (y > 0 ? dy : 0));

export const reshape: Kernel = ([x]) => [x!.data.slice()];

/** Axis k of the output is axis perm[k] of the input. */
export const transpose: Kernel<{ readonly perm: readonly number[] }> = ([x], { perm }, [out]) => [
  Float64Array.from(indices(out!.shape), (index) => {
    const source = perm.map((_, axis) => index[perm.indexOf(axis)]!);
    return x!.data[offsetIn(x!.shape, source)]!;
  }),
];

export const broadcastTo: Kernel<{ readonly shape: Shape }> = ([x], { shape }) => [
  Float64Array.from(indices(shape), (index) => x!.data[offsetIn(x!.shape, index)]!),
];

/** Sums, in the layout with reduced axes kept as 1, which is also the layout without them. */
export const reduceSum: Kernel<ReduceAttributes> = ([x], { axes }) => {
  const kept = x!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const sums = new Float64Array(sizeOf(kept));
  let i = 0;
  for (const index of indices(x!.shape)) sums[offsetIn(kept, index)]! += x!.data[i++]!;
  return [sums];
};

export const reduceMean: Kernel<ReduceAttributes> = (inputs, attributes, outputs) => {
  const count = sizeOf(inputs[0]!.shape) / sizeOf(outputs[0]!.shape);
  return reduceSum(inputs, attributes, outputs).map((sums) => sums.map((sum) => sum / count));
};

export const slice: Kernel<SliceAttributes> = ([x], { axis, from }, [out]) => [
  Float64Array.from(
    indices(out!.shape),
    (index) => x!.data[offsetIn(x!.shape, index.with(axis, index[axis]! + from))]!,
  ),
];

export const concat: Kernel<{ readonly axis: number }> = (parts, { axis }, [out]) => [
  Float64Array.from(indices(out!.shape), (index) => {
    let at = index[axis]!;
    const part = parts.find(({ shape }) => {
      if (at < shape[axis]!) return true;
      at -= shape[axis]!;
      return false;
    });
    return part!.data[offsetIn(part!.shape, index.with(axis, at))]!;
  }),
];
