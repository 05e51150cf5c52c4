import { QuarterturnError } from '../errors.js';
import type { ValueType } from '../graph/graph.js';
import { broadcastShapes } from '../graph/ops/arithmetic.js';
import { type OnnxNode, onnxDType } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import { type DType, type Shape, sizeOf } from '../tensor/tensor.js';

/** An operator by itself. */
export type Operator = Pick<OnnxNode, 'opType' | 'attributes'>;

type Types = readonly ValueType[];
type Two = readonly [ValueType, ValueType];

/** One operator with what is known of its operands. */
export interface Call<I extends Types = Types> {
  readonly node: Operator;
  readonly inputs: I;
  /** The numbers of an operand that is a constant, as ONNX wants shapes, axes and indices. */
  constant(input: number): readonly number[];
}

/** The types of what an operator of this many operands gives; further operands hold axes, shapes and the like. */
type TypeRule<I extends Types = readonly [ValueType, ...Types]> = (call: Call<I>) => Types;

/** A rule for whatever operator. A method, so that one table can hold rules for operators of every kind. */
type AnyTypeRule = { rule(call: Call): Types }['rule'];

/** An attribute that is one whole number. */
export function intAttribute({ attributes }: Operator, name: string, byDefault: number): number {
  const attribute = attributes[name];
  return attribute?.kind === 'int' ? attribute.value : byDefault;
}

/** An attribute that is a list of whole numbers; empty if it is not given. */
export function intsAttribute({ attributes }: Operator, name: string): readonly number[] {
  const attribute = attributes[name];
  return attribute?.kind === 'ints' ? attribute.value : [];
}

/** Positions and axes below 0 count from the end. */
const fromStart = (position: number, length: number): number => (position < 0 ? position + length : position);

const likeFirst: TypeRule = ({ inputs: [x] }) => [x];

const broadcast =
  (dtype?: DType): TypeRule =>
  ({ node, inputs }) => {
    const shape = inputs.map((v) => v.shape).reduce((a, b) => broadcastShapes(node.opType, a, b));
    return [{ dtype: dtype ?? inputs[0].dtype, shape }];
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
  const axes = given.length > 0 ? given : x.shape.map((_, axis) => axis);
  const keepDims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ dtype: x.dtype, shape: withoutAxes(x.shape, axes, keepDims) }];
};

const argument: TypeRule = ({ node, inputs: [x] }) => {
  const keepDims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ dtype: 'int64', shape: withoutAxes(x.shape, [intAttribute(node, 'axis', 0)], keepDims) }];
};

/**
 * An operand of a product as [batch…, rows, columns]. FusedMatMul's `transBatch…` says that the rows stand before the
 * batch, `trans…` that what stands for rows are columns.
 */
export function matrixShape(node: Operator, shape: Shape, operand: 'A' | 'B'): Shape {
  // Behind the batch, wherever that stands: rows, columns.
  const rowsFirst = intAttribute(node, `transBatch${operand}`, 0) === 1;
  const batch = rowsFirst ? shape.slice(1, -1) : shape.slice(0, -2);
  const rows = at(shape, rowsFirst ? 0 : shape.length - 2);
  const columns = at(shape, shape.length - 1);
  return intAttribute(node, `trans${operand}`, 0) === 1
    ? [...batch, columns, rows]
    : [...batch, rows, columns];
}

/** Matrices in the last two axes; what stands before them is broadcast. */
const matrixProduct: TypeRule<Two> = ({ node, inputs }) => {
  const [a, b] = [matrixShape(node, inputs[0].shape, 'A'), matrixShape(node, inputs[1].shape, 'B')];
  const batch = broadcastShapes(node.opType, a.slice(0, -2), b.slice(0, -2));
  return [{ dtype: inputs[0].dtype, shape: [...batch, at(a, a.length - 2), at(b, b.length - 1)] }];
};

/** Positions of a window along each axis behind batch and channels. */
function windowPositions(node: Operator, [, , ...sizes]: Shape, kernel: Shape): Shape {
  const pads = intsAttribute(node, 'pads');
  const strides = intsAttribute(node, 'strides');
  return sizes.map((size, i) => {
    const padded = size + (pads[i] ?? 0) + (pads[i + sizes.length] ?? 0);
    return Math.floor((padded - at(kernel, i)) / (strides[i] ?? 1)) + 1;
  });
}

const convolution: TypeRule<Two> = ({ node, inputs: [x, w] }) => {
  const kernel = w.shape.slice(2);
  const shape = [at(x.shape, 0), at(w.shape, 0), ...windowPositions(node, x.shape, kernel)];
  return [{ dtype: x.dtype, shape }];
};

const pooling: TypeRule = ({ node, inputs: [x] }) => {
  const positions = windowPositions(node, x.shape, intsAttribute(node, 'kernel_shape'));
  const shape = [...x.shape.slice(0, 2), ...positions];
  return [{ dtype: x.dtype, shape }];
};

const globalPooling: TypeRule = ({ inputs: [x] }) => [
  { dtype: x.dtype, shape: x.shape.map((n, axis) => (axis < 2 ? n : 1)) },
];

/** Two axes: those before `axis`, and the rest. */
const flatten: TypeRule = ({ node, inputs: [x] }) => {
  const axis = fromStart(intAttribute(node, 'axis', 1), x.shape.length);
  return [{ dtype: x.dtype, shape: [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))] }];
};

/** 0 copies the axis of the input, −1 takes what is left. */
const reshape: TypeRule = ({ inputs: [x], constant }) => {
  const wanted = constant(1).map((n, axis) => (n === 0 ? at(x.shape, axis) : n));
  const known = wanted.filter((n) => n !== -1);
  const rest = sizeOf(x.shape) / sizeOf(known);
  return [{ dtype: x.dtype, shape: wanted.map((n) => (n === -1 ? rest : n)) }];
};

const slice: TypeRule = ({ inputs: [x, , , ...more], constant }) => {
  const [starts, ends] = [constant(1), constant(2)];
  const axes = more.length > 0 ? constant(3) : starts.map((_, i) => i);
  const steps = more.length > 1 ? constant(4) : starts.map(() => 1);
  const shape = [...x.shape];
  axes.forEach((axis, i) => {
    const size = at(x.shape, fromStart(axis, x.shape.length));
    const bound = (position: number) => Math.min(Math.max(fromStart(position, size), 0), size);
    shape[fromStart(axis, shape.length)] = Math.ceil(
      (bound(at(ends, i)) - bound(at(starts, i))) / at(steps, i),
    );
  });
  return [{ dtype: x.dtype, shape }];
};

const concat: TypeRule = ({ node, inputs }) => {
  const [first] = inputs;
  const axis = fromStart(intAttribute(node, 'axis', 0), first.shape.length);
  const total = inputs.reduce((sum, { shape }) => sum + at(shape, axis), 0);
  return [{ dtype: first.dtype, shape: first.shape.with(axis, total) }];
};

const pad: TypeRule = ({ inputs: [x], constant }) => {
  const pads = constant(1);
  const rank = x.shape.length;
  return [{ dtype: x.dtype, shape: x.shape.map((n, axis) => n + at(pads, axis) + at(pads, axis + rank)) }];
};

const gather: TypeRule<Two> = ({ node, inputs: [x, indices] }) => {
  const axis = fromStart(intAttribute(node, 'axis', 0), x.shape.length);
  return [{ dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...indices.shape) }];
};

const expand: TypeRule = ({ inputs: [x], constant }) => [
  { dtype: x.dtype, shape: broadcastShapes('Expand', x.shape, constant(1)) },
];

const transpose: TypeRule = ({ node, inputs: [x] }) => [
  { dtype: x.dtype, shape: intsAttribute(node, 'perm').map((axis) => at(x.shape, axis)) },
];

const dtypes = Object.keys(onnxDType) as readonly DType[];

const cast: TypeRule = ({ node, inputs: [x] }) => {
  const code = intAttribute(node, 'to', onnxDType.float32);
  const dtype = dtypes.find((known) => onnxDType[known] === code);
  if (dtype) return [{ dtype, shape: x.shape }];
  throw new QuarterturnError('runtime', `lower: expected a cast to ${dtypes.join(', ')}. Received: ${code}.`);
};

const rulesOf = (rule: AnyTypeRule, ...opTypes: readonly string[]) =>
  Object.fromEntries(opTypes.map((opType) => [opType, rule]));

/** The shape rule of each operator that lowerings emit. */
const typeRules: Readonly<Record<string, AnyTypeRule | undefined>> = {
  ...rulesOf(broadcast(), 'Add', 'Sub', 'Mul', 'Div', 'Sum', 'Max', 'Min'),
  ...rulesOf(broadcast('bool'), 'Equal', 'Greater', 'Less'),
  ...rulesOf(likeFirst, 'Neg', 'Exp', 'Log', 'Sqrt', 'Sigmoid', 'Tanh', 'Erf'),
  ...rulesOf(likeFirst, 'Relu', 'Reciprocal', 'HardSigmoid', 'Softmax'),
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
