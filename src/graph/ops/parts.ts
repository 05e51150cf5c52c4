import { sameShape, zeros } from '../../tensor/tensor.js';
import {
  applyOne,
  checkFloat32,
  constant,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Value,
} from '../graph.js';

/*
 * Taking a value apart along an axis and putting values together: the gradient of either is the other.
 */

export interface SliceAttributes {
  readonly axis: number;
  /** The first position that is taken. */
  readonly from: number;
  /** The first that is not taken any more, above `from`. */
  readonly to: number;
}

/** y = x[from … to − 1] along an axis. The gradient is 0 where nothing was taken. */
export const sliceOp: OpDefinition<SliceAttributes, One, One> = {
  name: 'slice',
  types: ([x], { axis, from, to }) => {
    checkFloat32('slice', [x]);
    const size = x.shape[axis];
    if (size === undefined) throw shapeError('slice', `an axis ${axis}`, describeType(x));
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= size)) {
      throw shapeError('slice', `0 ≤ from < to ≤ ${size} along axis ${axis}`, `${from} and ${to}`);
    }
    return [{ dtype: 'float32', shape: x.shape.with(axis, to - from) }];
  },
  gradient: ({ inputs: [x], attributes: { axis, from, to } }, [g]) => {
    if (!g) return [];
    const nothing = (count: number) =>
      count > 0 ? [constant(zeros('float32', x.shape.with(axis, count)))] : [];
    return [concat([...nothing(from), g, ...nothing((x.shape[axis] ?? 0) - to)], axis)];
  },
};

/** Values one behind the other along an axis; each is given its part of the gradient. */
export const concatOp: OpDefinition<{ readonly axis: number }, readonly Value[], One> = {
  name: 'concat',
  types: (parts, { axis }) => {
    checkFloat32('concat', parts);
    const [first] = parts;
    if (first === undefined) throw shapeError('concat', 'some values', 'none');
    if (first.shape[axis] === undefined) throw shapeError('concat', `an axis ${axis}`, describeType(first));
    const other = parts.find(
      ({ shape }) => shape[axis] === undefined || !sameShape(shape.with(axis, 1), first.shape.with(axis, 1)),
    );
    if (other) {
      throw shapeError(
        'concat',
        `shapes that differ along axis ${axis} alone`,
        `${describeType(first)} and ${describeType(other)}`,
      );
    }
    const total = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
    return [{ dtype: 'float32', shape: first.shape.with(axis, total) }];
  },
  gradient: ({ inputs, attributes: { axis } }, [g]) => {
    if (!g) return [];
    let from = 0;
    return inputs.map(({ shape }) => {
      const to = from + (shape[axis] ?? 0);
      const part = slice(g, { axis, from, to });
      from = to;
      return part;
    });
  },
};

/**
 * Positions `from` to `to` − 1 of x along an axis.
 *
 * @example
 * const firstRow = slice(matrix, { axis: 0, from: 0, to: 1 });
 * @throws QuarterturnError `shape` for an axis or positions that x has not
 */
export const slice = (x: Value, part: SliceAttributes): Value => applyOne(sliceOp, [x], part);

/**
 * Values one behind the other along an axis.
 * @throws QuarterturnError `shape` for values that differ along another axis, too
 */
export const concat = (parts: readonly Value[], axis: number): Value => applyOne(concatOp, parts, { axis });
