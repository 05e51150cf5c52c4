import type { Graph, Value } from '../../src/graph/graph.js';
import { sizeOf, type Tensor } from '../../src/tensor/tensor.js';
import * as arithmetic from './kernels/arithmetic.js';
import * as images from './kernels/images.js';
import type { Float64Tensor, Kernel } from './kernels/kernel.js';
import * as matrices from './kernels/matrices.js';

/** What each op computes, by the op's name: exactly the ops of `allOps`. */
export const kernels: Readonly<Record<string, Kernel>> = { ...arithmetic, ...images, ...matrices };

/**
 * The reference: run a graph in float64, one plain loop an op, whatever dtypes it declares.
 *
 * It judges the product (gradient rules, lowered graphs) and is no part of it, so it is written to be read.
 * @param inputs one entry for each input of the graph: a tensor of its shape, or its numbers in row-major order
 * @returns each output of the graph
 * @throws Error where an input is missing, unknown or of another size
 */
export function interpret(
  graph: Graph,
  inputs: Readonly<Record<string, Tensor | ArrayLike<number>>>,
): Record<string, Float64Tensor> {
  const known = new Map<Value, Float64Tensor>();
  for (const [name, fed] of Object.entries(inputs)) {
    const value = graph.inputs[name];
    if (!value) throw new Error(`interpret: expected inputs of the graph. Received: "${name}".`);
    known.set(value, { shape: value.shape, data: numbersFor(name, value, fed) });
  }
  for (const node of graph.nodes) {
    if (node.outputs.every((value) => known.has(value))) continue;
    const kernel = kernels[node.op.name];
    if (!kernel) throw new Error(`interpret: expected an op with a kernel. Received: ${node.op.name}.`);
    const operands = node.inputs.map((value) => known.get(value)!);
    const results = kernel(operands, node.attributes, node.outputs);
    node.outputs.forEach((value, i) => {
      known.set(value, { shape: value.shape, data: results[i]! });
    });
  }
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, known.get(value)!]));
}

function numbersFor(name: string, { shape }: Value, fed: Tensor | ArrayLike<number>): Float64Array {
  const data: ArrayLike<number | bigint> = 'dtype' in fed ? fed.data : fed;
  const received = 'dtype' in fed ? `[${fed.shape}]` : `${data.length} numbers`;
  const fits = 'dtype' in fed ? fed.shape.join() === shape.join() : data.length === sizeOf(shape);
  if (!fits) throw new Error(`interpret: expected [${shape}] for input "${name}". Received: ${received}.`);
  return Float64Array.from(data, Number);
}
