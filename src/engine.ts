/**
 * `quarterturn/engine`: what training is made of, for networks and losses of your own. Graphs are built and
 * differentiated here; a runtime of `quarterturn/node` or `quarterturn/web` compiles and runs them. `network` and `compileStep`
 * put the parts together (docs/engine.md); whoever wants other steps builds them:
 *
 * @example
 * const x = input('x', 'float32', [128, 784]);
 * const kernel = input('kernel', 'float32', [784, 10]);
 * const loss = crossEntropy(matMul(x, kernel), input('targets', 'int32', [128]));
 * const [slope] = gradients(loss, [kernel]);
 * const program = await runtime.compile(graph({ loss, next: sub(kernel, mul(slope!, 0.1)) }));
 */

export { type ErrorCode, QuarterturnError } from './errors.js';
export {
  add,
  argMax,
  avgPool,
  avgPoolGrad,
  type BatchNormAttributes,
  batchNormInference,
  batchNormTrain,
  broadcastTo,
  type ConvAttributes,
  cast,
  concat,
  constant,
  conv,
  convInputGrad,
  convWeightGrad,
  div,
  equal,
  erf,
  exp,
  type GeometryAttributes,
  type GradientRule,
  type Graph,
  gradients,
  graph,
  input,
  log,
  logSoftmax,
  type MatMulAttributes,
  matMul,
  maxPool,
  maxPoolGrad,
  mul,
  type Node,
  type NodeOf,
  neg,
  type OpDefinition,
  type Operand,
  oneHot,
  type Pads,
  type PoolAttributes,
  type ReduceOptions,
  reduceMean,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  type SliceAttributes,
  samePads,
  samePoolPads,
  scoped,
  sigmoid,
  slice,
  softmax,
  sqrt,
  sub,
  sumTo,
  tanh,
  transpose,
  type Value,
  type ValueType,
} from './graph/index.js';
export { type ExportNetworkOptions, exportNetwork } from './model/export-network.js';
export { gelu } from './nn/activations.js';
export {
  type BatchStatistics,
  Bindings,
  type Block,
  type BlockBuilder,
  buildChain,
  type LayerInfo,
  type MapShape,
  type NormMode,
  type ParamSpec,
  sequential,
} from './nn/block.js';
export { imagesToMaps, type Normalisation } from './nn/images.js';
export type { Initializer } from './nn/initializers.js';
export {
  type AppliedLayers,
  type Layer,
  type LayeredNetwork,
  type Layers,
  type NamedValues,
  network,
} from './nn/layered-network.js';
export {
  type ConvUnitSettings,
  convUnit,
  dense,
  globalPool,
  pool,
} from './nn/layers.js';
export {
  type CrossEntropyOptions,
  countCorrect,
  crossEntropy,
  mutualInformation,
  type PseudoLabelOptions,
  pseudoLabelLoss,
} from './nn/losses.js';
export {
  type BackboneName,
  type BackboneSettings,
  backboneNames,
  createNetwork,
  imagesInput,
  type Network,
  type NetworkSettings,
} from './nn/network.js';
export { type LayerRow, type LayerTable, summary } from './nn/summary.js';
export { decodeModel } from './onnx/decode.js';
export { encodeModel } from './onnx/encode.js';
export type { Attribute, OnnxModel, OnnxNode, OnnxValueInfo, OnnxVersion } from './onnx/model.js';
export { type AdamSettings, adam } from './optim/adam.js';
export type { Optimizer, UpdateInputs, Values } from './optim/optimizer.js';
export {
  constantRate,
  inverseTime,
  type OneCycleSettings,
  oneCycle,
  type Schedule,
} from './optim/schedules.js';
export { type SgdSettings, sgd } from './optim/sgd.js';
export { Random, type RandomState, type Swappable } from './random/random.js';
export type { DeviceName, Program, Runtime, RuntimeOptions } from './runtime/runtime.js';
export { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from './store/safetensors.js';
export type { ImageSize } from './tensor/image-size.js';
export {
  type ArrayOf,
  cloneTensor,
  type DType,
  float32,
  type Shape,
  scalar,
  sizeOf,
  type Tensor,
  type Tensors,
  tensor,
  zeros,
} from './tensor/tensor.js';
export {
  type Batch,
  type BatchTypes,
  type CompiledStep,
  type CompileStepOptions,
  compileStep,
  type StepFigures,
  type TrainedStep,
  type TrainOptions,
} from './train/compile-step.js';
export {
  buildClassifier,
  buildFeatures,
  type ClassifierGraphOptions,
  type FeatureGraphOptions,
} from './train/forward.js';
export { type ConsistencySettings, consistency, type Objective, supervised } from './train/objective.js';
export {
  flattenState,
  nextPrefix,
  nextState,
  type StateOf,
  type TrainState,
  weightsOf,
} from './train/state.js';
export type { StepOutputs } from './train/step-graph.js';
export {
  buildTrainStep,
  freshWeights,
  initialState,
  stepNames,
  type TrainStepSettings,
} from './train/train-step.js';
