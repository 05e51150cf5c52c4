import { fourAxes } from '../../tensor/elements.js';
import type { Shape } from '../../tensor/tensor.js';
import {
  applyOne,
  checkFloat32,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Two,
  type Value,
} from '../graph.js';

/** Zeros around a map: [top, left, bottom, right], ONNX's order. */
export type Pads = readonly [number, number, number, number];

export interface ConvAttributes {
  readonly pads: Pads;
}

export interface GeometryAttributes extends ConvAttributes {
  /** Shape of the operand that is being solved for. */
  readonly shape: Shape;
}

/** Pads that keep the map's size at stride 1; the odd one of an even kernel goes after, as in Keras. */
export function samePads(kernelHeight: number, kernelWidth: number): Pads {
  const before = (k: number) => Math.floor((k - 1) / 2);
  return [
    before(kernelHeight),
    before(kernelWidth),
    Math.ceil((kernelHeight - 1) / 2),
    Math.ceil((kernelWidth - 1) / 2),
  ];
}

/** The one shape checker of the family: y = conv(x, w) for these three shapes. */
function convShape(op: string, x: Shape, w: Shape, [top, left, bottom, right]: Pads): Shape {
  if (x.length !== 4 || w.length !== 4 || x[1] !== w[1]) {
    throw shapeError(
      op,
      'x [N, C, H, W] and kernel [O, C, kh, kw]',
      `x [${x.join(', ')}] and kernel [${w.join(', ')}]`,
      'The kernel’s second axis is the number of channels that come in.',
    );
  }
  const [n, , h, wd] = fourAxes(x);
  const [o, , kh, kw] = fourAxes(w);
  const height = h + top + bottom - kh + 1;
  const width = wd + left + right - kw + 1;
  if (height < 1 || width < 1) {
    throw shapeError(
      op,
      `a map of at least ${kh} × ${kw} after padding`,
      `[${x.join(', ')}]`,
      'Use larger images.',
    );
  }
  return [n, o, height, width];
}

function checkGradient(op: string, dy: Value, expected: Shape): void {
  if (dy.shape.join() !== expected.join())
    throw shapeError(op, `dy [${expected.join(', ')}]`, describeType(dy));
}

/*
 * Stride-1 cross-correlation and the two maps that transpose it. With T(x, w, dy) = Σ dy·conv(x, w), a form linear in
 * each of its three operands, every op below is the derivative of T by one operand, and so is every gradient rule:
 *
 *   op              solves for   gradients
 *   conv            dy           x: convInputGrad(g, w)        w: convWeightGrad(x, g)
 *   convInputGrad   x            dy: conv(g, w)                w: convWeightGrad(g, dy)
 *   convWeightGrad  w            x: convInputGrad(dy, g)       dy: conv(x, g)
 */

/** y[n, o, p, q] = Σ_{c, i, j} x[n, c, p + i − top, q + j − left] · w[o, c, i, j], x = 0 outside. */
export const convOp: OpDefinition<ConvAttributes, Two, One> = {
  name: 'conv',
  types: ([x, w], { pads }) => {
    checkFloat32('conv', [x, w]);
    return [{ dtype: 'float32', shape: convShape('conv', x.shape, w.shape, pads) }];
  },
  gradient: ({ inputs: [x, w], attributes: { pads } }, [g]) => {
    if (!g) return [];
    return [convInputGrad(g, w, x.shape, { pads }), convWeightGrad(x, g, w.shape, { pads })];
  },
};

/** dx[n, c, h, v] = Σ_{o, i, j} dy[n, o, h − i + top, v − j + left] · w[o, c, i, j] */
export const convInputGradOp: OpDefinition<GeometryAttributes, Two, One> = {
  name: 'convInputGrad',
  types: ([dy, w], { shape, pads }) => {
    checkFloat32('convInputGrad', [dy, w]);
    checkGradient('convInputGrad', dy, convShape('convInputGrad', shape, w.shape, pads));
    return [{ dtype: 'float32', shape }];
  },
  gradient: ({ inputs: [dy, w], attributes: { pads } }, [g]) => {
    if (!g) return [];
    return [conv(g, w, { pads }), convWeightGrad(g, dy, w.shape, { pads })];
  },
};

/** dw[o, c, i, j] = Σ_{n, p, q} dy[n, o, p, q] · x[n, c, p + i − top, q + j − left] */
export const convWeightGradOp: OpDefinition<GeometryAttributes, Two, One> = {
  name: 'convWeightGrad',
  types: ([x, dy], { shape, pads }) => {
    checkFloat32('convWeightGrad', [x, dy]);
    checkGradient('convWeightGrad', dy, convShape('convWeightGrad', x.shape, shape, pads));
    return [{ dtype: 'float32', shape }];
  },
  gradient: ({ inputs: [x, dy], attributes: { pads } }, [g]) => {
    if (!g) return [];
    return [convInputGrad(dy, g, x.shape, { pads }), conv(x, g, { pads })];
  },
};

/** 2-D convolution, stride 1. x: [N, C, H, W], w: [O, C, kh, kw] → [N, O, H', W']. */
export const conv = (x: Value, w: Value, attributes: ConvAttributes): Value =>
  applyOne(convOp, [x, w], attributes);
/** Transpose of {@link conv} in x: [N, O, H', W'] → `shape` = x's. */
export const convInputGrad = (dy: Value, w: Value, shape: Shape, { pads }: ConvAttributes): Value =>
  applyOne(convInputGradOp, [dy, w], { shape, pads });
/** Transpose of {@link conv} in w: → `shape` = w's. */
export const convWeightGrad = (x: Value, dy: Value, shape: Shape, { pads }: ConvAttributes): Value =>
  applyOne(convWeightGradOp, [x, dy], { shape, pads });
