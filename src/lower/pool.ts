import type { Node, Value } from '../graph/graph.js';
import { maxPoolGradOp, type PoolAttributes } from '../graph/ops/pool.js';
import { type Attribute, int, ints, string } from '../onnx/model.js';
import { type Shape, sizeOf, tensor } from '../tensor/tensor.js';
import type { Lowering, LoweringRule } from './lowering.js';

/**
 * A pooling operator on a map in the graph's own layout. Where the batch is innermost it is a 3-D pooling whose window
 * has size 1 along the batch.
 */
function pool(
  lowering: Lowering,
  opType: string,
  x: Value,
  { kernel, strides, pads: [top, left, bottom, right] }: PoolAttributes,
  outputCount = 1,
  extra: Readonly<Record<string, Attribute>> = {},
): readonly string[] {
  const { emit } = lowering;
  const attributes = (along: (batch: number, height: number, width: number) => readonly number[]) => ({
    kernel_shape: ints(along(1, ...kernel)),
    strides: ints(along(1, ...strides)),
    pads: ints([...along(0, top, left), ...along(0, bottom, right)]),
    ...extra,
  });
  if (lowering.mapLayout === 'plain' || !lowering.batchIsInnermost) {
    const flags = attributes((_batch, height, width) => [height, width]);
    return emit.nodes(opType, [lowering.map(x)], outputCount, { attributes: flags });
  }
  const volume = emit.reshape(lowering.channelMajor(x), [1, ...lowering.storedShape(x.shape)]);
  const flags = attributes((...sizes) => lowering.alongMap(...sizes));
  return emit.nodes(opType, [volume], outputCount, { attributes: flags });
}

/** Record a pooling's result as the map `y`. */
function setPooled(lowering: Lowering, y: Value, name: string): void {
  const stored = lowering.mapLayout === 'channelMajor';
  lowering.setMap(y, stored ? lowering.emit.reshape(name, lowering.storedShape(y.shape)) : name);
}

/** ScatterElements with addition exists on the CPU (and in WebAssembly) only. */
const scatters = (lowering: Lowering): boolean => lowering.target !== 'webgpu';

/** MaxPool that also tells where each maximum was: an index into the whole flattened map, the first where several tie. */
function maxPoolWithIndices(lowering: Lowering, x: Value, attributes: PoolAttributes): readonly string[] {
  return pool(lowering, 'MaxPool', x, attributes, 2);
}

const maxPool: LoweringRule<PoolAttributes> = (lowering, { inputs: [x], outputs: [y], attributes }) => {
  // Where a backward pass follows, it needs the indices: asking for them here makes both share one node.
  const hasBackward = lowering
    .consumers(y!)
    .some((node) => node.op === maxPoolGradOp && node.inputs[1] === y);
  const [name] =
    hasBackward && scatters(lowering)
      ? maxPoolWithIndices(lowering, x!, attributes)
      : pool(lowering, 'MaxPool', x!, attributes);
  setPooled(lowering, y!, name!);
};

const maxPoolGrad: LoweringRule<PoolAttributes> = (lowering, node) =>
  scatters(lowering) ? maxPoolGradByScatter(lowering, node) : maxPoolGradByPhases(lowering, node);

function maxPoolGradByScatter(
  lowering: Lowering,
  { inputs: [x, , dy], outputs: [dx], attributes }: Node & { readonly attributes: PoolAttributes },
): void {
  const { emit } = lowering;
  const indices = emit.reshape(maxPoolWithIndices(lowering, x!, attributes)[1]!, [-1]);
  const zeros = emit.node('Expand', [emit.float(0), emit.int64([sizeOf(x!.shape)])]);
  const updates = emit.reshape(lowering.channelMajor(dy!), [-1]);
  const flat = emit.node('ScatterElements', [zeros, indices, updates], {
    axis: int(0),
    reduction: string('add'),
  });
  lowering.set(dx!, emit.reshape(flat, lowering.storedShape(x!.shape)), 'channelMajor');
}

/**
 * The same without scatter, from operators that every GPU provider has. Tap (i, j) of all windows at once is a strided
 * slice of the padded map; what is left of dy flows to it where the slice equals y, and what has flowed is taken away,
 * so that only the first maximum of a window gets it. Taps with the same remainder by the stride touch disjoint
 * positions: shifted and added they make one phase of dx, and the phases interleave to the map.
 */
function maxPoolGradByPhases(
  lowering: Lowering,
  { inputs: [x, y, dy], outputs: [dx], attributes }: Node & { readonly attributes: PoolAttributes },
): void {
  const { emit } = lowering;
  const { kernel, strides, pads } = attributes;
  const [n, c, height, width] = x!.shape;
  const [, , outHeight, outWidth] = y!.shape;
  const maps = n! * c!;
  const [sh, sw] = strides;
  const [top, left] = pads;
  // Phase grids hold every position that any window touches.
  const gridHeight = outHeight! + Math.floor((kernel[0] - 1) / sh);
  const gridWidth = outWidth! + Math.floor((kernel[1] - 1) / sw);
  const paddedHeight = Math.max(gridHeight * sh, top + height!);
  const paddedWidth = Math.max(gridWidth * sw, left + width!);
  const flatX = emit.reshape(lowering.channelMajor(x!), [maps, height!, width!]);
  const ends = emit.int64([0, top, left, 0, paddedHeight - top - height!, paddedWidth - left - width!]);
  const padded = emit.node('Pad', [flatX, ends, emit.float(-3e38)]);
  const maxima = emit.reshape(lowering.channelMajor(y!), [maps, outHeight!, outWidth!]);
  let remaining = emit.reshape(lowering.channelMajor(dy!), [maps, outHeight!, outWidth!]);

  const phases = new Map<string, string>();
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const tap = emit.node('Slice', [
        padded,
        emit.int64([i, j]),
        emit.int64([i + (outHeight! - 1) * sh + 1, j + (outWidth! - 1) * sw + 1]),
        emit.int64([1, 2]),
        emit.int64([sh, sw]),
      ]);
      const isMaximum = emit.cast(emit.node('Equal', [tap, maxima]), 'float32');
      const flow = emit.node('Mul', [isMaximum, remaining]);
      remaining = emit.node('Sub', [remaining, flow]);
      const [di, dj] = [Math.floor(i / sh), Math.floor(j / sw)];
      const margins = [0, di, dj, 0, gridHeight - outHeight! - di, gridWidth - outWidth! - dj];
      const placed = emit.node('Pad', [flow, emit.int64(margins)]);
      const phase = `${i % sh},${j % sw}`;
      const sum = phases.get(phase);
      phases.set(phase, sum ? emit.node('Add', [sum, placed]) : placed);
    }
  }

  const silent = () => emit.node('Expand', [emit.float(0), emit.int64([maps, gridHeight, gridWidth])]);
  const stacked = Array.from({ length: sh * sw }, (_, p) => {
    const phase = phases.get(`${Math.floor(p / sw)},${p % sw}`) ?? silent();
    return emit.reshape(phase, [maps, gridHeight, 1, gridWidth, 1]);
  });
  const rowsOfPhases = Array.from({ length: sh }, (_, a) =>
    emit.node('Concat', stacked.slice(a * sw, (a + 1) * sw), { axis: int(4) }),
  );
  const interleaved = emit.node('Concat', rowsOfPhases, { axis: int(2) });
  const whole = emit.reshape(interleaved, [maps, gridHeight * sh, gridWidth * sw]);
  const grown = growTo(
    lowering,
    whole,
    [maps, gridHeight * sh, gridWidth * sw],
    [maps, top + height!, left + width!],
  );
  const cut = emit.slice(grown, [1, 2], [top, left], [top + height!, left + width!]);
  lowering.set(dx!, emit.reshape(cut, lowering.storedShape(x!.shape)), 'channelMajor');
}

/** Zeros after the map where it is smaller than `wanted`: positions that no window touches. */
function growTo(lowering: Lowering, x: string, shape: Shape, wanted: Shape): string {
  const after = wanted.map((size, axis) => Math.max(size - shape[axis]!, 0));
  if (after.every((a) => a === 0)) return x;
  return lowering.emit.node('Pad', [x, lowering.emit.int64([...shape.map(() => 0), ...after])]);
}

const avgPool: LoweringRule<PoolAttributes> = (lowering, { inputs: [x], outputs: [y], attributes }) => {
  const [name] = pool(lowering, 'AveragePool', x!, attributes, 1, { count_include_pad: int(0) });
  setPooled(lowering, y!, name!);
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
  const [n, c, height, width] = shape;
  const [, , outHeight, outWidth] = dy!.shape;
  const [top, left] = pads;
  const p = poolingMatrix(height!, outHeight!, kernel[0], strides[0], top);
  const q = poolingMatrix(width!, outWidth!, kernel[1], strides[1], left);
  const [small, large] = [outHeight! * outWidth!, height! * width!];
  // (P ⊗ Q)[pq, hw], or its transpose where the batch is innermost and the matrix stands on the left.
  const kronecker = new Float32Array(small * large);
  const [rowStep, columnStep] = lowering.batchIsInnermost ? [1, small] : [large, 1];
  p.forEach((pRow, i) => {
    q.forEach((qRow, j) => {
      pRow.forEach((a, h) => {
        qRow.forEach((b, w) => {
          kronecker[(i * outWidth! + j) * rowStep + (h * width! + w) * columnStep] = a * b;
        });
      });
    });
  });
  const map = lowering.channelMajor(dy!);
  const spread = lowering.batchIsInnermost
    ? emit.node('MatMul', [
        emit.initializer(tensor('float32', [large, small], kronecker)),
        emit.reshape(map, [c!, small, n!]),
      ])
    : emit.node('MatMul', [
        emit.reshape(map, [n! * c!, small]),
        emit.initializer(tensor('float32', [small, large], kronecker)),
      ]);
  lowering.set(dx!, emit.reshape(spread, lowering.storedShape(shape)), 'channelMajor');
};

export const poolRules = { maxPool, maxPoolGrad, avgPool, avgPoolGrad };
