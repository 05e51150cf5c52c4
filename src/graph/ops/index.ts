import { constantOp, inputOp, type OpDefinition } from '../graph.js';
import {
  addOp,
  broadcastToOp,
  divOp,
  erfOp,
  expOp,
  logOp,
  mulOp,
  negOp,
  reduceMeanOp,
  reduceSumOp,
  reluGradOp,
  reluOp,
  reshapeOp,
  sigmoidOp,
  sqrtOp,
  subOp,
  tanhOp,
  transposeOp,
} from './arithmetic.js';
import { convInputGradOp, convOp, convWeightGradOp } from './conv.js';
import { argMaxOp, castOp, equalOp, oneHotOp } from './discrete.js';
import { matMulOp } from './matmul.js';
import { batchNormGradOp, batchNormInferenceOp, batchNormTrainOp } from './normalize.js';
import { concatOp, sliceOp } from './parts.js';
import { avgPoolGradOp, avgPoolOp, maxPoolGradOp, maxPoolOp } from './pool.js';
import { logSoftmaxOp, softmaxOp } from './softmax.js';

/** Every op of the semantic graph. The interpreter, each lowering and the gradient checks cover exactly these. */
export const allOps: readonly OpDefinition[] = [
  inputOp,
  constantOp,
  addOp,
  subOp,
  mulOp,
  divOp,
  negOp,
  expOp,
  logOp,
  sqrtOp,
  sigmoidOp,
  tanhOp,
  erfOp,
  reluOp,
  reluGradOp,
  reshapeOp,
  transposeOp,
  broadcastToOp,
  sliceOp,
  concatOp,
  reduceSumOp,
  reduceMeanOp,
  matMulOp,
  convOp,
  convInputGradOp,
  convWeightGradOp,
  maxPoolOp,
  maxPoolGradOp,
  avgPoolOp,
  avgPoolGradOp,
  batchNormInferenceOp,
  batchNormTrainOp,
  batchNormGradOp,
  softmaxOp,
  logSoftmaxOp,
  castOp,
  oneHotOp,
  argMaxOp,
  equalOp,
];
