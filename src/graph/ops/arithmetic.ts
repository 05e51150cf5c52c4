import { at } from '../../tensor/elements.js';
import { type Shape, sameShape, scalar, sizeOf } from '../../tensor/tensor.js';
import {
  applyOne,
  checkFloat32,
  constant,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Two,
  type Value,
} from '../graph.js';

/*
 * Elementwise ops, axes and reductions stand in one file because their gradients call on one another: a broadcast's
 * gradient is a sum, a sum's is a broadcast.
 */

/** A value, or a number that stands for a float32 scalar. */
export type Operand = Value | number;

const asValue = (x: Operand): Value => (typeof x === 'number' ? constant(scalar(x)) : x);

/** NumPy's broadcasting: axes are aligned at the end; a missing axis or one of size 1 is repeated. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[a.length - rank + i] ?? 1;
    const n = b[b.length - rank + i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw shapeError(op, 'shapes that broadcast', `[${a.join(', ')}] and [${b.join(', ')}]`);
    }
    return m === 1 ? n : m;
  });
}

/**
 * Undo a broadcast: sum over the axes that were repeated.
 * If y = broadcast(x), each x appears in several y, so ∂L/∂x = Σ ∂L/∂y over its copies.
 */
export function sumTo(value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value;
  const lead = value.shape.length - shape.length;
  const axes = value.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  const summed = axes.length === 0 ? value : reduceSum(value, axes, { keepDims: true });
  return reshape(summed, shape);
}

function binaryOp(
  name: string,
  gradient: (a: Value, b: Value, out: Value, g: Value) => readonly [Value, Value],
): OpDefinition<object, Two, One> {
  return {
    name,
    types: ([a, b]) => {
      checkFloat32(name, [a, b]);
      return [{ dtype: 'float32', shape: broadcastShapes(name, a.shape, b.shape) }];
    },
    gradient: ({ inputs: [a, b], outputs: [out] }, [g]) => {
      if (!g) return [];
      const [ga, gb] = gradient(a, b, out, g);
      return [sumTo(ga, a.shape), sumTo(gb, b.shape)];
    },
  };
}

function unaryOp(
  name: string,
  gradient: (x: Value, out: Value, g: Value) => Value,
): OpDefinition<object, One, One> {
  return {
    name,
    types: ([x]) => {
      checkFloat32(name, [x]);
      return [{ dtype: 'float32', shape: x.shape }];
    },
    gradient: ({ inputs: [x], outputs: [out] }, [g]) => (g ? [gradient(x, out, g)] : []),
  };
}

/** d(a + b) = da + db */
export const addOp = binaryOp('add', (_a, _b, _out, g) => [g, g]);
/** d(a − b) = da − db */
export const subOp = binaryOp('sub', (_a, _b, _out, g) => [g, neg(g)]);
/** d(a·b) = b·da + a·db */
export const mulOp = binaryOp('mul', (a, b, _out, g) => [mul(g, b), mul(g, a)]);
/** d(a/b) = da/b − (a/b)·db/b */
export const divOp = binaryOp('div', (_a, b, out, g) => [div(g, b), neg(div(mul(g, out), b))]);
/** d(−x) = −dx */
export const negOp = unaryOp('neg', (_x, _out, g) => neg(g));
/** d(eˣ) = eˣ·dx */
export const expOp = unaryOp('exp', (_x, out, g) => mul(g, out));
/** d(ln x) = dx/x */
export const logOp = unaryOp('log', (x, _out, g) => div(g, x));
/** d√x = dx / (2√x) */
export const sqrtOp = unaryOp('sqrt', (_x, out, g) => div(g, mul(out, 2)));
/** dσ(x) = σ(x)·(1 − σ(x))·dx */
export const sigmoidOp = unaryOp('sigmoid', (_x, out, g) => mul(g, mul(out, sub(1, out))));
/** d tanh x = (1 − tanh² x)·dx */
export const tanhOp = unaryOp('tanh', (_x, out, g) => mul(g, sub(1, mul(out, out))));
/** d erf x = 2/√π · exp(−x²)·dx */
export const erfOp = unaryOp('erf', (x, _out, g) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))));
/** d max(x, 0) = dx where the output is positive, else 0 (0 at the kink, as everyone does). */
export const reluOp = unaryOp('relu', (_x, out, g) => reluGrad(out, g));

/**
 * y ↦ dy where y > 0, else 0. Linear in dy, so its own gradient is itself; in y it is a step, of gradient 0.
 */
export const reluGradOp: OpDefinition<object, Two, One> = {
  name: 'reluGrad',
  types: ([y, dy]) => {
    checkFloat32('reluGrad', [y, dy]);
    if (!sameShape(y.shape, dy.shape)) {
      throw shapeError('reluGrad', 'two operands of one shape', `${describeType(y)} and ${describeType(dy)}`);
    }
    return [{ dtype: 'float32', shape: y.shape }];
  },
  gradient: ({ inputs: [y] }, [g]) => [undefined, g && reluGrad(y, g)],
};

/** a + b, broadcasting. */
export const add = (a: Operand, b: Operand): Value => applyOne(addOp, [asValue(a), asValue(b)], {});
/** a − b, broadcasting. */
export const sub = (a: Operand, b: Operand): Value => applyOne(subOp, [asValue(a), asValue(b)], {});
/** a · b elementwise, broadcasting. */
export const mul = (a: Operand, b: Operand): Value => applyOne(mulOp, [asValue(a), asValue(b)], {});
/** a / b elementwise, broadcasting. */
export const div = (a: Operand, b: Operand): Value => applyOne(divOp, [asValue(a), asValue(b)], {});
/** −x */
export const neg = (x: Value): Value => applyOne(negOp, [x], {});
/** eˣ */
export const exp = (x: Value): Value => applyOne(expOp, [x], {});
/** Natural logarithm; x > 0. */
export const log = (x: Value): Value => applyOne(logOp, [x], {});
/** √x; x ≥ 0, and > 0 where a gradient is wanted. */
export const sqrt = (x: Value): Value => applyOne(sqrtOp, [x], {});
/** The logistic function σ(x) = 1 / (1 + e⁻ˣ), 0 … 1. */
export const sigmoid = (x: Value): Value => applyOne(sigmoidOp, [x], {});
/** Hyperbolic tangent, −1 … 1. */
export const tanh = (x: Value): Value => applyOne(tanhOp, [x], {});
/** Gauss's error function, 2/√π · ∫ exp(−t²) dt from 0 to x, −1 … 1. */
export const erf = (x: Value): Value => applyOne(erfOp, [x], {});
/** max(x, 0) */
export const relu = (x: Value): Value => applyOne(reluOp, [x], {});
/** dy where y > 0, else 0. */
export const reluGrad = (y: Value, dy: Value): Value => applyOne(reluGradOp, [y, dy], {});

/** Same elements in the same row-major order; so is the gradient, shaped back. */
export const reshapeOp: OpDefinition<{ readonly shape: Shape }, One, One> = {
  name: 'reshape',
  types: ([x], { shape }) => {
    if (sizeOf(x.shape) !== sizeOf(shape)) {
      throw shapeError('reshape', `${sizeOf(shape)} elements for [${shape.join(', ')}]`, describeType(x));
    }
    return [{ dtype: x.dtype, shape }];
  },
  gradient: ({ inputs: [x] }, [g]) => [g && reshape(g, x.shape)],
};

/** out[i₀, …] has axis k of the output from axis perm[k] of the input; the gradient goes back by the inverse. */
export const transposeOp: OpDefinition<{ readonly perm: readonly number[] }, One, One> = {
  name: 'transpose',
  types: ([x], { perm }) => {
    const rank = x.shape.length;
    if (perm.length !== rank || new Set(perm).size !== rank || perm.some((p) => p < 0 || p >= rank)) {
      throw shapeError('transpose', `a permutation of ${rank} axes`, `[${perm.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape: perm.map((p) => at(x.shape, p)) }];
  },
  gradient: ({ attributes: { perm } }, [g]) => {
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    return [g && transpose(g, inverse)];
  },
};

/** Repeat along axes of size 1 and missing leading axes; the gradient sums over the copies. */
export const broadcastToOp: OpDefinition<{ readonly shape: Shape }, One, One> = {
  name: 'broadcastTo',
  types: ([x], { shape }) => {
    if (!sameShape(broadcastShapes('broadcastTo', x.shape, shape), shape)) {
      throw shapeError('broadcastTo', `a shape that broadcasts to [${shape.join(', ')}]`, describeType(x));
    }
    return [{ dtype: x.dtype, shape }];
  },
  gradient: ({ inputs: [x] }, [g]) => [g && sumTo(g, x.shape)],
};

/** x with another shape of as many elements. */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : applyOne(reshapeOp, [x], { shape });
/** x with its axes in another order. */
export const transpose = (x: Value, perm: readonly number[]): Value => applyOne(transposeOp, [x], { perm });
/** x repeated to a shape it broadcasts to. */
export const broadcastTo = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : applyOne(broadcastToOp, [x], { shape });

export interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

function reducedShape(shape: Shape, { axes, keepDims }: ReduceAttributes): Shape {
  return shape.flatMap((n, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [n]));
}

function reduceOp(
  name: string,
  spread: (g: Value, copies: number) => Value,
): OpDefinition<ReduceAttributes, One, One> {
  return {
    name,
    types: ([x], attributes) => {
      const rank = x.shape.length;
      checkFloat32(name, [x]);
      const { axes } = attributes;
      if (new Set(axes).size !== axes.length || axes.some((a) => a < 0 || a >= rank)) {
        throw shapeError(
          name,
          `different axes from 0 … ${rank - 1}`,
          `${describeType(x)}, axes [${axes.join(', ')}]`,
        );
      }
      return [{ dtype: 'float32', shape: reducedShape(x.shape, attributes) }];
    },
    gradient: ({ inputs: [x], attributes: { axes } }, [g]) => {
      if (!g) return [];
      const copies = axes.reduce((product, a) => product * at(x.shape, a), 1);
      const kept = reshape(g, reducedShape(x.shape, { axes, keepDims: true }));
      return [broadcastTo(spread(kept, copies), x.shape)];
    },
  };
}

/** y = Σ x, so every x gets y's gradient. */
export const reduceSumOp = reduceOp('reduceSum', (g) => g);
/** y = (Σ x) / n, so every x gets 1/n of y's gradient. */
export const reduceMeanOp = reduceOp('reduceMean', (g, n) => div(g, n));

export interface ReduceOptions {
  /** Keep reduced axes with size 1. Off by default, as in ONNX's siblings in NumPy and PyTorch. */
  readonly keepDims?: boolean;
}

/** Sum over `axes`. */
export const reduceSum = (
  x: Value,
  axes: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value => applyOne(reduceSumOp, [x], { axes, keepDims });
/** Mean over `axes`. */
export const reduceMean = (
  x: Value,
  axes: readonly number[],
  { keepDims = false }: ReduceOptions = {},
): Value => applyOne(reduceMeanOp, [x], { axes, keepDims });
