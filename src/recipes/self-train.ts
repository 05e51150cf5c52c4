import { endlessOrder, gatherImages, labelledBatch, stackImages } from '../data/batches.js';
import { withoutIndices } from '../data/label-selection.js';
import { QuarterturnError } from '../errors.js';
import { evaluate } from '../train/evaluate.js';
import { type StepBatch, trainStage } from '../train/loop.js';
import { consistency } from '../train/objective.js';
import type { PileMetrics } from '../train/run-record.js';
import { weightsOf } from '../train/train-step.js';
import { augmentImages } from './augment.js';
import { labelledSet } from './classify.js';
import { networkFor, type RecipeContext, randomFor } from './context.js';
import type { Classifier } from './finetune.js';
import { labelledImages, labelledIndices } from './labels.js';
import { lookAtPile, pileViews } from './pile.js';
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
 * Self-training: learn the classes from the labels and, at the same time, give two distorted views of every unlabelled
 * image the same class, with all classes in use (mutual information, Ji et al. 2019; optionally confident pseudo-labels,
 * Sohn et al. 2020). It starts from a classifier that knows the classes roughly. What it learns is the moving average of
 * the weights.
 *
 * Should the pile's images run together into fewer classes, or the loss be no number, it stops, says so, and leaves the
 * classifier that it started from.
 */
export async function selfTrain(
  context: RecipeContext,
  start: Classifier,
  draw: number,
): Promise<SelfTrained> {
  const settings = context.settings.selfTrain!;
  const { epochs, stepsPerEpoch, labelledPerStep, pairsPerStep, batchNormMomentum } = settings;
  const { train } = context.data;
  const labelled = labelledImages(context, draw);
  const unlabelled = withoutIndices(train.count, labelledIndices(context, draw));
  const network = networkFor(context.settings.network, train, train.classNames.length, batchNormMomentum);
  const totalSteps = epochs * stepsPerEpoch;
  const views = pileViews(context, unlabelled);
  const random = (...purpose: (string | number)[]) => randomFor(context, 'selfTrain', ...purpose, draw);
  const labelledOrder = endlessOrder(labelled.count, random('labelled'));
  const pileOrder = endlessOrder(unlabelled.length, random('pile'));

  const batch = (pile: Uint32Array, step: number): StepBatch => {
    const chosen = labelledOrder(step * labelledPerStep, labelledPerStep);
    const { images, targets } = labelledBatch(labelled, chosen);
    augmentImages(images, settings.strong, random('augment labelled', step));
    const mild = gatherImages(train, pile);
    const strong = gatherImages(train, pile);
    augmentImages(mild, settings.mild, random('mild', step));
    augmentImages(strong, settings.strong, random('strong', step));
    return { images: stackImages([images, mild, strong]), targets };
  };

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
        batchSize: labelledPerStep + 2 * pairsPerStep,
        frozenBlocks: 0,
        batch: 'images',
        objective: consistency({ ...settings, pairs: pairsPerStep }),
        averageDecay: settings.averageDecay,
      },
      epochs,
      stepsPerEpoch,
      schedule: scheduleOf(settings, totalSteps),
      weights: start.weights,
      order: (epoch) =>
        Array.from({ length: stepsPerEpoch }, (_, i) =>
          pileOrder((epoch * stepsPerEpoch + i) * pairsPerStep, pairsPerStep).map((at) => unlabelled[at]!),
        ),
      batch,
      validate: async (state) => {
        const pile = await lookAtPile(network, weightsOf(state), views, context);
        lastLook = pile;
        const stop = hasCollapsed(pile, network.classes)
          ? `Self-training stopped: it has begun to give every image one of few classes (the rarest got ${(100 * pile.smallestClass).toFixed(1)} % of the pile).`
          : undefined;
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
