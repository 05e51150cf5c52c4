import type { Graph, Node, Value, ValueType } from '../src/graph/index.js';
import type { ReduceAttributes } from '../src/graph/ops/arithmetic.js';
import type { ConvAttributes } from '../src/graph/ops/conv.js';
import type { MatMulAttributes } from '../src/graph/ops/matmul.js';
import type { BatchNormAttributes } from '../src/graph/ops/normalize.js';
import type { SliceAttributes } from '../src/graph/ops/parts.js';
import type { PoolAttributes } from '../src/graph/ops/pool.js';
import { Emitter, type Handle } from '../src/lower/emitter.js';
import {
  type Attribute,
  float,
  int,
  ints,
  type OnnxModel,
  type OnnxVersion,
  string,
} from '../src/onnx/model.js';
import { type DType, type Shape, sizeOf, type Tensor, tensor } from '../src/tensor/tensor.js';

/** `ScatterElements` adds up from opset 16 on. */
export const naiveVersion: OnnxVersion = { opset: 16, ir: 8 };

/**
 * The yardstick for `src/lower`: each op as ONNX has it, written down without a thought for speed. Maps stay
 * [N, C, H, W], BatchNorm and the ReLU mask go op by op, and a convolution's gradients are convolutions: in the input
 * transposed, in the kernel with the image as input and dy as kernel, batch and channels exchanged.
 */
export function lowerNaively(graph: Graph): OnnxModel {
  const emit = new Emitter();
  const handles = new Map<Value, Handle>();
  for (const node of graph.nodes) {
    const rule = rules[node.op.name];
    if (!rule) throw new Error(`naive lowering: expected a rule. Received: op "${node.op.name}".`);
    emit.scope = node.scope;
    const inputs = node.inputs.map((value) => handles.get(value)!);
    const results = rule(emit, inputs, node);
    node.outputs.forEach((value, i) => {
      handles.set(value, 'name' in results ? results : results[i]!);
    });
  }
  const info = ([name, { dtype, shape }]: [string, Value]) => ({ name, dtype, shape });
  const outputs = Object.entries(graph.outputs).map((entry) => ({
    ...info(entry),
    from: handles.get(entry[1])!,
  }));
  return emit.finish('naive', Object.entries(graph.inputs).map(info), outputs, {}).model;
}

type NodeWith<A> = Node & { readonly attributes: A };

/**
 * Emits the operators of one node for these inputs; gives a handle of each result. A method, so that one table
 * can hold rules for attributes of every kind.
 */
type Rule<A = object> = {
  rule(emit: Emitter, inputs: readonly Handle[], node: NodeWith<A>): Handle | readonly Handle[];
}['rule'];

const direct =
  (opType: string): Rule =>
  (emit, inputs) =>
    emit.node(opType, inputs);

/** An operator that the product does not use, so that the emitter has no rule for its type: it is that of the node. */
const typed = (
  emit: Emitter,
  opType: string,
  inputs: readonly Handle[],
  types: readonly ValueType[],
  attributes: Readonly<Record<string, Attribute>>,
): Handle => emit.nodes(opType, inputs, { attributes, types })[0]!;

const withAxis =
  (opType: string): Rule =>
  (emit, inputs, { outputs }) =>
    typed(emit, opType, inputs, outputs, { axis: int(1) });

const exchanged = { perm: ints([1, 0, 2, 3]) };

const convWeightGrad: Rule<ConvAttributes> = (emit, [x, dy], { attributes: { pads } }) => {
  const image = emit.node('Transpose', [x!], exchanged);
  const kernel = emit.node('Transpose', [dy!], exchanged);
  return emit.node('Transpose', [emit.node('Conv', [image, kernel], { pads: ints(pads) })], exchanged);
};

const window = ({ kernel, strides, pads }: PoolAttributes) => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  pads: ints(pads),
});

/** MaxPool and the position of each maximum in the flattened map; forward and backward share one node. */
const maxPoolWithIndices = (
  emit: Emitter,
  x: Handle,
  { shape }: ValueType,
  attributes: PoolAttributes,
): readonly Handle[] =>
  emit.nodes('MaxPool', [x], {
    attributes: window(attributes),
    types: [
      { dtype: 'float32', shape },
      { dtype: 'int64', shape },
    ],
  });

const maxPoolGrad: Rule<PoolAttributes> = (emit, [x, , dy], { inputs, attributes }) => {
  const { shape } = inputs[0]!;
  const flat = (x: Handle) => emit.reshape(x, [-1]);
  const zeros = emit.node('Expand', [emit.float(0), emit.int64([sizeOf(shape)])]);
  const positions = flat(maxPoolWithIndices(emit, x!, inputs[1]!, attributes)[1]!);
  const sums = { axis: int(0), reduction: string('add') };
  return emit.reshape(typed(emit, 'ScatterElements', [zeros, positions, flat(dy!)], [zeros], sums), shape);
};

/** Each window's dy / count, spread over the window by a transposed convolution with ones; padding is not counted. */
const avgPoolGrad: Rule<PoolAttributes & { readonly shape: Shape }> = (
  emit,
  [dy],
  { inputs, attributes },
) => {
  const { kernel, strides, pads, shape } = attributes;
  const [n, c, height, width] = shape;
  const [, , outHeight, outWidth] = inputs[0]!.shape;
  const covered = (axis: 0 | 1, p: number, size: number) => {
    const begin = p * strides[axis] - pads[axis];
    return Math.min(begin + kernel[axis], size) - Math.max(begin, 0);
  };
  const shares = Array.from({ length: outHeight! * outWidth! }, (_, i) => {
    const [row, column] = [Math.floor(i / outWidth!), i % outWidth!];
    return 1 / (covered(0, row, height!) * covered(1, column, width!));
  });
  const share = emit.node('Mul', [dy!, emit.floats([outHeight!, outWidth!], shares)]);
  const rest = (axis: 0 | 1, out: number, size: number) =>
    size - ((out - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + 2]!);
  const spread = typed(
    emit,
    'ConvTranspose',
    [
      emit.reshape(share, [n! * c!, 1, outHeight!, outWidth!]),
      emit.floats([1, 1, ...kernel], new Array(kernel[0] * kernel[1]).fill(1)),
    ],
    [{ dtype: 'float32', shape: [n! * c!, 1, height!, width!] }],
    {
      ...window(attributes),
      output_padding: ints([rest(0, outHeight!, height!), rest(1, outWidth!, width!)]),
    },
  );
  return emit.reshape(spread, shape);
};

/** Mean over N, H, W of each channel, as [1, C, 1, 1]. */
const channelMean = (emit: Emitter, x: Handle): Handle =>
  emit.node('ReduceMean', [x], { axes: ints([0, 2, 3]), keepdims: int(1) });

/** [C] as [1, C, 1, 1], and back. */
const perChannel = (emit: Emitter, x: Handle): Handle => emit.reshape(x, [1, -1, 1, 1]);
const vector = (emit: Emitter, x: Handle): Handle => emit.reshape(x, [-1]);

const reciprocalDeviation = (emit: Emitter, variance: Handle, epsilon: number): Handle =>
  emit.node('Reciprocal', [emit.node('Sqrt', [emit.node('Add', [variance, emit.float(epsilon)])])]);

const batchNormTrain: Rule<BatchNormAttributes> = (emit, [x, scale, shift], { attributes }) => {
  const mean = channelMean(emit, x!);
  const centred = emit.node('Sub', [x!, mean]);
  const variance = channelMean(emit, emit.node('Mul', [centred, centred]));
  const normed = emit.node('Mul', [centred, reciprocalDeviation(emit, variance, attributes.epsilon)]);
  const scaled = emit.node('Mul', [normed, perChannel(emit, scale!)]);
  const y = emit.node('Add', [scaled, perChannel(emit, shift!)]);
  return [y, vector(emit, mean), vector(emit, variance)];
};

/** dx = scale·r·(dy − dshift/n − x̂·dscale/n), as the formula stands. */
const batchNormGrad: Rule<BatchNormAttributes> = (emit, inputs, { attributes, outputs: [, dscaleValue] }) => {
  const [x, dy, scale, mean, variance] = inputs;
  const channels = dscaleValue!.shape[0]!;
  const centred = emit.node('Sub', [x!, perChannel(emit, mean!)]);
  const r = reciprocalDeviation(emit, perChannel(emit, variance!), attributes.epsilon);
  const normed = emit.node('Mul', [centred, r]);
  const dyNormed = emit.node('Mul', [dy!, normed]);
  const fromShift = emit.node('Sub', [dy!, channelMean(emit, dy!)]);
  const fromScale = emit.node('Mul', [normed, channelMean(emit, dyNormed)]);
  const gain = emit.node('Mul', [perChannel(emit, scale!), r]);
  const dx = emit.node('Mul', [gain, emit.node('Sub', [fromShift, fromScale])]);
  const channelSum = (x: Handle) => emit.reshape(emit.reduceSum(x, [0, 2, 3], false), [channels]);
  return [dx, channelSum(dyNormed), channelSum(dy!)];
};

const reduce =
  (opType: 'ReduceSum' | 'ReduceMean'): Rule<ReduceAttributes> =>
  (emit, [x], { attributes: { axes, keepDims } }) => {
    // ONNX reads an empty list as all axes.
    if (axes.length === 0) return x!;
    if (opType === 'ReduceSum') return emit.reduceSum(x!, axes, keepDims);
    return emit.node('ReduceMean', [x!], { axes: ints(axes), keepdims: int(keepDims ? 1 : 0) });
  };

const oneHot: Rule<{ readonly depth: number }> = (emit, [labels], { attributes: { depth }, outputs }) =>
  typed(
    emit,
    'OneHot',
    [
      labels!,
      emit.initializer(tensor('int32', [1], Int32Array.of(depth))),
      emit.initializer(tensor('float32', [2], Float32Array.of(0, 1))),
    ],
    outputs,
    { axis: int(1) },
  );

const rules: Readonly<Record<string, Rule | undefined>> = {
  input: (
    _emit,
    _inputs,
    { attributes: { name, dtype, shape } }: NodeWith<ValueType & { name: string }>,
  ) => ({
    name,
    dtype,
    shape,
  }),
  constant: (emit, _inputs, { attributes }: NodeWith<{ tensor: Tensor }>) =>
    emit.initializer(attributes.tensor),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sigmoid: direct('Sigmoid'),
  tanh: direct('Tanh'),
  erf: direct('Erf'),
  relu: direct('Relu'),
  reluGrad: (emit, [y, dy]) => {
    const mask = emit.cast(emit.node('Greater', [y!, emit.float(0)]), 'float32');
    return emit.node('Mul', [mask, dy!]);
  },
  reshape: (emit, [x], { attributes }: NodeWith<{ shape: Shape }>) => emit.reshape(x!, attributes.shape),
  transpose: (emit, inputs, { attributes }: NodeWith<{ perm: readonly number[] }>) =>
    emit.node('Transpose', inputs, { perm: ints(attributes.perm) }),
  broadcastTo: (emit, [x], { attributes }: NodeWith<{ shape: Shape }>) =>
    emit.node('Expand', [x!, emit.int64(attributes.shape)]),
  slice: (emit, [x], { attributes: { axis, from, to } }: NodeWith<SliceAttributes>) =>
    emit.slice(x!, [axis], [from], [to]),
  concat: (emit, inputs, { attributes }: NodeWith<{ axis: number }>) =>
    emit.node('Concat', inputs, { axis: int(attributes.axis) }),
  reduceSum: reduce('ReduceSum'),
  reduceMean: reduce('ReduceMean'),
  matMul: (emit, [a, b], { attributes: { transposeA, transposeB } }: NodeWith<MatMulAttributes>) => {
    const { length } = a!.shape;
    if (length === 2) {
      return emit.node('Gemm', [a!, b!], {
        transA: int(transposeA ? 1 : 0),
        transB: int(transposeB ? 1 : 0),
      });
    }
    const perm = [...a!.shape.keys()].slice(0, -2).concat(length - 1, length - 2);
    const operand = (x: Handle, isTransposed: boolean) => (isTransposed ? emit.transpose(x, perm) : x);
    return emit.node('MatMul', [operand(a!, transposeA), operand(b!, transposeB)]);
  },
  conv: (emit, inputs, { attributes: { pads } }: NodeWith<ConvAttributes>) =>
    emit.node('Conv', inputs, { pads: ints(pads) }),
  convInputGrad: (emit, inputs, { attributes: { pads }, outputs }: NodeWith<ConvAttributes>) =>
    typed(emit, 'ConvTranspose', inputs, outputs, { pads: ints(pads) }),
  convWeightGrad,
  maxPool: (emit, [x], { attributes, outputs }: NodeWith<PoolAttributes>) =>
    maxPoolWithIndices(emit, x!, outputs[0]!, attributes)[0]!,
  maxPoolGrad,
  avgPool: (emit, inputs, { attributes }: NodeWith<PoolAttributes>) =>
    emit.node('AveragePool', inputs, { ...window(attributes), count_include_pad: int(0) }),
  avgPoolGrad,
  batchNormTrain,
  batchNormGrad,
  batchNormInference: (emit, inputs, { attributes: { epsilon } }: NodeWith<BatchNormAttributes>) =>
    emit.node('BatchNormalization', inputs, { epsilon: float(epsilon) }),
  softmax: withAxis('Softmax'),
  logSoftmax: withAxis('LogSoftmax'),
  cast: (emit, [x], { attributes }: NodeWith<{ to: DType }>) => emit.cast(x!, attributes.to),
  oneHot,
  argMax: (emit, inputs) => {
    const column = emit.node('ArgMax', inputs, { axis: int(1), keepdims: int(0) });
    return emit.cast(column, 'int32');
  },
  equal: (emit, inputs) => emit.cast(emit.node('Equal', inputs), 'float32'),
};
