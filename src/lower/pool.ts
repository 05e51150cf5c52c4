import type { Three } from '../graph/graph.js';
import { reluGradOp } from '../graph/ops/arithmetic.js';
import type { PoolAttributes } from '../graph/ops/pool.js';
import { type Attribute, float, int, ints } from '../onnx/model.js';
import { at, fourAxes } from '../tensor/elements.js';
import { type Shape, sizeOf, tensor } from '../tensor/tensor.js';
import { wherePositive } from './arithmetic.js';
import type { Emitter, Handle } from './emitter.js';
import type { Lowering, LoweringRule } from './lowering.js';

/**
 * A pooling operator on a map in the graph's own layout. Where the batch is innermost it is a 3-D pooling whose window
 * has size 1 along the batch.
 */
function pool(
  lowering: Lowering,
  opType: string,
  map: Handle,
  { kernel, strides, pads: [top, left, bottom, right] }: PoolAttributes,
  extra: Readonly<Record<string, Attribute>> = {},
): Handle {
  const { emit } = lowering;
  const attributes = (along: (batch: number, height: number, width: number) => readonly number[]) => ({
    kernel_shape: ints(along(1, ...kernel)),
    strides: ints(along(1, ...strides)),
    pads: ints([...along(0, top, left), ...along(0, bottom, right)]),
    ...extra,
  });
  if (lowering.mapLayout === 'plain' || !lowering.batchIsInnermost) {
    const flags = attributes((_batch, height, width) => [height, width]);
    return emit.node(opType, [map], flags);
  }
  const volume = emit.reshape(map, [1, ...map.shape]);
  const pooled = emit.node(
    opType,
    [volume],
    attributes((...sizes) => lowering.alongMap(...sizes)),
  );
  return emit.reshape(pooled, pooled.shape.slice(1));
}

/** The maxima of windows along the width, then along the height. */
function axesOf({ kernel, strides, pads: [top, left, bottom, right] }: PoolAttributes) {
  return {
    width: { kernel: [1, kernel[1]], strides: [1, strides[1]], pads: [0, left, 0, right] },
    height: { kernel: [kernel[0], 1], strides: [strides[0], 1], pads: [top, 0, bottom, 0] },
  } as const;
}

/**
 * In training axis by axis, as its gradient goes back: the maxima along the width are computed once for both, and that takes no
 * longer than a pooling of both axes, which looks at each number up to nine times.
 */
const maxPool: LoweringRule<PoolAttributes> = (lowering, { inputs: [x], outputs: [y], attributes }) => {
  const map = lowering.map(x);
  if (lowering.mapLayout === 'plain') {
    lowering.setMap(y, pool(lowering, 'MaxPool', map, attributes));
    return;
  }
  const { width, height } = axesOf(attributes);
  lowering.setMap(y, pool(lowering, 'MaxPool', pool(lowering, 'MaxPool', map, width), height));
};

/**
 * A window's first maximum, row by row, lies in the first row that holds the maximum, and is the first of that row. So
 * the gradient goes back axis by axis: along the height to the maxima of the rows, which a pooling along the width alone
 * gives, and from them along the width to x.
 *
 * Where x came out of ReLU, whose gradient would be taken next, that is done here: a window's maximum is positive where y
 * is, and the map y is smaller than x.
 */
const maxPoolGrad: LoweringRule<PoolAttributes, Three> = (lowering, node) => {
  const {
    inputs: [x, y, dy],
    outputs: [dx],
    attributes,
  } = node;
  const { kernel, strides, pads } = attributes;
  const [top, left] = pads;
  const rows = pool(lowering, 'MaxPool', lowering.channelMajor(x), axesOf(attributes).width);
  const [xMap, yMap, dyMap] = [lowering.channelMajor(x), lowering.channelMajor(y), lowering.channelMajor(dy)];
  const next = lowering.onlyConsumer(dx);
  const beforeRelu = next?.op === reluGradOp && next.inputs[0] === x;
  const flow = beforeRelu ? wherePositive(lowering.emit, yMap, dyMap) : dyMap;
  const [rowAxis, columnAxis] = [lowering.storedAxis(2), lowering.storedAxis(3)];
  const height = { axis: rowAxis, kernel: kernel[0], stride: strides[0], before: top };
  const width = { axis: columnAxis, kernel: kernel[1], stride: strides[1], before: left };
  const dRows = gradToFirstMaxima(lowering.emit, height, rows, yMap, flow);
  const result = beforeRelu ? at(next.outputs, 0) : dx;
  lowering.set(result, gradToFirstMaxima(lowering.emit, width, xMap, rows, dRows), 'channelMajor');
};

/** Windows along one axis of a map. */
interface AxisWindows {
  /** Of the map as it is stored. */
  readonly axis: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
}

/** Below every number that a network computes, and finite: what padding is to a maximum. */
const lowest = -3e38;

/**
 * The gradient in u where v are the maxima of its windows along an axis. Tap t of all windows at once is a strided slice
 * of u; what is left of dv flows to it where it equals v, and what has flowed is taken away. What no other tap has taken
 * belongs to the last one. Taps with the same remainder by the stride touch disjoint positions: shifted and added they
 * make one phase of du, and the phases interleave.
 *
 * Slices, masks and sums of long runs take a quarter to a half of the time of MaxPool with indices and ScatterElements,
 * which ONNX Runtime does number by number.
 */
function gradToFirstMaxima(
  emit: Emitter,
  { axis, kernel, stride, before }: AxisWindows,
  u: Handle,
  v: Handle,
  dv: Handle,
): Handle {
  const [outer, inner] = [sizeOf(u.shape.slice(0, axis)), sizeOf(u.shape.slice(axis + 1))];
  const [size, windows] = [at(u.shape, axis), at(v.shape, axis)];
  const padded = alongMiddle(emit, emit.reshape(u, [outer, size, inner]), [before, 0], lowest);
  const maxima = emit.reshape(v, [outer, windows, inner]);
  let left = emit.reshape(dv, [outer, windows, inner]);
  const flows = Array.from({ length: kernel - 1 }, (_, t) => {
    // Not a Slice with steps: that runs on one thread. What lies behind the map's end stands for its last position, which an
    // earlier tap has looked at: nothing is left to flow there.
    const last = before + size - 1;
    const positions = emit.int64(Array.from({ length: windows }, (_, i) => Math.min(t + i * stride, last)));
    const tap = emit.node('Gather', [padded, positions], { axis: int(1) });
    // 1 where the difference is 0; see wherePositive.
    const isMaximum = emit.node('HardSigmoid', [emit.node('Sub', [tap, maxima])], {
      alpha: float(3e38),
      beta: float(1),
    });
    const flow = emit.node('Mul', [isMaximum, left]);
    left = emit.node('Sub', [left, flow]);
    return flow;
  });

  const length = Math.ceil(size / stride);
  const phases = new Map<number, Handle>();
  [...flows, left].forEach((flow, t) => {
    const shift = Math.floor((t - before) / stride);
    const placed = alongMiddle(emit, flow, [shift, length - windows - shift], 0);
    const phase = t - before - shift * stride;
    const sum = phases.get(phase);
    phases.set(phase, sum ? emit.node('Add', [sum, placed]) : placed);
  });
  const silent = () => emit.node('Expand', [emit.float(0), emit.int64([outer, length, inner])]);
  const stacked = Array.from({ length: stride }, (_, phase) =>
    emit.reshape(phases.get(phase) ?? silent(), [outer, length, 1, inner]),
  );
  const interleaved =
    stride === 1
      ? at(stacked, 0)
      : emit.reshape(emit.node('Concat', stacked, { axis: int(2) }), [outer, length * stride, inner]);
  const whole = length * stride > size ? emit.slice(interleaved, [1], [0], [size]) : interleaved;
  return emit.reshape(whole, u.shape);
}

/** x [outer, length, inner] with more of one value before and after, or with less where a number is negative. */
function alongMiddle(
  emit: Emitter,
  x: Handle,
  [before, after]: readonly [number, number],
  value: number,
): Handle {
  if (before === 0 && after === 0) return x;
  return emit.node('Pad', [x, emit.int64([0, before, 0, 0, after, 0]), emit.float(value)]);
}

const avgPool: LoweringRule<PoolAttributes> = (lowering, { inputs: [x], outputs: [y], attributes }) => {
  const flags = { count_include_pad: int(0) };
  lowering.setMap(y, pool(lowering, 'AveragePool', lowering.map(x), attributes, flags));
};

/** The pooling of one axis as a matrix [out, size]: 1/count where a window covers a position. */
export function poolingMatrix(
  size: number,
  out: number,
  kernel: number,
  stride: number,
  before: number,
): number[][] {
  return Array.from({ length: out }, (_, p) => {
    const first = Math.max(p * stride - before, 0);
    const last = Math.min(p * stride - before + kernel, size);
    return Array.from({ length: size }, (_, i) => (i >= first && i < last ? 1 / (last - first) : 0));
  });
}

/**
 * Average pooling is linear and separable: y = P·x·Qᵀ for each map, so dx = Pᵀ·dy·Q: one product with their Kronecker
 * product P ⊗ Q, a constant of (H'·W')·(H·W) numbers (49 × 196 in RotNet's second block).
 */
const avgPoolGrad: LoweringRule<PoolAttributes & { readonly shape: Shape }> = (lowering, node) => {
  const {
    inputs: [dy],
    outputs: [dx],
    attributes: { kernel, strides, pads, shape },
  } = node;
  const { emit } = lowering;
  const [n, c, height, width] = fourAxes(shape);
  const [, , outHeight, outWidth] = fourAxes(dy.shape);
  const [top, left] = pads;
  const p = poolingMatrix(height, outHeight, kernel[0], strides[0], top);
  const q = poolingMatrix(width, outWidth, kernel[1], strides[1], left);
  const [small, large] = [outHeight * outWidth, height * width];
  // (P ⊗ Q)[pq, hw], or its transpose where the batch is innermost and the matrix stands on the left.
  const kronecker = new Float32Array(small * large);
  const [rowStep, columnStep] = lowering.batchIsInnermost ? [1, small] : [large, 1];
  p.forEach((pRow, i) => {
    q.forEach((qRow, j) => {
      pRow.forEach((a, h) => {
        qRow.forEach((b, w) => {
          kronecker[(i * outWidth + j) * rowStep + (h * width + w) * columnStep] = a * b;
        });
      });
    });
  });
  const map = lowering.channelMajor(dy);
  const spread = lowering.batchIsInnermost
    ? emit.node('MatMul', [
        emit.initializer(tensor('float32', [large, small], kronecker)),
        emit.reshape(map, [c, small, n]),
      ])
    : emit.node('MatMul', [
        emit.reshape(map, [n * c, small]),
        emit.initializer(tensor('float32', [small, large], kronecker)),
      ]);
  lowering.set(dx, emit.reshape(spread, lowering.storedShape(shape)), 'channelMajor');
};

export const poolRules = { maxPool, maxPoolGrad, avgPool, avgPoolGrad };
