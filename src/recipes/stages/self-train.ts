import { remainingIndices } from '../../labels/label-selection.js';
import type { PileMetrics, Teacher } from '../../store/run-record.js';
import { trainStage } from '../../train/loop.js';
import { weightsOf } from '../../train/state.js';
import { networkFor, type RecipeContext } from '../context.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import type { PileGraph } from '../pile-graph.js';
import { measureOnPile, pileViews } from '../pile-metrics.js';
import { optimizerOf, scheduleOf } from '../settings.js';
import { type Classifier, type TrainedNetwork, withEvaluation } from './finetune.js';
import { selfTrainBatchSize, selfTrainName, taskFor } from './self-train-tasks.js';

/** A class given to fewer than this share of its even share of images is lost: the classifier has collapsed. */
const collapsedShare = 0.1;

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
 * If classes of the pile merge, training stops early and says so.
 *
 * @throws QuarterturnError `diverged` if the loss or a weight becomes NaN or infinite
 */
export async function selfTrain(
  context: RecipeContext,
  start: TrainedNetwork,
  { draw, pileGraph, teacher }: SelfTrainOptions,
): Promise<Classifier> {
  const settings = context.settings.selfTrain!;
  const { epochs, stepsPerEpoch, batchNormMomentum } = settings;
  const { images } = context.data.train;
  const labelled = labelledImages(context, draw);
  const unlabelled = remainingIndices(images.count, labelledIndices(context, draw));
  const network = networkFor(context.settings.network, images, classNamesOf(context).length);
  const totalSteps = epochs * stepsPerEpoch;
  const views = await pileViews(context, unlabelled);
  const task = await taskFor(context, { draw, pileGraph, teacher: teacher ?? settings.teacher });

  const { state } = await trainStage(
    {
      stage: selfTrainName,
      draw,
      title: `Self-training on ${unlabelled.length} unlabelled images`,
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
      schedule: scheduleOf(settings, totalSteps),
      weights: start.weights,
      images,
      order: task.order,
      batch: task.batch,
      memory: task.memory,
      validate: async (state, epoch) => {
        const weights = weightsOf(state);
        const metrics = await measureOnPile(network, weights, views, context);
        if (hasCollapsed(metrics, network.classes)) {
          return { pile: metrics, stop: { reason: 'collapsed', smallestClass: metrics.smallestClass } };
        }
        if (epoch + 1 < epochs) await task.correct?.(network, weights, epoch);
        return { pile: metrics };
      },
    },
    context,
  );
  return withEvaluation({ network, weights: weightsOf(state) }, labelled, context);
}

/** Whether almost no image of the pile gets a certain class any more. */
export function hasCollapsed({ smallestClass }: PileMetrics, classes: number): boolean {
  return smallestClass < collapsedShare / classes;
}
