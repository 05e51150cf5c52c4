import { QuarterturnError } from '../errors.js';
import type { ValueType } from '../graph/graph.js';
import { broadcastShapes } from '../graph/ops/arithmetic.js';
import { type OnnxNode, onnxDType } from '../onnx/model.js';
import { type DType, type Shape, sizeOf } from '../tensor/tensor.js';

/** An operator by itself. */
export type Operator = Pick<OnnxNode, 'opType' | 'attributes'>;

/** One operator with what is known of its operands. */
export interface Call {
  readonly node: Operator;
  readonly inputs: readonly ValueType[];
  /** The numbers of an operand that is a constant, as ONNX wants shapes, axes and indices. */
  constant(input: number): readonly number[];
}

type TypeRule = (call: Call) => readonly ValueType[];

/** An attribute that is one whole number. */
export function intAttribute({ attributes }: Operator, name: string, byDefault: number): number {
  const attribute = attributes[name];
  return attribute?.kind === 'int' ? attribute.value : byDefault;
}

/** An attribute that is a list of whole numbers; empty where it is not given. */
export function intsAttribute({ attributes }: Operator, name: string): readonly number[] {
  const attribute = attributes[name];
  return attribute?.kind === 'ints' ? attribute.value : [];
}

/** Positions and axes below 0 count from the end. */
const fromStart = (position: number, length: number): number => (position < 0 ? position + length : position);

const likeFirst: TypeRule = ({ inputs: [x] }) => [x!];

const broadcast =
  (dtype?: DType): TypeRule =>
  ({ node, inputs }) => {
    const shape = inputs.map((v) => v.shape).reduce((a, b) => broadcastShapes(node.opType, a, b));
    return [{ dtype: dtype ?? inputs[0]!.dtype, shape }];
  };

function withoutAxes(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  const reduced = new Set(axes.map((axis) => fromStart(axis, shape.length)));
  return keepDims
    ? shape.map((n, axis) => (reduced.has(axis) ? 1 : n))
    : shape.filter((_, axis) => !reduced.has(axis));
}

/** Opset 13 passes the axes of ReduceSum as an input, those of the other reductions as an attribute; none: all. */
const reduction: TypeRule = ({ node, inputs: [x, ...more], constant }) => {
  const given = more.length > 0 ? constant(1) : intsAttribute(node, 'axes');
  const axes = given.length > 0 ? given : x!.shape.map((_, axis) => axis);
  const keepDims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ dtype: x!.dtype, shape: withoutAxes(x!.shape, axes, keepDims) }];
};

const argument: TypeRule = ({ node, inputs: [x] }) => {
  const keepDims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ dtype: 'int64', shape: withoutAxes(x!.shape, [intAttribute(node, 'axis', 0)], keepDims) }];
};

/**
 * An operand of a product as [batch…, rows, columns]. FusedMatMul's `transBatch…` says that the rows stand before the
 * batch, `trans…` that what stands for rows are columns.
 */
export function matrixShape(node: Operator, shape: Shape, operand: 'A' | 'B'): Shape {
  const [rows, ...others] = shape;
  const batchFirst =
    intAttribute(node, `transBatch${operand}`, 0) === 1
      ? [...others.slice(0, -1), rows!, others.at(-1)!]
      : shape;
  if (intAttribute(node, `trans${operand}`, 0) === 0) return batchFirst;
  return [...batchFirst.slice(0, -2), batchFirst.at(-1)!, batchFirst.at(-2)!];
}

/** Matrices in the last two axes; what stands before them is broadcast. */
const matrixProduct: TypeRule = ({ node, inputs }) => {
  const [a, b] = [matrixShape(node, inputs[0]!.shape, 'A'), matrixShape(node, inputs[1]!.shape, 'B')];
  const batch = broadcastShapes(node.opType, a.slice(0, -2), b.slice(0, -2));
  return [{ dtype: inputs[0]!.dtype, shape: [...batch, a.at(-2)!, b.at(-1)!] }];
};

/** Positions of a window along each axis behind batch and channels. */
function windowPositions(node: Operator, [, , ...sizes]: Shape, kernel: Shape): Shape {
  const pads = intsAttribute(node, 'pads');
  const strides = intsAttribute(node, 'strides');
  return sizes.map((size, i) => {
    const padded = size + (pads[i] ?? 0) + (pads[i + sizes.length] ?? 0);
    return Math.floor((padded - kernel[i]!) / (strides[i] ?? 1)) + 1;
  });
}

const convolution: TypeRule = ({ node, inputs: [x, w] }) => {
  const [channels, , ...kernel] = w!.shape;
  return [{ dtype: x!.dtype, shape: [x!.shape[0]!, channels!, ...windowPositions(node, x!.shape, kernel)] }];
};

const pooling: TypeRule = ({ node, inputs: [x] }) => {
  const [n, c] = x!.shape;
  const shape = [n!, c!, ...windowPositions(node, x!.shape, intsAttribute(node, 'kernel_shape'))];
  return [{ dtype: x!.dtype, shape }];
};

const globalPooling: TypeRule = ({ inputs: [x] }) => [
  { dtype: x!.dtype, shape: x!.shape.map((n, axis) => (axis < 2 ? n : 1)) },
];

/** Two axes: those before `axis`, and the rest. */
const flatten: TypeRule = ({ node, inputs: [x] }) => {
  const axis = fromStart(intAttribute(node, 'axis', 1), x!.shape.length);
  return [{ dtype: x!.dtype, shape: [sizeOf(x!.shape.slice(0, axis)), sizeOf(x!.shape.slice(axis))] }];
};

/** 0 copies the axis of the input, −1 takes what is left. */
const reshape: TypeRule = ({ inputs: [x], constant }) => {
  const wanted = constant(1).map((n, axis) => (n === 0 ? x!.shape[axis]! : n));
  const known = wanted.filter((n) => n !== -1);
  const rest = sizeOf(x!.shape) / sizeOf(known);
  return [{ dtype: x!.dtype, shape: wanted.map((n) => (n === -1 ? rest : n)) }];
};

const slice: TypeRule = ({ inputs: [x, , , ...more], constant }) => {
  const [starts, ends] = [constant(1), constant(2)];
  const axes = more.length > 0 ? constant(3) : starts.map((_, i) => i);
  const steps = more.length > 1 ? constant(4) : starts.map(() => 1);
  const shape = [...x!.shape];
  axes.forEach((axis, i) => {
    const size = x!.shape.at(axis)!;
    const bound = (position: number) => Math.min(Math.max(fromStart(position, size), 0), size);
    shape[fromStart(axis, shape.length)] = Math.ceil((bound(ends[i]!) - bound(starts[i]!)) / steps[i]!);
  });
  return [{ dtype: x!.dtype, shape }];
};

const concat: TypeRule = ({ node, inputs }) => {
  const [first] = inputs;
  const axis = fromStart(intAttribute(node, 'axis', 0), first!.shape.length);
  const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  return [{ dtype: first!.dtype, shape: first!.shape.with(axis, total) }];
};

const pad: TypeRule = ({ inputs: [x], constant }) => {
  const pads = constant(1);
  const rank = x!.shape.length;
  return [{ dtype: x!.dtype, shape: x!.shape.map((n, axis) => n + pads[axis]! + pads[axis + rank]!) }];
};

const gather: TypeRule = ({ node, inputs: [x, indices] }) => {
  const axis = fromStart(intAttribute(node, 'axis', 0), x!.shape.length);
  return [{ dtype: x!.dtype, shape: x!.shape.toSpliced(axis, 1, ...indices!.shape) }];
};

const expand: TypeRule = ({ inputs: [x], constant }) => [
  { dtype: x!.dtype, shape: broadcastShapes('Expand', x!.shape, constant(1)) },
];

const transpose: TypeRule = ({ node, inputs: [x] }) => [
  { dtype: x!.dtype, shape: intsAttribute(node, 'perm').map((axis) => x!.shape[axis]!) },
];

const cast: TypeRule = ({ node, inputs: [x] }) => {
  const code = intAttribute(node, 'to', onnxDType.float32);
  const [dtype] = Object.entries(onnxDType).find(([, known]) => known === code)!;
  return [{ dtype: dtype as DType, shape: x!.shape }];
};

const rulesOf = (rule: TypeRule, ...opTypes: readonly string[]) =>
  Object.fromEntries(opTypes.map((opType) => [opType, rule]));

/** The shape rule of each operator that lowerings emit. */
const typeRules: Readonly<Record<string, TypeRule | undefined>> = {
  ...rulesOf(broadcast(), 'Add', 'Sub', 'Mul', 'Div', 'Sum', 'Max', 'Min'),
  ...rulesOf(broadcast('bool'), 'Equal', 'Greater', 'Less'),
  ...rulesOf(likeFirst, 'Neg', 'Exp', 'Log', 'Sqrt', 'Relu', 'Reciprocal', 'HardSigmoid', 'Softmax'),
  ...rulesOf(likeFirst, 'Identity', 'BatchNormalization', 'InstanceNormalization'),
  ...rulesOf(reduction, 'ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceSumSquare'),
  ...rulesOf(matrixProduct, 'MatMul', 'FusedMatMul', 'Gemm'),
  ...rulesOf(convolution, 'Conv', 'FusedConv'),
  ...rulesOf(pooling, 'MaxPool', 'AveragePool'),
  ArgMax: argument,
  Cast: cast,
  Concat: concat,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  GlobalAveragePool: globalPooling,
  Pad: pad,
  Reshape: reshape,
  Slice: slice,
  Transpose: transpose,
};

/**
 * Dtype and shape of what an operator puts out.
 * @throws QuarterturnError `runtime` for an operator whose shape rule is missing
 */
export function resultTypes(call: Call): readonly ValueType[] {
  const rule = typeRules[call.node.opType];
  if (rule) return rule(call);
  throw new QuarterturnError('runtime', `lower: expected a shape rule. Received: ${call.node.opType}.`);
}
