/** Everything needed to build graphs. */
export { gradients } from './gradients.js';
export {
  constant,
  type GradientRule,
  type Graph,
  graph,
  input,
  type Node,
  type NodeOf,
  type OpDefinition,
  scoped,
  type Value,
  type ValueType,
} from './graph.js';
export {
  add,
  broadcastTo,
  div,
  erf,
  exp,
  log,
  mul,
  neg,
  type Operand,
  type ReduceOptions,
  reduceMean,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  sigmoid,
  sqrt,
  sub,
  sumTo,
  tanh,
  transpose,
} from './ops/arithmetic.js';
export {
  type ConvAttributes,
  conv,
  convInputGrad,
  convWeightGrad,
  type GeometryAttributes,
  type Pads,
  samePads,
} from './ops/conv.js';
export { argMax, cast, equal, oneHot } from './ops/discrete.js';
export { type MatMulAttributes, matMul } from './ops/matmul.js';
export { type BatchNormAttributes, batchNormInference, batchNormTrain } from './ops/normalize.js';
export { concat, type SliceAttributes, slice } from './ops/parts.js';
export { avgPool, avgPoolGrad, maxPool, maxPoolGrad, type PoolAttributes, samePoolPads } from './ops/pool.js';
export { logSoftmax, softmax } from './ops/softmax.js';
