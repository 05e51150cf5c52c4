import { type Graph, input, scoped } from '../graph/index.js';
import { type Bindings, initialTensors, specsOf } from '../nn/block.js';
import { countCorrect, rowsOf } from '../nn/losses.js';
import { applyBlocks, imagesInput, type Network } from '../nn/network.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Random } from '../random/random.js';
import { at } from '../tensor/elements.js';
import type { Tensor, Tensors } from '../tensor/tensor.js';
import { type Objective, supervised } from './objective.js';
import type { TrainState } from './state.js';
import { buildStep, firstState, learningRateName, type StepOutputs, type StepParts } from './step-graph.js';

export interface TrainStepSettings {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Blocks 0 … frozenBlocks − 1 are not trained and run with their stored statistics. */
  readonly frozenBlocks: number;
  /**
   * What a batch holds: `images` (uint8 [N, H, W, C]), or `features`, the frozen blocks' output computed beforehand
   * (float32 [N, C', H', W']).
   */
  readonly batch: 'images' | 'features';
  /** Of the moving statistics of what is trained (see `BatchStatistics`). */
  readonly batchNormMomentum: number;
  /** Default: cross-entropy on the targets, one for each image. */
  readonly objective?: Objective;
  /** As in {@link StepParts}. */
  readonly averageDecay?: number;
}

/** Names of a step's own inputs and outputs, beside the state. */
export const stepNames = {
  images: 'images',
  features: 'features',
  targets: 'targets',
  learningRate: learningRateName,
  loss: 'loss',
  correct: 'correct',
} as const;

/** What the step of an image network is made of. */
function partsOf(settings: TrainStepSettings): StepParts {
  const { network, frozenBlocks, batch, optimizer, averageDecay } = settings;
  return {
    trained: specsOf([...network.blocks.slice(frozenBlocks), network.head]),
    frozen: batch === 'images' ? specsOf(network.blocks.slice(0, frozenBlocks)) : [],
    optimizer,
    averageDecay,
    forward: (bindings) => lossOn(settings, bindings),
  };
}

function lossOn(
  { network, batchSize, frozenBlocks, batch, batchNormMomentum, objective = supervised() }: TrainStepSettings,
  bindings: Bindings,
): StepOutputs {
  const x =
    batch === 'images'
      ? imagesInput(network, batchSize)
      : input(stepNames.features, 'float32', [
          batchSize,
          ...at(network.blocks, frozenBlocks - 1).outputShape,
        ]);
  const from = batch === 'images' ? 0 : frozenBlocks;
  const norm = { momentum: batchNormMomentum };
  const features = applyBlocks(network, x, bindings, { from, frozen: frozenBlocks, norm });
  const logits = network.head.apply(features, bindings, norm);
  const labelled = objective.labelled(batchSize);
  const targets = input(stepNames.targets, 'int32', [labelled]);
  const loss = scoped('loss', () => objective.loss(logits, targets));
  return { loss, correct: countCorrect(rowsOf(logits, 0, labelled), targets) };
}

/**
 * The training step of an image network (see {@link buildStep}):
 *
 *   (batch, targets, learningRate, state, frozen params) → (loss, correct, next.state)
 *
 * A batch is `images` or `features` of N images, `targets` int32 [M] of those that the objective has targets for; the frozen blocks'
 * tensors are inputs if it holds images. `loss` is the objective, in nats, `correct` counts the right ones of the M.
 */
export function buildTrainStep(settings: TrainStepSettings): Graph {
  return buildStep(partsOf(settings));
}

/**
 * The state before the first step, see {@link firstState}.
 * @throws QuarterturnError `usage` for a tensor that the weights lack
 */
export function initialState(settings: TrainStepSettings, weights: Tensors): TrainState {
  return firstState(partsOf(settings), weights);
}

/** All tensors of a network, freshly drawn. */
export function freshWeights(network: Network, random: Random): Record<string, Tensor> {
  return initialTensors(network.specs, random);
}
