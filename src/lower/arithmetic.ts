import type { Two, Value } from '../graph/graph.js';
import type { ReduceAttributes } from '../graph/ops/arithmetic.js';
import type { MatMulAttributes } from '../graph/ops/matmul.js';
import { float, int, ints } from '../onnx/model.js';
import { at } from '../tensor/elements.js';
import { type DType, type Shape, sizeOf, type Tensor, tensor } from '../tensor/tensor.js';
import type { Emitter, Handle } from './emitter.js';
import type { Layout, Lowering, LoweringRule } from './lowering.js';

/** An operand of an elementwise op as it must look beside channel-major maps. */
function operand(lowering: Lowering, value: Value, layout: Layout): Handle {
  if (layout === 'plain' || sizeOf(value.shape) === 1) return lowering.plain(value);
  if (value.shape.length === 4) return lowering.channelMajor(value);
  const shape = [...new Array<number>(4 - value.shape.length).fill(1), ...value.shape];
  return lowering.toChannelMajor(lowering.emit.reshape(lowering.plain(value), shape));
}

/** Elementwise work happens where a map already is; only a map has another layout than its shape says. */
function sharedLayout(lowering: Lowering, values: readonly Value[]): Layout {
  const maps = values.every((v) => v.shape.length <= 4);
  return maps && values.some((v) => lowering.layoutOf(v) === 'channelMajor') ? 'channelMajor' : 'plain';
}

function elementwise(opType: string): LoweringRule<object, readonly Value[]> {
  return (lowering, { inputs, outputs: [y] }) => {
    const layout = sharedLayout(lowering, inputs);
    const operands = inputs.map((v) => operand(lowering, v, layout));
    lowering.set(y, lowering.emit.node(opType, operands), layout);
  };
}

/**
 * x where y > 0, else 0. HardSigmoid(y) = max(0, min(1, αy + β)) with a slope so steep that it is 1 for every positive y:
 * one cheap pass makes the 0/1 mask. Greater + Cast takes two and a byte tensor between them, Where six times as long.
 */
export function wherePositive(emit: Emitter, y: Handle, x: Handle): Handle {
  const mask = emit.node('HardSigmoid', [y], { alpha: float(3e38), beta: float(0) });
  return emit.node('Mul', [mask, x]);
}

const reluGrad: LoweringRule<object, Two> = (lowering, { inputs: [y, dy], outputs: [dx] }) => {
  const layout = sharedLayout(lowering, [y, dy]);
  const [of, flow] = [operand(lowering, y, layout), operand(lowering, dy, layout)];
  lowering.set(dx, wherePositive(lowering.emit, of, flow), layout);
};

/** Where the batch is innermost it stays there, if it is an axis of its own before and after. */
const reshape: LoweringRule<{ readonly shape: Shape }> = (
  lowering,
  { inputs: [x], outputs: [y], attributes: { shape } },
) => {
  if (lowering.layoutOf(x) === 'channelMajor' && shape[0] === x.shape[0] && lowering.preparesMap(y)) {
    const handle = lowering.emit.reshape(lowering.channelMajor(x), lowering.storedShape(shape));
    lowering.set(y, handle, 'channelMajor');
    return;
  }
  lowering.set(y, lowering.reshape(lowering.plain(x), shape));
};

/**
 * What moves parts of each image on the way to a convolution, which wants the batch innermost, does so there: ONNX Runtime
 * then moves runs as long as the batch, in place of one number after the other.
 */
const transpose: LoweringRule<{ readonly perm: readonly number[] }> = (
  lowering,
  { inputs: [x], outputs: [y], attributes: { perm } },
) => {
  const [batch, ...rest] = perm;
  if (batch === 0 && perm.length >= 4 && lowering.preparesMap(y)) {
    const moved = lowering.transpose(batchInnermost(lowering, x), [
      ...rest.map((axis) => axis - 1),
      rest.length,
    ]);
    lowering.set(y, moved, 'channelMajor');
    return;
  }
  lowering.set(y, lowering.transpose(lowering.plain(x), perm));
};

/** x [N, …] as […, N]: a transpose of two axes, which is the fastest. */
function batchInnermost(lowering: Lowering, x: Value): Handle {
  if (lowering.layoutOf(x) === 'channelMajor') return lowering.channelMajor(x);
  const { emit } = lowering;
  const [batch = 1, ...rest] = x.shape;
  const columns = lowering.transpose(emit.reshape(lowering.plain(x), [batch, sizeOf(rest)]), [1, 0]);
  return emit.reshape(columns, [...rest, batch]);
}

/** What is broadcast to rank 4 meets maps, so it is made channel-major. */
const broadcastTo: LoweringRule<{ readonly shape: Shape }> = (
  lowering,
  { inputs: [x], outputs: [y], attributes: { shape } },
) => {
  const { emit } = lowering;
  const layout: Layout = shape.length === 4 ? 'channelMajor' : 'plain';
  const target = layout === 'channelMajor' ? lowering.storedShape(shape) : shape;
  lowering.set(y, emit.node('Expand', [operand(lowering, x, layout), emit.int64(target)]), layout);
};

/** ONNX's own operator for the mean of whole maps: OpenCV 4.5 reads no ReduceMean where the batch is free. */
function globalAverage({ emit }: Lowering, map: Handle): Handle {
  return emit.node('Flatten', [emit.node('GlobalAveragePool', [map])], { axis: int(1) });
}

const isWholeMaps = ({ shape }: Value, axes: readonly number[]): boolean =>
  shape.length === 4 && axes.length === 2 && axes.includes(2) && axes.includes(3);

function reduce(opType: 'ReduceSum' | 'ReduceMean'): LoweringRule<ReduceAttributes> {
  return (lowering, { inputs: [x], outputs: [y], attributes: { axes, keepDims } }) => {
    const { emit } = lowering;
    const isMean = opType === 'ReduceMean' && !keepDims && isWholeMaps(x, axes);
    if (isMean && lowering.target === 'anywhere') {
      lowering.set(y, globalAverage(lowering, lowering.plain(x)));
      return;
    }
    const layout = lowering.layoutOf(x);
    const map = layout === 'channelMajor';
    const operand = map ? lowering.channelMajor(x) : lowering.plain(x);
    if (axes.length === 0) {
      // ONNX reads an empty list as all axes.
      lowering.set(y, operand, layout);
      return;
    }
    const physical = map ? axes.map((a) => lowering.storedAxis(a)) : axes;
    // Opset 13 passes ReduceSum's axes as an input, ReduceMean's as an attribute.
    const reduced =
      opType === 'ReduceSum'
        ? emit.reduceSum(operand, physical, keepDims)
        : emit.node('ReduceMean', [operand], { axes: ints(physical), keepdims: int(keepDims ? 1 : 0) });
    if (!map || keepDims) {
      lowering.set(y, reduced, layout);
      return;
    }
    const left = [0, 1, 2, 3].filter((axis) => !axes.includes(axis));
    const stored = left.toSorted((a, b) => lowering.storedAxis(a) - lowering.storedAxis(b));
    const order = left.map((axis) => stored.indexOf(axis));
    lowering.set(y, lowering.transpose(reduced, order));
  };
}

/** Each matrix of a value transposed; ONNX Runtime fuses it into the product where that is faster. */
function transposedMatrices(lowering: Lowering, x: Value): Handle {
  const last = x.shape.length - 1;
  const axes = [...x.shape.keys()].slice(0, -2);
  return lowering.transpose(lowering.plain(x), [...axes, last, last - 1]);
}

/** Gemm takes transposed operands; if there are none MatMul does as well, and OpenCV reads Gemm only with transB. */
const matMul: LoweringRule<MatMulAttributes, Two> = (
  lowering,
  { inputs: [a, b], outputs: [y], attributes },
) => {
  const isPlain = !attributes.transposeA && !attributes.transposeB;
  if (a.shape.length > 2) {
    const operands = [
      attributes.transposeA ? transposedMatrices(lowering, a) : lowering.plain(a),
      attributes.transposeB ? transposedMatrices(lowering, b) : lowering.plain(b),
    ];
    lowering.set(y, lowering.emit.node('MatMul', operands));
    return;
  }
  if (isPlain && lowering.target === 'anywhere') {
    lowering.set(y, lowering.emit.node('MatMul', [lowering.plain(a), lowering.plain(b)]));
    return;
  }
  const flags = { transA: int(attributes.transposeA ? 1 : 0), transB: int(attributes.transposeB ? 1 : 0) };
  lowering.set(y, lowering.emit.node('Gemm', [lowering.plain(a), lowering.plain(b)], flags));
};

const softmax: LoweringRule = (lowering, { inputs: [x], outputs: [y] }) =>
  lowering.set(y, lowering.emit.node('Softmax', [lowering.plain(x)], { axis: int(1) }));

/** In steps, because the WebGPU provider has no LogSoftmax; on [N, K] the difference is not measurable. */
const logSoftmax: LoweringRule = (lowering, { inputs: [x], outputs: [y] }) => {
  const { emit } = lowering;
  const logits = lowering.plain(x);
  const shifted = emit.node('Sub', [logits, emit.node('ReduceMax', [logits], { axes: ints([1]) })]);
  const total = emit.reduceSum(emit.node('Exp', [shifted]), [1], true);
  lowering.set(y, emit.node('Sub', [shifted, emit.node('Log', [total])]));
};

const cast: LoweringRule<{ readonly to: DType }> = (lowering, { inputs: [x], outputs: [y], attributes }) => {
  const layout = lowering.layoutOf(x);
  lowering.set(y, lowering.emit.cast(operand(lowering, x, layout), attributes.to), layout);
};

/** By comparison with 0 … K − 1, because the WebGPU provider has no OneHot. */
const oneHot: LoweringRule<{ readonly depth: number }> = (
  lowering,
  { inputs: [labels], outputs: [y], attributes: { depth } },
) => {
  const { emit } = lowering;
  const column = lowering.reshape(lowering.plain(labels), [at(labels.shape, 0), 1]);
  const classes = emit.initializer(
    tensor(
      'int32',
      [1, depth],
      Int32Array.from({ length: depth }, (_, i) => i),
    ),
  );
  lowering.set(y, emit.cast(emit.node('Equal', [column, classes]), 'float32'));
};

/**
 * Without ArgMax, whose int64 columns the WebGPU provider cannot cast. Of [K, K − 1, …, 1], kept where x is its row's
 * maximum, the largest is K minus the first such column.
 */
function firstMaximum(lowering: Lowering, x: Value): Handle {
  const { emit } = lowering;
  const rows = lowering.plain(x);
  const classes = at(x.shape, 1);
  const maxima = emit.node('ReduceMax', [rows], { axes: ints([1]) });
  const isMaximum = emit.cast(emit.node('Equal', [rows, maxima]), 'float32');
  const falling = emit.floats(
    [1, classes],
    Array.from({ length: classes }, (_, k) => classes - k),
  );
  const largest = emit.node('ReduceMax', [emit.node('Mul', [isMaximum, falling])], {
    axes: ints([1]),
    keepdims: int(0),
  });
  return emit.cast(emit.node('Sub', [emit.float(classes), largest]), 'int32');
}

const argMax: LoweringRule = (lowering, { inputs: [x], outputs: [y] }) => {
  const { emit } = lowering;
  if (lowering.target === 'webgpu') {
    lowering.set(y, firstMaximum(lowering, x));
    return;
  }
  const column = emit.node('ArgMax', [lowering.plain(x)], { axis: int(1), keepdims: int(0) });
  lowering.set(y, emit.cast(column, 'int32'));
};

const equal: LoweringRule<object, Two> = (lowering, { inputs: [a, b], outputs: [y] }) => {
  const { emit } = lowering;
  lowering.set(y, emit.cast(emit.node('Equal', [lowering.plain(a), lowering.plain(b)]), 'float32'));
};

const constant: LoweringRule<{ readonly tensor: Tensor }, readonly []> = (
  lowering,
  { outputs: [y], attributes },
) => lowering.set(y, lowering.emit.initializer(attributes.tensor));

const input: LoweringRule<{ readonly name: string }, readonly []> = (
  lowering,
  { outputs: [x], attributes: { name } },
) => lowering.set(x, { name, dtype: x.dtype, shape: x.shape });

export const arithmeticRules = {
  input,
  constant,
  add: elementwise('Add'),
  sub: elementwise('Sub'),
  mul: elementwise('Mul'),
  div: elementwise('Div'),
  neg: elementwise('Neg'),
  exp: elementwise('Exp'),
  log: elementwise('Log'),
  sqrt: elementwise('Sqrt'),
  sigmoid: elementwise('Sigmoid'),
  tanh: elementwise('Tanh'),
  erf: elementwise('Erf'),
  relu: elementwise('Relu'),
  reluGrad,
  reshape,
  transpose,
  broadcastTo,
  reduceSum: reduce('ReduceSum'),
  reduceMean: reduce('ReduceMean'),
  matMul,
  softmax,
  logSoftmax,
  cast,
  oneHot,
  argMax,
  equal,
};
