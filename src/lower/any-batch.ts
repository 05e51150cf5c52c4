import { QuarterturnError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { OnnxModel, OnnxValueInfo } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import { sameShape, type Tensor, tensorNamed } from '../tensor/tensor.js';
import { type LowerOptions, lower } from './lower.js';
import type { Target } from './lowering.js';

/** Far apart, so that what is chosen by size shows; not 1, which hides in shapes. */
const [batchSize, otherBatchSize] = [2, 129];

/**
 * Lower a graph that has the batch as the first axis of its inputs and outputs into a model that takes a batch of any
 * size.
 *
 * Semantic graphs have a fixed batch size. Here the graph is lowered for two sizes: where both give the same operators
 * and the same constants, nothing in them depends on the size, and the axis of inputs and outputs that differs is free.
 *
 * @param build the graph for one batch size; tensors of weights may be shared between its graphs
 * @throws QuarterturnError `runtime` naming the first operator or constant that was made for one batch size
 */
export function lowerForAnyBatch(
  build: (batchSize: number) => Graph,
  target: Target,
  options: LowerOptions = {},
): OnnxModel {
  const model = lower(build(batchSize), target, options);
  const other = lower(build(otherBatchSize), target, options);
  const bound = boundToBatch(model, other);
  if (bound !== undefined) {
    throw new QuarterturnError(
      'runtime',
      `lower: expected a graph that takes any number of images. Received: ${bound}, which was made for one number.`,
    );
  }
  return {
    ...model,
    inputs: model.inputs.map((info, i) => withFreeAxes(info, at(other.inputs, i).shape)),
    outputs: model.outputs.map((info, i) => withFreeAxes(info, at(other.outputs, i).shape)),
  };
}

/** Names what differs between a graph's models for two batch sizes, inputs and outputs aside. */
function boundToBatch(model: OnnxModel, other: OnnxModel): string | undefined {
  if (model.nodes.length !== other.nodes.length) return 'a number of operators';
  const node = model.nodes.find((node, i) => JSON.stringify(node) !== JSON.stringify(other.nodes[i]));
  if (node) return `the operator ${node.name}`;
  const constants = Object.entries(model.initializers);
  const constant = constants.find(
    ([name, tensor]) => !sameTensor(tensor, tensorNamed(other.initializers, name)),
  );
  if (!constant) return undefined;
  const [name] = constant;
  return `a constant of ${model.nodes.find(({ inputs }) => inputs.includes(name))?.name ?? name}`;
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  return a.data === b.data || a.data.every((value, i) => Object.is(value, b.data[i]));
}

function withFreeAxes(info: OnnxValueInfo, other: OnnxValueInfo['shape']): OnnxValueInfo {
  return { ...info, shape: info.shape.map((n, axis) => (n === other[axis] ? n : 'N')) };
}
