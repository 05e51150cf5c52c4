import { turnCount } from '../../data/rotation.js';
import { QuarterturnError } from '../../errors.js';
import type { Graph } from '../../graph/index.js';
import type { Network } from '../../nn/network.js';
import { Random } from '../../random/random.js';
import type { ImageSize } from '../../tensor/image-size.js';
import { float32, scalar, sizeOf, type Tensors, tensor } from '../../tensor/tensor.js';
import { evaluationBatchSize } from '../../train/evaluate.js';
import { buildClassifier } from '../../train/forward.js';
import { supervised } from '../../train/objective.js';
import { flattenState } from '../../train/state.js';
import {
  buildTrainStep,
  freshWeights,
  initialState,
  stepNames,
  type TrainStepSettings,
} from '../../train/train-step.js';
import { networkFor } from '../context.js';
import { cachesFeatures, optimizerOf, type RunSettings, type SelfTrainSettings } from '../settings.js';
import { objectiveOf, selfTrainBatchSize } from '../stages/self-train-tasks.js';
import type { StageGraphName } from './stage-graph-names.js';

/** The images and classes that a graph is built for. */
export interface ImageKind extends ImageSize {
  readonly classes: number;
}

/** A graph of a run with something to feed it. */
export interface StageGraph {
  readonly graph: Graph;
  /** Random: values that kernels take the usual time for. */
  readonly inputs: Tensors;
  readonly batchSize: number;
}

/**
 * A graph as a run with these settings has it, to be looked at and timed by itself.
 * @param batchSize default: the stage's; views need all of their pairs and a label
 * @throws QuarterturnError `usage` for self-training where the settings have none
 */
export function stageGraph(
  settings: RunSettings,
  images: ImageKind,
  name: StageGraphName,
  batchSize: number = usualBatchSize(settings, name),
): StageGraph {
  const random = Random.seeded(settings.seed).split('stage graph');
  const classes = name === 'train' ? turnCount : images.classes;
  const network = networkFor(settings.network, images, classes);
  if (name === 'classify') {
    const graph = buildClassifier(network, freshWeights(network, random), { batchSize });
    return { graph, inputs: imageBatch(network, batchSize, random), batchSize };
  }
  const step = stepOf(settings, name, network, batchSize);
  return { graph: buildTrainStep(step), inputs: stepInputs(step, random), batchSize };
}

function stepOf(
  settings: RunSettings,
  name: Exclude<StageGraphName, 'classify'>,
  network: Network,
  batchSize: number,
): TrainStepSettings {
  if (name === 'selfTrain') {
    const selfTrain = selfTrainOf(settings);
    return {
      network,
      optimizer: optimizerOf(selfTrain),
      batchSize,
      frozenBlocks: 0,
      batch: 'images',
      batchNormMomentum: selfTrain.batchNormMomentum,
      objective: objectiveOf(selfTrain),
      averageDecay: selfTrain.averageDecay,
    };
  }
  const { finetune } = settings;
  const stage = name === 'train' ? settings.pretrain : finetune;
  return {
    network,
    optimizer: optimizerOf(stage),
    batchSize,
    frozenBlocks: name === 'train' ? 0 : finetune.frozenBlocks,
    batch: name === 'finetune' && cachesFeatures(finetune) ? 'features' : 'images',
    batchNormMomentum: stage.batchNormMomentum,
    objective: supervised({ labelSmoothing: name === 'train' ? 0 : finetune.labelSmoothing }),
  };
}

/** Images in a batch of a graph. */
export function usualBatchSize(settings: RunSettings, name: StageGraphName): number {
  const { pretrain, finetune } = settings;
  if (name === 'classify') return evaluationBatchSize;
  if (name !== 'selfTrain') return (name === 'train' ? pretrain : finetune).batchSize;
  return selfTrainBatchSize(selfTrainOf(settings));
}

function selfTrainOf({ preset, selfTrain }: RunSettings): SelfTrainSettings {
  if (selfTrain) return selfTrain;
  throw new QuarterturnError('usage', `expected settings with self-training. Received: ${preset}, without.`);
}

function stepInputs(step: TrainStepSettings, random: Random): Tensors {
  const { network, batchSize, batch, frozenBlocks } = step;
  const labelled = step.objective?.labelled(batchSize) ?? batchSize;
  const weights = freshWeights(network, random);
  const targets = Int32Array.from({ length: labelled }, () => random.integer(network.classes));
  const inputs: Tensors = {
    ...weights,
    ...flattenState(initialState(step, weights)),
    [stepNames.targets]: tensor('int32', [labelled], targets),
    [stepNames.learningRate]: scalar(0.01),
  };
  if (batch === 'images') return { ...inputs, ...imageBatch(network, batchSize, random) };
  const shape = [batchSize, ...network.blocks[frozenBlocks - 1]!.outputShape];
  const features = Array.from({ length: sizeOf(shape) }, () => random.uniform());
  return { ...inputs, [stepNames.features]: float32(shape, features) };
}

function imageBatch({ settings }: Network, batchSize: number, random: Random): Tensors {
  const { height, width, channels } = settings.image;
  const shape = [batchSize, height, width, channels];
  const pixels = Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(256));
  return { [stepNames.images]: tensor('uint8', shape, pixels) };
}
