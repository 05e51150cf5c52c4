import { withoutIndices } from '../data/label-selection.js';
import { QuarterturnError } from '../errors.js';
import { evaluate } from '../train/evaluate.js';
import { trainStage } from '../train/loop.js';
import type { PileMetrics } from '../train/run-record.js';
import { weightsOf } from '../train/train-step.js';
import { labelledSet } from './classify.js';
import { networkFor, type RecipeContext } from './context.js';
import type { Classifier } from './finetune.js';
import { labelledImages, labelledIndices } from './labels.js';
import { lessonFor, selfTrainBatchSize } from './lessons.js';
import { lookAtPile, pileViews } from './pile.js';
import type { PileGraph } from './pile-graph.js';
import { optimizerOf, scheduleOf } from './settings.js';

/** A class given to fewer than this share of its even share of images is lost: the classifier has collapsed. */
const collapsedShare = 0.1;

/** Of the labelled images so many may be lost: a label can be wrong, or an image an odd one of its class. */
const toleratedLoss = 0.05;

export interface SelfTrained extends Classifier {
  /** Whether labels and pile speak for it rather than for the classifier that it started from. */
  readonly isBetter: boolean;
}

/**
 * Self-training: learn from the pile, of which the labels say what its classes are. The teacher is either the neighbours
 * (labels spread over images that look alike) or, where those cannot be trusted or the settings ask for it, views (two
 * distortions of an image are of one class, Ji et al. 2019). It starts from a classifier that knows the classes roughly.
 * What it learns is the moving average of the weights.
 *
 * Should the pile's images run together into fewer classes, or the loss be no number, it stops, says so, and leaves the
 * classifier that it started from.
 *
 * @param pile which images look alike; asked for only where neighbours teach
 */
export async function selfTrain(
  context: RecipeContext,
  start: Classifier,
  draw: number,
  pile: () => Promise<PileGraph>,
): Promise<SelfTrained> {
  const settings = context.settings.selfTrain!;
  const { epochs, stepsPerEpoch, batchNormMomentum } = settings;
  const { train } = context.data;
  const labelled = labelledImages(context, draw);
  const unlabelled = withoutIndices(train.count, labelledIndices(context, draw));
  const network = networkFor(context.settings.network, train, train.classNames.length, batchNormMomentum);
  const totalSteps = epochs * stepsPerEpoch;
  const views = await pileViews(context, unlabelled);
  const lesson = await lessonFor(context, draw, pile);

  // The last epoch's look is that at the final weights: no need to do it twice.
  let lastLook: PileMetrics | undefined;
  const trained = await trainStage(
    {
      stage: 'selfTrain',
      draw,
      title: `Self-training on ${unlabelled.length} unlabelled images`,
      step: {
        network,
        optimizer: optimizerOf(settings),
        batchSize: selfTrainBatchSize(settings),
        frozenBlocks: 0,
        batch: 'images',
        objective: lesson.objective,
        averageDecay: settings.averageDecay,
      },
      epochs,
      stepsPerEpoch,
      schedule: scheduleOf(settings, totalSteps),
      weights: start.weights,
      order: lesson.order,
      batch: lesson.batch,
      memory: lesson.memory,
      validate: async (state, epoch) => {
        const weights = weightsOf(state);
        const pile = await lookAtPile(network, weights, views, context);
        lastLook = pile;
        const stop = hasCollapsed(pile, network.classes)
          ? `Self-training stopped: it has begun to give every image one of few classes (the rarest got ${(100 * pile.smallestClass).toFixed(1)} % of the pile).`
          : undefined;
        if (stop === undefined && epoch + 1 < epochs) await lesson.correct?.(network, weights, epoch);
        return { pile, ...(stop !== undefined && { stop }) };
      },
    },
    context,
  ).catch((error: unknown) => {
    if (!(error instanceof QuarterturnError) || error.code !== 'diverged') throw error;
    context.emit({
      type: 'note',
      text: `${error.message} The classifier from before self-training is kept.`,
    });
    return undefined;
  });
  if (trained === undefined) return { ...start, isBetter: false };

  const weights = weightsOf(trained.state);
  const onLabels = await evaluate(network, weights, labelledSet('labelled images', labelled), context);
  const before = await lookAtPile(network, start.weights, views, context);
  const after = lastLook ?? (await lookAtPile(network, weights, views, context));
  const isBetter =
    !hasCollapsed(after, network.classes) &&
    after.information > before.information &&
    onLabels.metrics.accuracy > start.train.metrics.accuracy - toleratedLoss;
  if (!isBetter) {
    const text = 'Self-training did not help: the fine-tuned classifier is kept.';
    context.emit({ type: 'note', text });
  }
  return {
    network,
    weights,
    train: onLabels,
    test: await evaluate(network, weights, labelledSet('test images', context.data.test), context),
    isBetter,
  };
}

/** Whether a class has all but vanished from the pile. */
export function hasCollapsed({ smallestClass }: PileMetrics, classes: number): boolean {
  return smallestClass < collapsedShare / classes;
}
