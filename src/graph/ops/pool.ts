import type { Shape } from '../../tensor/tensor.js';
import {
  applyOne,
  checkFloat32,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Three,
  type Value,
} from '../graph.js';
import type { Pads } from './conv.js';

export interface PoolAttributes {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: Pads;
}

/**
 * TensorFlow's "same" pads: output = ceil(size / stride), what is missing is split, the odd one after
 * (even size, kernel 3, stride 2: 0 before, 1 after).
 */
export function samePoolPads(
  size: readonly [number, number],
  kernel: readonly [number, number],
  strides: readonly [number, number],
): Pads {
  const total = (axis: 0 | 1) => {
    const out = Math.ceil(size[axis] / strides[axis]);
    return Math.max((out - 1) * strides[axis] + kernel[axis] - size[axis], 0);
  };
  const [v, h] = [total(0), total(1)];
  return [v >> 1, h >> 1, v - (v >> 1), h - (h >> 1)];
}

function poolShape(
  op: string,
  x: Shape,
  { kernel, strides, pads: [top, left, bottom, right] }: PoolAttributes,
): Shape {
  // That there are four is checked with the rest.
  const [n = 0, c = 0, h = 0, w = 0] = x;
  const height = Math.floor((h + top + bottom - kernel[0]) / strides[0]) + 1;
  const width = Math.floor((w + left + right - kernel[1]) / strides[1]) + 1;
  const fits = top < kernel[0] && bottom < kernel[0] && left < kernel[1] && right < kernel[1];
  if (x.length !== 4 || height < 1 || width < 1 || !fits) {
    throw shapeError(
      op,
      `x [N, C, H, W] of at least ${kernel.join(' × ')} after padding`,
      `[${x.join(', ')}]`,
    );
  }
  return [n, c, height, width];
}

/** y[p, q] = max of x over the window that begins at (p·stride − top, q·stride − left); padding never wins. */
export const maxPoolOp: OpDefinition<PoolAttributes, One, One> = {
  name: 'maxPool',
  types: ([x], attributes) => {
    checkFloat32('maxPool', [x]);
    return [{ dtype: 'float32', shape: poolShape('maxPool', x.shape, attributes) }];
  },
  gradient: ({ inputs: [x], outputs: [y], attributes }, [g]) => [g && maxPoolGrad(x, y, g, attributes)],
};

/**
 * Each window's gradient goes to its maximum, the first in row-major order where several tie.
 * Only first derivatives are needed: a second one would gather by the same positions.
 */
export const maxPoolGradOp: OpDefinition<PoolAttributes, Three, One> = {
  name: 'maxPoolGrad',
  types: ([x, y, dy], attributes) => {
    checkFloat32('maxPoolGrad', [x, y, dy]);
    const expected = poolShape('maxPoolGrad', x.shape, attributes).join(', ');
    if (y.shape.join(', ') !== expected || dy.shape.join(', ') !== expected) {
      throw shapeError('maxPoolGrad', `y and dy [${expected}]`, `${describeType(y)} and ${describeType(dy)}`);
    }
    return [{ dtype: 'float32', shape: x.shape }];
  },
  gradient: 'none',
};

/** y[p, q] = mean of x over the window's part inside the map (padding is not counted, as in Keras). */
export const avgPoolOp: OpDefinition<PoolAttributes, One, One> = {
  name: 'avgPool',
  types: ([x], attributes) => {
    checkFloat32('avgPool', [x]);
    return [{ dtype: 'float32', shape: poolShape('avgPool', x.shape, attributes) }];
  },
  gradient: ({ inputs: [x], attributes }, [g]) => [g && avgPoolGrad(g, x.shape, attributes)],
};

/** Transpose of the linear map avgPool: each window spreads dy / count over its part inside the map. */
export const avgPoolGradOp: OpDefinition<PoolAttributes & { readonly shape: Shape }, One, One> = {
  name: 'avgPoolGrad',
  types: ([dy], attributes) => {
    checkFloat32('avgPoolGrad', [dy]);
    const expected = poolShape('avgPoolGrad', attributes.shape, attributes).join(', ');
    if (dy.shape.join(', ') !== expected)
      throw shapeError('avgPoolGrad', `dy [${expected}]`, describeType(dy));
    return [{ dtype: 'float32', shape: attributes.shape }];
  },
  gradient: ({ attributes }, [g]) => [g && avgPool(g, attributes)],
};

/** Maximum over windows of x [N, C, H, W]. */
export const maxPool = (x: Value, attributes: PoolAttributes): Value => applyOne(maxPoolOp, [x], attributes);
/** Gradient of {@link maxPool} in x, given x, y = maxPool(x) and dy. */
export const maxPoolGrad = (x: Value, y: Value, dy: Value, attributes: PoolAttributes): Value =>
  applyOne(maxPoolGradOp, [x, y, dy], attributes);
/** Mean over windows of x [N, C, H, W]. */
export const avgPool = (x: Value, { kernel, strides, pads }: PoolAttributes): Value =>
  applyOne(avgPoolOp, [x], { kernel, strides, pads });
/** Transpose of {@link avgPool}: dy → `shape` = x's. */
export const avgPoolGrad = (dy: Value, shape: Shape, { kernel, strides, pads }: PoolAttributes): Value =>
  applyOne(avgPoolGradOp, [dy], { kernel, strides, pads, shape });
