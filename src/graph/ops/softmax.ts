import { applyOne, describeType, type One, type OpDefinition, shapeError, type Value } from '../graph.js';
import { exp, mul, reduceSum, sub } from './arithmetic.js';

function rowsOnly(name: string, x: Value): void {
  if (x.shape.length !== 2 || x.dtype !== 'float32')
    throw shapeError(name, 'float32 [N, K]', describeType(x));
}

/** p = eˣ / Σ eˣ along the last axis; dx = p·(dp − Σ dp·p). */
export const softmaxOp: OpDefinition<object, One, One> = {
  name: 'softmax',
  types: ([x]) => {
    rowsOnly('softmax', x);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  gradient: ({ outputs: [p] }, [g]) => [g && mul(p, sub(g, reduceSum(mul(g, p), [1], { keepDims: true })))],
};

/** l = x − ln Σ eˣ along the last axis, without overflow; dx = dl − softmax(x)·Σ dl. */
export const logSoftmaxOp: OpDefinition<object, One, One> = {
  name: 'logSoftmax',
  types: ([x]) => {
    rowsOnly('logSoftmax', x);
    return [{ dtype: 'float32', shape: x.shape }];
  },
  gradient: ({ outputs: [l] }, [g]) => [g && sub(g, mul(exp(l), reduceSum(g, [1], { keepDims: true })))],
};

/** Probabilities of each row of logits [N, K]. */
export const softmax = (x: Value): Value => applyOne(softmaxOp, [x], {});
/** Log-probabilities of each row of logits [N, K]. */
export const logSoftmax = (x: Value): Value => applyOne(logSoftmaxOp, [x], {});
