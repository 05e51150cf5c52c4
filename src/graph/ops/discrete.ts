import { at } from '../../tensor/elements.js';
import { type DType, sameShape } from '../../tensor/tensor.js';
import {
  applyOne,
  describeType,
  type One,
  type OpDefinition,
  shapeError,
  type Two,
  type Value,
} from '../graph.js';

/** Ops between whole numbers and floats: steps, so no gradient flows through any of them. */

/** The same numbers in another dtype. */
export const castOp: OpDefinition<{ readonly to: DType }, One, One> = {
  name: 'cast',
  types: ([x], { to }) => [{ dtype: to, shape: x.shape }],
  gradient: 'none',
};

/** labels int32 [N] → float32 [N, depth] with a 1 at each label; a label outside 0 … depth − 1 gives a row of zeros. */
export const oneHotOp: OpDefinition<{ readonly depth: number }, One, One> = {
  name: 'oneHot',
  types: ([labels], { depth }) => {
    if (labels.dtype !== 'int32' || labels.shape.length !== 1) {
      throw shapeError('oneHot', 'int32 [N]', describeType(labels));
    }
    return [{ dtype: 'float32', shape: [at(labels.shape, 0), depth] }];
  },
  gradient: 'none',
};

/** x float32 [N, K] → int32 [N], the column of each row's largest value, the first where several tie. */
export const argMaxOp: OpDefinition<object, One, One> = {
  name: 'argMax',
  types: ([x]) => {
    if (x.dtype !== 'float32' || x.shape.length !== 2)
      throw shapeError('argMax', 'float32 [N, K]', describeType(x));
    return [{ dtype: 'int32', shape: [at(x.shape, 0)] }];
  },
  gradient: 'zero',
};

/** int32 a = b elementwise → float32 1 or 0. */
export const equalOp: OpDefinition<object, Two, One> = {
  name: 'equal',
  types: ([a, b]) => {
    if (a.dtype !== 'int32' || b.dtype !== 'int32' || !sameShape(a.shape, b.shape)) {
      throw shapeError('equal', 'two int32 of one shape', `${describeType(a)} and ${describeType(b)}`);
    }
    return [{ dtype: 'float32', shape: a.shape }];
  },
  gradient: 'none',
};

/** x as `to`. */
export const cast = (x: Value, to: DType): Value => applyOne(castOp, [x], { to });
/** Rows with a 1 at each label. */
export const oneHot = (labels: Value, depth: number): Value => applyOne(oneHotOp, [labels], { depth });
/** Index of each row's maximum. */
export const argMax = (x: Value): Value => applyOne(argMaxOp, [x], {});
/** 1 where a = b, else 0. */
export const equal = (a: Value, b: Value): Value => applyOne(equalOp, [a, b], {});
