import { countOf } from '../../counts.js';
import {
  batchesPerEpoch,
  epochOrder,
  evenBatchSize,
  evenOrder,
  targetsAt,
  windowsOf,
} from '../../data/batches.js';
import type { ImageDataset } from '../../data/dataset.js';
import type { Network } from '../../nn/network.js';
import type { Random } from '../../random/random.js';
import type { Tensor, Tensors } from '../../tensor/tensor.js';
import type { PlannedBatch } from '../../train/batches-ahead.js';
import { computeFeatures, type Evaluation, evaluate } from '../../train/evaluate.js';
import { trainStage } from '../../train/loop.js';
import { supervised } from '../../train/objective.js';
import { weightsOf } from '../../train/state.js';
import { reestimateStatistics } from '../../train/statistics.js';
import { freshWeights } from '../../train/train-step.js';
import { networkFor, type RecipeContext, randomFor } from '../context.js';
import { labelledSet } from '../labelled-set.js';
import { classNamesOf, labelledImages } from '../labels.js';
import { cachesFeatures, optimizerOf, type RunSettings, scheduleOf } from '../settings.js';

/** A network and all its tensors. */
export interface TrainedNetwork {
  readonly network: Network;
  readonly weights: Tensors;
}

export interface Classifier extends TrainedNetwork {
  /** Evaluation on the labelled images that it was trained on. */
  readonly train: Evaluation;
  /** Absent if the data has no test set. */
  readonly test: Evaluation | undefined;
  /** The class that it gives each image of a sample of the pile; absent if it learned from the labels alone and loses none. */
  readonly pileAnswers?: Int32Array;
}

/** Of the stage in checkpoints, settings and commands, which are written in one word. */
export const finetuneName = 'finetune';
export const scratchName = 'scratch';

/** The two ways to learn from the labels alone: on the pretrained backbone, or from random weights. */
export type FineTuneStage = typeof finetuneName | typeof scratchName;

export interface FineTuneOptions {
  /** Number of the label draw, from 0. */
  readonly draw: number;
  /**
   * Default: `finetune`. `scratch` trains without a backbone and freezes nothing, for comparison and as a start of
   * self-training.
   */
  readonly stage?: FineTuneStage | undefined;
  /** Weights of a pretrained network, whose head is ignored. Default: random weights. */
  readonly backbone?: Tensors | undefined;
}

/**
 * Trains a new dense head on the pretrained backbone, with the labelled images of one draw. The first `frozenBlocks`
 * blocks stay fixed; if the images are not augmented, their output is computed once.
 *
 * @example
 * const { weights } = await pretrain(context);
 * const classifier = await fineTune(context, { draw: 0, backbone: weights });
 * const fromRandomWeights = await fineTune(context, { draw: 0, stage: 'scratch' });
 * @throws QuarterturnError `diverged` if the loss or a weight becomes NaN or infinite, `interrupted` after the state was
 *   saved
 */
export async function fineTune(
  context: RecipeContext,
  { draw, stage = finetuneName, backbone }: FineTuneOptions,
): Promise<Classifier> {
  const labelled = labelledImages(context, draw);
  const learned = await learnLabels(context, { labelled, backbone, draw, stage });
  const title = stage === scratchName ? 'from random weights' : 'fine-tuned';
  return withEvaluation(learned, context, { labelled, title });
}

interface WithEvaluationOptions {
  /** The images that it learned from. */
  readonly labelled: ImageDataset;
  /** What to call the network, of several, in front of the images that it is evaluated on: `fine-tuned`. */
  readonly title: string;
}

/** Evaluates a trained network on its labelled images and on the test set, if there is one. */
export async function withEvaluation(
  { network, weights }: TrainedNetwork,
  context: RecipeContext,
  { labelled, title }: WithEvaluationOptions,
): Promise<Classifier> {
  const { test } = context.data;
  return {
    network,
    weights,
    train: await evaluate(network, weights, labelledSet(`${title}, labelled images`, labelled), context),
    test: test && (await evaluate(network, weights, labelledSet(`${title}, test images`, test), context)),
  };
}

interface LearnLabelsOptions {
  /** The images to learn from, all of a draw's or a part of them. */
  readonly labelled: ImageDataset;
  readonly backbone: Tensors | undefined;
  readonly draw: number;
  readonly stage: FineTuneStage;
}

/** Trains as {@link fineTune} does, on any labelled images. */
export async function learnLabels(
  context: RecipeContext,
  { labelled, backbone, draw, stage }: LearnLabelsOptions,
): Promise<TrainedNetwork> {
  const { settings, data, runtime } = context;
  const { epochs, batchSize, evenBatches, augmentation, labelSmoothing, batchNormMomentum } =
    settings.finetune;
  const frozenBlocks = stage === scratchName ? 0 : settings.finetune.frozenBlocks;
  const classes = classNamesOf(context).length;
  const network = networkFor(settings.network, data.train.images, classes);
  const start = {
    ...freshWeights(network, randomFor(context, stage, 'weights', draw)),
    ...(backbone && withoutHead(backbone, network)),
  };
  const cached = cachesFeatures({ frozenBlocks, augmentation });
  const features = cached
    ? await computeFeatures(network, start, frozenBlocks, labelledSet('frozen features', labelled), context)
    : undefined;

  const batch = (positions: Uint32Array, step: number): PlannedBatch =>
    features
      ? { features: rowsOf(features, positions), targets: targetsAt(labelled, positions) }
      : augmentedBatch(labelled, positions, augmentation, () =>
          randomFor(context, stage, 'augment', draw, step),
        );
  const { images } = labelled;
  const stepsPerEpoch = batchesPerEpoch(images.count, batchSize);
  const orderOf = evenBatches ? evenOrder : epochOrder;
  const { state } = await trainStage(
    {
      stage,
      draw,
      title: `${backbone ? 'Fine-tuning' : 'Training from random weights'} on ${countOf(images.count, 'label')}`,
      step: {
        network,
        optimizer: optimizerOf(settings.finetune),
        batchSize: labelsPerStep(settings.finetune, images.count),
        frozenBlocks,
        batch: cached ? 'features' : 'images',
        batchNormMomentum,
        objective: supervised({ labelSmoothing }),
      },
      epochs,
      stepsPerEpoch,
      schedule: scheduleOf(settings.finetune, epochs * stepsPerEpoch),
      weights: start,
      order: (epoch) => orderOf(images.count, batchSize, randomFor(context, stage, 'order', draw, epoch)),
      images,
      batch,
    },
    context,
  );

  let weights: Tensors = { ...start, ...weightsOf(state) };
  if (settings.finetune.reestimate) {
    const { images } = data.train;
    const batches = statisticsBatches(context);
    weights = await reestimateStatistics(network, weights, { images, batches, runtime });
  }
  return { network, weights };
}

/** Images in a step of an epoch of so many labelled ones, if there are enough. */
export function labelsPerStep(
  { batchSize, evenBatches }: Pick<RunSettings['finetune'], 'batchSize' | 'evenBatches'>,
  count: number,
): number {
  return evenBatches ? evenBatchSize(count, batchSize) : batchSize;
}

/** A batch of labelled images, distorted if `augmentation` is set. */
export function augmentedBatch(
  labelled: ImageDataset,
  positions: Uint32Array,
  augmentation: RunSettings['finetune']['augmentation'],
  random: () => Random,
): PlannedBatch {
  const part = { indices: positions };
  return {
    images: [
      augmentation ? { ...part, augmentation: { strength: augmentation, random: random().state() } } : part,
    ],
    targets: targetsAt(labelled, positions),
  };
}

/**
 * Images to take BatchNorm's statistics from: a random 1,000 of the whole pile, since a hundred labelled ones, seen
 * augmented, are not what the classifier will meet.
 */
function statisticsBatches(context: RecipeContext): Uint32Array[] {
  const { count } = context.data.train.images;
  const sample = randomFor(context, finetuneName, 'statistics').permutation(count).slice(0, 1000);
  return windowsOf(sample, Math.min(100, sample.length), { dropLast: true });
}

/** The backbone's tensors of a pretrained network: all but the head, which told rotations apart. */
function withoutHead(weights: Tensors, network: Network): Tensors {
  return Object.fromEntries(
    Object.entries(weights).filter(([name]) => !name.startsWith(`${network.head.name}.`)),
  );
}

/** Rows `positions` of a tensor. */
function rowsOf(t: Tensor<'float32'>, positions: Uint32Array): Tensor<'float32'> {
  const [, ...rest] = t.shape;
  const size = rest.reduce((a, b) => a * b, 1);
  const data = new Float32Array(positions.length * size);
  positions.forEach((p, i) => {
    data.set(t.data.subarray(p * size, (p + 1) * size), i * size);
  });
  return { dtype: 'float32', shape: [positions.length, ...rest], data };
}
