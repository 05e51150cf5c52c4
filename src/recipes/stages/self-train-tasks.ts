import type { AugmentationStrength } from '../../data/augmentation-policy.js';
import type { BatchPart } from '../../data/batch-maker.js';
import { endlessOrder, targetsAt } from '../../data/batches.js';
import { selectImages } from '../../data/image-source.js';
import { noClass } from '../../data/label-values.js';
import { remainingIndices } from '../../labels/label-selection.js';
import type { Network } from '../../nn/network.js';
import type { Random } from '../../random/random.js';
import {
  propagateLabels,
  pseudoLabels,
  smoothPredictions,
  unsureMargin,
  unsureRows,
} from '../../similarity/propagate.js';
import type { Teacher } from '../../store/run-record.js';
import { type Tensors, tensor, tensorNamed } from '../../tensor/tensor.js';
import type { PlannedBatch } from '../../train/batches-ahead.js';
import { computeProbabilities } from '../../train/evaluate.js';
import { loadProgress, type StageMemory } from '../../train/loop.js';
import { consistency, type Objective, supervised } from '../../train/objective.js';
import { type RecipeContext, randomFor } from '../context.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import { knownLabels, type PileGraph } from '../pile-graph.js';
import type { SelfTrainSettings } from '../settings.js';
import type { TrainedNetwork } from './finetune.js';
import type { SampleBatches } from './stage.js';

export const selfTrainName = 'selfTrain';

/** How the batches of self-training are made, and the objective that it minimises on them. */
export interface SelfTrainTask {
  readonly objective: Objective;
  /** Items of each step of an epoch. */
  order(epoch: number): readonly Uint32Array[];
  /** Of the training set's images. */
  batch(items: Uint32Array, step: number): PlannedBatch;
  /** Called with what was learned so far after each epoch but the last, if the task depends on them. */
  correct?(network: Network, weights: Tensors, epoch: number): Promise<void>;
  readonly memory?: StageMemory;
  /** Share of the pile that the rarest class has by the teacher, and the even share of a class at most. */
  rarestShare(): number;
}

/** Images in a step of self-training, for either task. */
export function selfTrainBatchSize({ labelledPerStep, pairsPerStep }: SelfTrainSettings): number {
  return labelledPerStep + 2 * pairsPerStep;
}

/** The objective of self-training. */
export function objectiveOf(settings: SelfTrainSettings, teacher = settings.teacher): Objective {
  const { labelSmoothing, pairsPerStep } = settings;
  return teacher === 'neighbours'
    ? supervised({ labelSmoothing })
    : consistency({ ...settings, pairs: pairsPerStep });
}

/** Images, changed as far as a strength allows. */
function augmented(indices: Uint32Array, strength: AugmentationStrength, random: Random): BatchPart {
  return { indices, augmentation: { strength, random: random.state() } };
}

const streams =
  (context: Pick<RecipeContext, 'settings'>, draw: number) =>
  (...purpose: (string | number)[]): Random =>
    randomFor(context, selfTrainName, ...purpose, draw);

/**
 * Views: the labelled images, and two distortions of each unlabelled image, which should get the same class while all
 * classes stay in use (see `consistency`).
 */
function viewsTask(context: Omit<RecipeContext, 'store'>, draw: number): SelfTrainTask {
  const settings = context.settings.selfTrain!;
  const { stepsPerEpoch, labelledPerStep, pairsPerStep } = settings;
  const { train } = context.data;
  const labelled = labelledImages(context, draw);
  const labelledAt = labelledIndices(context, draw);
  const unlabelled = remainingIndices(train.images.count, labelledAt);
  const random = streams(context, draw);
  const labelledOrder = endlessOrder(labelled.images.count, random('labelled'));
  const pileOrder = endlessOrder(unlabelled.length, random('pile'));
  return {
    objective: objectiveOf(settings, 'views'),
    // Views say nothing of how large a class is.
    rarestShare: () => 1 / classNamesOf(context).length,
    order: (epoch) =>
      Array.from({ length: stepsPerEpoch }, (_, i) =>
        pileOrder((epoch * stepsPerEpoch + i) * pairsPerStep, pairsPerStep).map((at) => unlabelled[at]!),
      ),
    batch(pileIndices, step) {
      const chosen = labelledOrder(step * labelledPerStep, labelledPerStep);
      const indices = chosen.map((at) => labelledAt[at]!);
      return {
        images: [
          augmented(indices, settings.strong, random('augment labelled', step)),
          augmented(pileIndices, settings.mild, random('mild', step)),
          augmented(pileIndices, settings.strong, random('strong', step)),
        ],
        targets: targetsAt(labelled, chosen),
      };
    },
  };
}

interface TaskOptions {
  readonly draw: number;
  /** Called only if neighbours teach and there is something left to learn. */
  pileGraph(): Promise<PileGraph>;
  readonly teacher: Teacher;
  /** What self-training goes on from. */
  readonly start: TrainedNetwork;
  /** Steps of the walks from labels at most. */
  readonly mostSteps?: number | undefined;
}

/** The task for a teacher. */
export async function taskFor(
  context: RecipeContext,
  { draw, pileGraph, teacher, start, mostSteps }: TaskOptions,
): Promise<SelfTrainTask> {
  const progress = await loadProgress(context.store, selfTrainName, draw);
  // A stage that is finished is only evaluated again: any task will do.
  const finished = (progress?.epoch ?? 0) >= context.settings.selfTrain!.epochs;
  return teacher === 'neighbours' && !finished
    ? neighboursTask(context, await pileGraph(), { draw, start, mostSteps })
    : viewsTask(context, draw);
}

/** Batches like those of the settings' teacher, for timing; their classes are arbitrary. */
export function sampleBatches(context: Omit<RecipeContext, 'store'>): SampleBatches {
  const settings = context.settings.selfTrain!;
  const { images } = context.data.train;
  if (settings.teacher === 'views') {
    const task = viewsTask(context, 0);
    const [pileIndices = new Uint32Array()] = task.order(0);
    return { images, batch: () => task.batch(pileIndices, 0) };
  }
  const length = selfTrainBatchSize(settings);
  const chosen = Uint32Array.from({ length }, (_, i) => i % images.count);
  const batch = () => ({
    images: [augmented(chosen, settings.strong, randomFor(context, 'measure'))],
    targets: tensor('int32', [length], new Int32Array(length)),
  });
  return { images, batch };
}

/**
 * Weight of the second opinion beside what neighbours say: one that is certain decides. Of 0.05 to 1, measured on the whole pile of ten
 * draws of MNIST, Fashion-MNIST and CIFAR-10 with 100 labels: with 0.1, what is taught is right for 0.0 to 0.05, −0.4 to 0.4 and 0.5 to
 * 1.2 points more images; with more, one draw of Fashion-MNIST loses a point.
 */
const secondOpinionWeight = unsureMargin;

/**
 * Where neighbours are unsure, the network that is to learn is asked, too: p ← p + 0.1 · q for images whose two best classes are closer
 * than 0.1. It has learned from the same labels in another way, and errs on other images.
 *
 * @param scores p, float32 [images of the graph · K]; changed in place
 */
async function askStart(
  context: RecipeContext,
  { network, weights }: TrainedNetwork,
  { pile, scores }: { readonly pile: PileGraph; readonly scores: Float32Array },
): Promise<Float32Array> {
  const classCount = network.classes;
  const rows = unsureRows(scores, classCount);
  if (rows.length === 0) return scores;
  const images = selectImages(
    context.data.train.images,
    rows.map((row) => pile.images[row]!),
  );
  const said = await computeProbabilities(network, weights, { title: 'unsure images', images }, context);
  rows.forEach((row, i) => {
    for (let k = 0; k < classCount; k++) {
      scores[row * classCount + k]! += secondOpinionWeight * said[i * classCount + k]!;
    }
  });
  return scores;
}

/**
 * Neighbours: labels spread over the graph and give each image of the pile its class, the network that is to learn where they are
 * unsure (see {@link askStart}). The most unsure images are left out. Every `correctEvery` epochs, the classes are replaced by the classifier's predictions, smoothed over the graph:
 * network and graph err on different images, and each corrects the other.
 */
async function neighboursTask(
  context: RecipeContext,
  pile: PileGraph,
  { draw, start, mostSteps }: Pick<TaskOptions, 'draw' | 'start' | 'mostSteps'>,
): Promise<SelfTrainTask> {
  const settings = context.settings.selfTrain!;
  const { stepsPerEpoch, strong, doubtful, correctEvery } = settings;
  const { train } = context.data;
  const classCount = classNamesOf(context).length;
  const labelled = labelledImages(context, draw);
  const known = knownLabels(pile, { indices: labelledIndices(context, draw), classes: labelled.labels! });

  /** Of each image of the training set. */
  let classes = new Int32Array(train.images.count);
  let items = new Uint32Array();
  const setPseudoLabels = (scores: Float32Array): void => {
    const { rows, classes: found } = pseudoLabels(scores, classCount, doubtful);
    classes.fill(noClass);
    rows.forEach((row, i) => {
      classes[pile.images[row]!] = found[i]!;
    });
    items = withClass(classes);
  };
  const spread = await propagateLabels(pile.graph, known, classCount, { ...context, mostSteps });
  setPseudoLabels(await askStart(context, start, { pile, scores: spread }));

  const random = streams(context, draw);
  const batchSize = selfTrainBatchSize(settings);
  return {
    objective: objectiveOf(settings, 'neighbours'),
    rarestShare() {
      const counts = new Uint32Array(classCount);
      for (const item of items) counts[classes[item]!]!++;
      return Math.min(1 / classCount, Math.min(...counts) / items.length);
    },
    order(epoch) {
      const orderOf = endlessOrder(items.length, random('order', epoch));
      return Array.from({ length: stepsPerEpoch }, (_, i) =>
        orderOf(i * batchSize, batchSize).map((at) => items[at]!),
      );
    },
    batch(chosen, step) {
      const targets = Int32Array.from(chosen, (index) => classes[index]!);
      return {
        images: [augmented(chosen, strong, random('strong', step))],
        targets: tensor('int32', [chosen.length], targets),
      };
    },
    async correct(network, weights, epoch) {
      if (correctEvery === null || (epoch + 1) % correctEvery !== 0) return;
      const set = { title: 'classes of the pile', images: selectImages(train.images, pile.images) };
      const said = await computeProbabilities(network, weights, set, context);
      setPseudoLabels(await smoothPredictions(pile.graph, said, known, context));
    },
    memory: {
      save: () => ({ classes: tensor('int32', [classes.length], classes.slice()) }),
      restore(saved) {
        classes = Int32Array.from(tensorNamed(saved, 'classes').data as Int32Array);
        items = withClass(classes);
      },
    },
  };
}

function withClass(classes: Int32Array): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(classes.keys()).filter((index) => classes[index] !== noClass);
}
