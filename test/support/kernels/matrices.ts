import type { MatMulAttributes } from '../../../src/graph/ops/matmul.js';
import { type DType, type Shape, sizeOf } from '../../../src/tensor/tensor.js';
import type { Float64Tensor, Kernel } from './kernel.js';

/** Kernels of ops on matrices, rows of logits and labels. */

export const matMul: Kernel<MatMulAttributes> = ([a, b], { transposeA, transposeB }, [out]) => {
  const [rows, columns] = out!.shape.slice(-2) as [number, number];
  const inner = a!.shape.at(transposeA ? -2 : -1)!;
  const c = new Float64Array(sizeOf(out!.shape));
  const at = (m: Float64Tensor, matrix: number, row: number, column: number) =>
    m.data[(matrix * m.shape.at(-2)! + row) * m.shape.at(-1)! + column]!;
  for (let matrix = 0; matrix < c.length / (rows * columns); matrix++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        for (let k = 0; k < inner; k++) {
          const left = transposeA ? at(a!, matrix, k, i) : at(a!, matrix, i, k);
          const right = transposeB ? at(b!, matrix, j, k) : at(b!, matrix, k, j);
          c[(matrix * rows + i) * columns + j]! += left * right;
        }
  return [c];
};

/** The rows of a matrix [N, K]. */
function rowsOf({ shape, data }: Float64Tensor): Float64Array[] {
  const [rows, columns] = shape as readonly [number, number];
  return Array.from({ length: rows }, (_, n) => data.subarray(n * columns, (n + 1) * columns));
}

/** x − ln Σ eˣ, with the largest x taken out of the sum so that no power overflows. */
function logSoftmaxOfRow(row: Float64Array): Float64Array {
  const largest = Math.max(...row);
  const sum = row.reduce((total, x) => total + Math.exp(x - largest), 0);
  return row.map((x) => x - largest - Math.log(sum));
}

export const logSoftmax: Kernel = ([x]) => [
  Float64Array.from(rowsOf(x!).flatMap((row) => [...logSoftmaxOfRow(row)])),
];

export const softmax: Kernel = ([x]) => [
  Float64Array.from(rowsOf(x!).flatMap((row) => [...logSoftmaxOfRow(row).map(Math.exp)])),
];

/** To whole numbers toward zero, as ONNX has it; what does not fit the target is not defined there. */
export const cast: Kernel<{ readonly to: DType }> = ([x], { to }) => {
  if (to === 'float32') return [x!.data.slice()];
  return [x!.data.map(to === 'bool' ? (v) => (v === 0 ? 0 : 1) : Math.trunc)];
};

export const oneHot: Kernel<{ readonly depth: number }> = ([labels], { depth }, [out]) => {
  const rows = new Float64Array(sizeOf(out!.shape));
  labels!.data.forEach((label, n) => {
    if (label >= 0 && label < depth) rows[n * depth + label] = 1;
  });
  return [rows];
};

export const argMax: Kernel = ([x]) => [
  Float64Array.from(rowsOf(x!), (row) => row.indexOf(Math.max(...row))),
];

export const equal: Kernel = ([a, b]) => [a!.data.map((v, i) => (v === b!.data[i] ? 1 : 0))];

/** Only here for the table: the interpreter puts what was fed in place before it starts. */
export const input: Kernel<{ readonly name: string; readonly shape: Shape }> = (_, { name }) => {
  throw new Error(`interpret: expected a value for input "${name}". Received: none.`);
};

export const constant: Kernel<{ readonly tensor: { readonly data: ArrayLike<number | bigint> } }> = (
  _,
  { tensor },
) => [Float64Array.from(tensor.data, Number)];
