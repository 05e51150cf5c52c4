import { countOf } from '../../counts.js';
import { remainingIndices } from '../../labels/label-selection.js';
import type { Network } from '../../nn/network.js';
import type { PileMetrics, Teacher } from '../../store/run-record.js';
import type { Tensors } from '../../tensor/tensor.js';
import { trainStage } from '../../train/loop.js';
import { weightsOf } from '../../train/state.js';
import { networkFor, type RecipeContext } from '../context.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import type { PileGraph } from '../pile-graph.js';
import { hasCollapsed, measureOnPile, pileViews } from '../pile-metrics.js';
import { optimizerOf, type SelfTrainSettings, scheduleOf } from '../settings.js';
import { answersForPile } from './evidence.js';
import { type Classifier, type TrainedNetwork, withEvaluation } from './finetune.js';
import { selfTrainBatchSize, selfTrainName, taskFor } from './self-train-tasks.js';

export interface SelfTrainOptions {
  /** Number of the label draw, from 0. */
  readonly draw: number;
  /** Computes which images look alike; called only if neighbours teach. */
  pileGraph(): Promise<PileGraph>;
  /** Default: the settings' teacher. */
  readonly teacher?: Teacher | undefined;
}

/**
 * Self-training: learns from the unlabelled pile. The teacher is either the neighbours (labels spread over images that
 * look alike) or views (two distortions of an image share a class, Ji et al. 2019). Training starts from a classifier that
 * knows the classes roughly, and returns the moving average of the weights.
 *
 * If classes of the pile merge that the teacher tells apart, training stops early and says so.
 *
 * @throws QuarterturnError `diverged` if the loss or a weight becomes NaN or infinite
 */
export async function selfTrain(
  context: RecipeContext,
  start: TrainedNetwork,
  options: SelfTrainOptions,
): Promise<Classifier> {
  const { draw } = options;
  const { images } = context.data.train;
  const unlabelled = remainingIndices(images.count, labelledIndices(context, draw));
  const views = await pileViews(context, unlabelled);
  const look = (network: Network, weights: Tensors): Promise<PileMetrics> =>
    measureOnPile(network, weights, views, context);
  const learned = await learnFromPile(context, start, { ...options, look });
  const classifier = await withEvaluation(learned, context, {
    labelled: labelledImages(context, draw),
    title: 'self-trained',
  });
  return { ...classifier, pileAnswers: await answersForPile(context, learned, draw) };
}

interface LearnFromPileOptions extends SelfTrainOptions {
  /** Steps of the walks that bring the pile its classes at most; default: as many as the labels need. */
  readonly mostSteps?: number | undefined;
  /** Measures what was learned after each epoch; default: nobody looks, and nothing is stopped early. */
  look?(network: Network, weights: Tensors): Promise<PileMetrics>;
}

/** Trains as {@link selfTrain} does, and evaluates nothing. */
export async function learnFromPile(
  context: RecipeContext,
  start: TrainedNetwork,
  { draw, pileGraph, teacher = context.settings.selfTrain!.teacher, mostSteps, look }: LearnFromPileOptions,
): Promise<TrainedNetwork> {
  const settings = context.settings.selfTrain!;
  const { epochs, stepsPerEpoch, batchNormMomentum } = settings;
  const { images } = context.data.train;
  const unlabelled = images.count - labelledIndices(context, draw).length;
  const network = networkFor(context.settings.network, images, classNamesOf(context).length);
  const task = await taskFor(context, { draw, pileGraph, start, teacher, mostSteps });

  const { state } = await trainStage(
    {
      stage: selfTrainName,
      draw,
      title: `Self-training on ${countOf(unlabelled, 'unlabelled image')}`,
      step: {
        network,
        optimizer: optimizerOf(settings),
        batchSize: selfTrainBatchSize(settings),
        frozenBlocks: 0,
        batch: 'images',
        batchNormMomentum,
        objective: task.objective,
        averageDecay: settings.averageDecay,
      },
      epochs,
      stepsPerEpoch,
      schedule: scheduleOf(settings, epochs * stepsPerEpoch),
      weights: start.weights,
      images,
      order: task.order,
      batch: task.batch,
      memory: task.memory,
      validate: async (state, epoch) => {
        const weights = weightsOf(state);
        const pile = await look?.(network, weights);
        if (pile && hasCollapsed(pile, task.rarestShare())) {
          return { pile, stop: { reason: 'collapsed', smallestClass: pile.smallestClass } };
        }
        if (epoch + 1 < epochs) await task.correct?.(network, weights, epoch);
        return pile ? { pile } : {};
      },
    },
    context,
  );
  return { network, weights: weightsOf(state) };
}

/**
 * Steps of a self-training that is only tried, with labels held back: as many tell within a point or two what the whole
 * stage will come to, and three of them take half as long as the quick preset's stage.
 */
export const usualTrialSteps = 120;

/** Steps of a self-training that is only tried, with labels held back. */
export function trialStepsOf({
  epochs,
  stepsPerEpoch,
  trialSteps = usualTrialSteps,
}: SelfTrainSettings): number {
  return Math.min(epochs * stepsPerEpoch, trialSteps);
}

/**
 * Part of a step's images that a step of a trial has where neighbours teach. As many steps of half the images come within a point of what
 * whole ones come to, in half the time. Views need theirs: information between classes is counted over the pairs of a batch.
 */
export function trialShareOf(teacher: Teacher): number {
  return teacher === 'neighbours' ? 0.5 : 1;
}

/** Self-training in few steps: all that goes on over its length is as much shorter, and nothing is corrected. */
export function trialSettings(settings: SelfTrainSettings, teacher: Teacher): SelfTrainSettings {
  const whole = settings.epochs * settings.stepsPerEpoch;
  const steps = trialStepsOf(settings);
  const part = (images: number) => Math.ceil(trialShareOf(teacher) * images);
  return {
    ...settings,
    epochs: 1,
    stepsPerEpoch: steps,
    labelledPerStep: part(settings.labelledPerStep),
    pairsPerStep: part(settings.pairsPerStep),
    correctEvery: null,
    averageDecay: Math.max(0, 1 - ((1 - settings.averageDecay) * whole) / steps),
  };
}
