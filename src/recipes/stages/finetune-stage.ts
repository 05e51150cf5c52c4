import { batchesPerEpoch } from '../../data/batches.js';
import { subsetOf } from '../../data/dataset.js';
import { heldBackFoldCount } from '../../labels/held-back.js';
import type { Tensors } from '../../tensor/tensor.js';
import { loadBackbone } from '../backbone.js';
import { randomFor } from '../context.js';
import { labelledImages } from '../labels.js';
import { cachesFeatures, type RunSettings } from '../settings.js';
import { classifyMs, compiledGraphs, heldBackMs, reestimatingMs, trainingMs } from './cost.js';
import {
  augmentedBatch,
  type FineTuneStage,
  fineTune,
  finetuneName,
  labelsPerStep,
  learnLabels,
  scratchName,
  type TrainedNetwork,
} from './finetune.js';
import type { Fold } from './fold.js';
import { pretrainStage } from './pretrain-stage.js';
import type { Stage, StageDraw, Workload } from './stage.js';

/** What learning from the labels alone has in common, whatever it starts from. */
const sharedByBoth = {
  version: 1,
  isShared: false,
  isDistorted: true,
  stepsOf: ({ finetune: { epochs, batchSize } }, { labelled }) =>
    epochs * batchesPerEpoch(labelled, batchSize),
  trialStepsOf: ({ finetune }, { labelled }) =>
    trialEpochsOf(finetune) * batchesPerEpoch(labelled, finetune.batchSize),
  scaling: {
    isEpochGiven: true,
    resize: (settings, { epochs, trialEpochs }) => ({
      ...settings,
      finetune: {
        ...settings.finetune,
        epochs,
        ...(trialEpochs !== undefined && trialEpochs < epochs && { trialEpochs }),
      },
    }),
  },
} satisfies Partial<Stage>;

/** Transfer from the pretrained backbone: see {@link fineTune}. */
export const finetuneStage: Stage = {
  ...sharedByBoth,
  name: finetuneName,
  title: 'Fine-tuning on the labels',
  activity: 'fine-tuning',
  figures: ['fineTune'],
  learnsFrom: 'pretraining',
  settingsOf: ({ finetune }) => finetune,
  dependsOn: ({ settings: { finetune, invariances } }) => [finetune, invariances],
  isAskedFor: () => true,
  needs: ({ finetune }) => (finetune.from === 'backbone' ? [pretrainStage] : []),

  async train(at) {
    const { context, draw } = at;
    const classifier = await fineTune(context, { draw, backbone: await backboneFor(at) });
    const { train, test } = classifier;
    const step =
      context.settings.finetune.from === 'random'
        ? "the labels alone, fine-tuning's schedule"
        : 'rotation pretraining, then the labels';
    return {
      figures: { fineTune: { train: train.metrics, test: test?.metrics ?? null } },
      tested: [{ figure: 'fineTune', step, when: 'after fine-tuning', test }],
      classifier,
    };
  },
  learnWithout: async (at, fold) => learnWithoutFold(finetuneName, at, fold, await backboneFor(at)),

  stepMs(context, stopwatch) {
    const { finetune } = context.settings;
    const labelled = labelledImages(context, 0);
    const { count } = labelled.images;
    const length = Math.min(labelsPerStep(finetune, count), count);
    const positions = Uint32Array.from({ length }, (_, i) => i);
    const random = () => randomFor(context, 'measure');
    return stopwatch.stepMs('finetune', {
      images: labelled.images,
      batch: () => augmentedBatch(labelled, positions, finetune.augmentation, random),
    });
  },
  drawMs(work) {
    const { settings, speeds } = work;
    const cachingMs = cachesFeatures(settings.finetune) ? classifyMs(speeds, speeds.images.labelled) : 0;
    return learningMs(work, finetuneStage, cachingMs);
  },
};

/** Fine-tuning's schedule and augmentation from random weights, with nothing frozen. */
export const scratchStage: Stage = {
  ...sharedByBoth,
  name: scratchName,
  title: 'The labels alone, augmented',
  activity: 'training from random weights',
  figures: ['scratch'],
  learnsFrom: 'labels',
  settingsOf: fromRandomWeights,
  dependsOn: ({ settings }) => [fromRandomWeights(settings), settings.invariances],
  isAskedFor: ({ selfTrain }) => selfTrain?.start === scratchName,
  needs: () => [],

  async train({ context, draw }) {
    const classifier = await fineTune(context, { draw, stage: scratchName });
    const { test } = classifier;
    return {
      figures: { scratch: { test: test?.metrics ?? null } },
      tested: [{ figure: 'scratch', step: '+ augmentation', when: 'the labels alone, augmented', test }],
      classifier,
    };
  },
  learnWithout: (at, fold) => learnWithoutFold(scratchName, at, fold, undefined),

  // As long as a step of fine-tuning where that freezes nothing; at most three times as long where it does.
  stepMs: async (context, stopwatch) =>
    (await finetuneStage.stepMs(context, stopwatch)) * (context.settings.finetune.frozenBlocks > 0 ? 3 : 1),
  drawMs: (work) => learningMs(work, scratchStage, 0),
};

/** Epochs of a training that is only tried, with labels held back. */
function trialEpochsOf({ epochs, trialEpochs = epochs }: RunSettings['finetune']): number {
  return Math.min(epochs, trialEpochs);
}

function fromRandomWeights({ finetune }: RunSettings): RunSettings['finetune'] {
  return { ...finetune, from: 'random', frozenBlocks: 0 };
}

/** The backbone that fine-tuning starts from; undefined if it starts from random weights or is not to be run. */
export async function backboneFor({ context, isWanted }: StageDraw): Promise<Tensors | undefined> {
  const isUsed = context.settings.finetune.from === 'backbone' && isWanted(finetuneStage);
  return isUsed ? loadBackbone(context) : undefined;
}

function learnWithoutFold(
  stage: FineTuneStage,
  { draw }: StageDraw,
  { context, kept }: Fold,
  backbone: Tensors | undefined,
): Promise<TrainedNetwork> {
  const labelled = subsetOf(labelledImages(context, draw), Uint32Array.from(kept));
  const { finetune } = context.settings;
  const settings = { ...context.settings, finetune: { ...finetune, epochs: trialEpochsOf(finetune) } };
  return learnLabels({ ...context, settings }, { labelled, backbone, draw, stage });
}

/** @param cachingMs time before the first step */
function learningMs(work: Workload, stage: Stage, cachingMs: number): number {
  const { settings, speeds } = work;
  const { labelled, test, folds } = speeds.images;
  const { batchSize, evenBatches } = settings.finetune;
  const graphs = evenBatches ? 1 : compiledGraphs(labelled, batchSize);
  const crossValidationMs =
    folds > 0
      ? heldBackFoldCount(labelled, folds) * heldBackMs(work, stage, Math.floor(labelled / folds))
      : 0;
  return (
    trainingMs(work, stage, { graphs, savesPerEpoch: 1 }) +
    cachingMs +
    (reestimatingMs(work) + classifyMs(speeds, labelled) + classifyMs(speeds, test)) +
    crossValidationMs
  );
}
