import type { ValueType } from '../graph/graph.js';
import type { OnnxNode } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import { bytesPerElement, sizeOf } from '../tensor/tensor.js';
import { intsAttribute, matrixShape } from './operator-types.js';

/** What an operator has to do, whoever does it. */
export interface Work {
  /** Additions, multiplications, comparisons and functions of floats; a multiply-add is two. */
  readonly flops: number;
  /** What it reads and writes, each operand and each result once. */
  readonly bytes: number;
}

/** Peak rates of a device, for one kind of work at a time. */
export interface Machine {
  /** On a large matrix product. */
  readonly flopsPerSecond: number;
  /** On sums of tensors that no cache holds, read and written bytes together. */
  readonly bytesPerSecond: number;
  /** For calling an operator that has next to nothing to do. */
  readonly callMs: number;
}

/** Operators that only say otherwise how the same bytes are to be read. */
export const viewOperators: ReadonlySet<string> = new Set(['Reshape', 'Flatten']);

/** Operators that move numbers and compute none. */
const movingOperators: ReadonlySet<string> = new Set([
  'Cast',
  'Concat',
  'Expand',
  'Gather',
  'Identity',
  'Pad',
  'Slice',
  'Transpose',
]);

/** Of these only what is kept is read. */
const selectingOperators: ReadonlySet<string> = new Set(['Slice', 'Gather']);

type Operands = readonly ValueType[];

const bytesOf = ({ dtype, shape }: ValueType): number => sizeOf(shape) * bytesPerElement(dtype);
const totalBytes = (values: Operands): number => values.reduce((sum, value) => sum + bytesOf(value), 0);

function flopsOf(node: OnnxNode, inputs: Operands, outputs: Operands): number {
  const results = sizeOf(at(outputs, 0).shape);
  switch (node.opType) {
    case 'Conv':
    case 'FusedConv':
      // A product for each number of one output channel's kernel.
      return 2 * results * sizeOf(at(inputs, 1).shape.slice(1));
    case 'MatMul':
    case 'FusedMatMul':
    case 'Gemm':
      return 2 * results * (matrixShape(node, at(inputs, 0).shape, 'A').at(-1) ?? 1);
    case 'MaxPool':
    case 'AveragePool':
      return results * sizeOf(intsAttribute(node, 'kernel_shape'));
    case 'Sum':
      return results * (inputs.length - 1);
    case 'BatchNormalization':
      return 2 * results;
    default:
      // Elementwise operators take a step for each result, reductions one for each operand.
      return movingOperators.has(node.opType) ? 0 : Math.max(results, sizeOf(at(inputs, 0).shape));
  }
}

/**
 * The work of one operator, from the types of all tensors of its model.
 *
 * It is the least that the operator must do: what a kernel copies in between (im2col) is not counted, and neither is
 * what a cache spares.
 */
export function workOf(node: OnnxNode, types: ReadonlyMap<string, ValueType>): Work {
  if (viewOperators.has(node.opType)) return { flops: 0, bytes: 0 };
  const typeOf = (name: string): ValueType => {
    const type = types.get(name);
    if (type) return type;
    throw new RangeError(`${node.name}: expected the type of ${name}`);
  };
  const [inputs, outputs] = [node.inputs.map(typeOf), node.outputs.map(typeOf)];
  const read = selectingOperators.has(node.opType) ? outputs : inputs;
  return { flops: flopsOf(node, inputs, outputs), bytes: totalBytes(read) + totalBytes(outputs) };
}

/** The work of several operators. */
export function totalWork(works: readonly Work[]): Work {
  return works.reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), {
    flops: 0,
    bytes: 0,
  });
}

/**
 * The time that an operator takes by the roofline model: a call, and then either arithmetic or memory, whichever takes
 * longer.
 *
 *   t = call + max(flops / peak, bytes / bandwidth)
 *
 * @see Williams, Waterman and Patterson, "Roofline", 2009, section 3
 */
export function predictedMs({ flops, bytes }: Work, machine: Machine): number {
  if (bytes === 0) return 0;
  return machine.callMs + 1000 * Math.max(flops / machine.flopsPerSecond, bytes / machine.bytesPerSecond);
}
