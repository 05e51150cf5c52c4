/** Everything needed to build graphs. */
export { gradients } from './gradients.js';
export {
  constant,
  type Graph,
  graph,
  input,
  type Node,
  type OpDefinition,
  scoped,
  type Value,
  type ValueType,
} from './graph.js';
export {
  add,
  broadcastTo,
  div,
  exp,
  log,
  mul,
  neg,
  reduceMean,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  sqrt,
  sub,
  sumTo,
  transpose,
} from './ops/arithmetic.js';
export { conv, convInputGrad, convWeightGrad, samePads } from './ops/conv.js';
export { argMax, cast, equal, oneHot } from './ops/discrete.js';
export { matMul } from './ops/matmul.js';
export { batchNormInference, batchNormTrain } from './ops/normalize.js';
export { avgPool, avgPoolGrad, maxPool, maxPoolGrad, samePoolPads } from './ops/pool.js';
export { logSoftmax, softmax } from './ops/softmax.js';
