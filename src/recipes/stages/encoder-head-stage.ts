import { batchesPerEpoch } from '../../data/batches.js';
import { subsetOf } from '../../data/dataset.js';
import { heldBackFoldCount } from '../../labels/held-back.js';
import { labelledImages } from '../labels.js';
import { encoderHeadName, headTraining, learnHead, openedEncoder } from './encoder-head.js';
import { withEvaluation } from './finetune.js';
import type { Stage } from './stage.js';

/** A step of a head, in ms: a product of a few hundred numbers. */
const headStepMs = 0.5;

/** A linear head on the features of a frozen encoder: see {@link learnHead}. */
export const encoderHeadStage: Stage = {
  name: encoderHeadName,
  version: 1,
  title: 'A linear head on frozen features',
  activity: 'training a head on frozen features',
  figures: ['linearProbe'],
  isShared: false,
  learnsFrom: 'pretraining',
  settingsOf: ({ encoder }) => (encoder ? { epochs: headTraining.epochs } : null),
  dependsOn: ({ settings }) => settings.encoder?.fingerprint,
  isAskedFor: ({ encoder }) => encoder !== undefined,
  needs: () => [],

  async train({ context, draw }) {
    const labelled = labelledImages(context, draw);
    const learned = await learnHead(context, { labelled, draw });
    const classifier = await withEvaluation(learned, context, { labelled, title: 'linear probe' });
    const { test } = classifier;
    return {
      figures: { linearProbe: { test: test?.metrics ?? null } },
      tested: [
        {
          figure: 'linearProbe',
          step: `linear head on ${openedEncoder(context).title}`,
          when: 'after the linear head',
          test,
        },
      ],
      classifier,
    };
  },
  learnWithout: ({ draw }, { context, kept }) =>
    learnHead(context, { labelled: subsetOf(labelledImages(context, draw), Uint32Array.from(kept)), draw }),

  stepsOf: (_, { labelled }) => headTraining.epochs * batchesPerEpoch(labelled, headTraining.batchSize),
  stepMs: async () => headStepMs,
  drawMs: ({ speeds, steps }) => {
    const { labelled, folds } = speeds.images;
    const trainings = 1 + heldBackFoldCount(labelled, folds);
    return trainings * steps(encoderHeadStage) * headStepMs;
  },
};
