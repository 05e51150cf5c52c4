import { countOf } from '../../counts.js';
import { batchesPerEpoch, epochOrder, interleavedBatches, targetsAt } from '../../data/batches.js';
import type { ImageSource } from '../../data/image-source.js';
import type { Metrics } from '../../store/run-record.js';
import { type Evaluation, evaluate } from '../../train/evaluate.js';
import { trainStage } from '../../train/loop.js';
import { weightsOf } from '../../train/state.js';
import { reestimateStatistics } from '../../train/statistics.js';
import { freshWeights } from '../../train/train-step.js';
import { networkFor, type RecipeContext, randomFor } from '../context.js';
import { labelledSet } from '../labelled-set.js';
import { classNamesOf, labelledImages } from '../labels.js';
import { optimizerOf, scheduleOf } from '../settings.js';

export const baselineName = 'baseline';

export interface Baseline {
  /** Of the last epoch, as training saw it: with each batch's own statistics, the figure that the notebook prints. */
  readonly train: Metrics;
  /** With the moving statistics that training left, as the notebook evaluates; absent without a test set. */
  readonly test: Evaluation | undefined;
  /** The same weights with statistics taken from the labelled images. */
  readonly testReestimated: Evaluation | undefined;
}

export interface BaselineOptions {
  /** Whose labels. */
  readonly draw: number;
}

/**
 * Trains the same network from random weights on the labelled images alone, for comparison with self-supervision.
 *
 * @throws QuarterturnError `diverged` if the loss or a weight becomes NaN or infinite, `interrupted` after the state was saved
 */
export async function baseline(context: RecipeContext, { draw }: BaselineOptions): Promise<Baseline> {
  const { settings, data, runtime, store } = context;
  const { epochs, batchSize, batchNormMomentum } = settings.baseline;
  const labelled = labelledImages(context, draw);
  const { images } = labelled;
  const network = networkFor(settings.network, data.train.images, classNamesOf(context).length);
  const stepsPerEpoch = batchesPerEpoch(images.count, batchSize);
  const { state } = await trainStage(
    {
      stage: baselineName,
      draw,
      title: `Supervised baseline on ${countOf(images.count, 'label')}`,
      step: {
        network,
        optimizer: optimizerOf(settings.baseline),
        batchSize,
        frozenBlocks: 0,
        batch: 'images',
        batchNormMomentum,
      },
      epochs,
      stepsPerEpoch,
      schedule: scheduleOf(settings.baseline, epochs * stepsPerEpoch),
      weights: freshWeights(network, randomFor(context, baselineName, 'weights', draw)),
      order: (epoch) =>
        epochOrder(images.count, batchSize, randomFor(context, baselineName, 'order', draw, epoch)),
      images,
      batch: (positions) => ({
        images: [{ indices: positions }],
        targets: targetsAt(labelled, positions),
      }),
    },
    context,
  );

  const records = await store.readEpochs();
  const last = records.findLast((record) => record.stage === baselineName && record.draw === draw);
  const weights = weightsOf(state);
  const batches = statisticsBatches(images);
  const reestimated = await reestimateStatistics(network, weights, { images, batches, runtime });
  const { test } = data;
  const evaluateAs = async (title: string, tensors: typeof weights) =>
    test && (await evaluate(network, tensors, labelledSet(title, test), context));
  return {
    train: last!.train,
    test: await evaluateAs('baseline, test images', weights),
    testReestimated: await evaluateAs('baseline with re-estimated statistics, test images', reestimated),
  };
}

/** Pixels of a batch that statistics are taken from: 1,000 images of 28 × 28, which take 0.6 GB a map at full width. */
const statisticsPixels = 1000 * 28 * 28;

/** All labelled images: at once where they are few, else in batches, or 10,000 of them would take 6 GB a map. */
function statisticsBatches({ count, height, width }: ImageSource): Uint32Array[] {
  return interleavedBatches(count, Math.max(2, Math.floor(statisticsPixels / (height * width))));
}
