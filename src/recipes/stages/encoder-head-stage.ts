import { batchesPerEpoch } from '../../data/batches.js';
import { subsetOf } from '../../data/dataset.js';
import { foldsOf, heldBackFoldCount, heldBackSplits } from '../../labels/held-back.js';
import { startProgress } from '../../progress.js';
import { NullStore } from '../../store/checkpoint.js';
import { evaluate } from '../../train/evaluate.js';
import { silentContext } from '../context.js';
import { labelledSet } from '../labelled-set.js';
import { labelledImages } from '../labels.js';
import { encoderHeadName, headTraining, learnHead } from './encoder-head.js';
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
  figures: [],
  isShared: false,
  learnsFrom: 'pretraining',
  settingsOf: ({ encoder }) => (encoder ? { epochs: headTraining.epochs } : null),
  dependsOn: ({ settings }) => settings.encoder?.fingerprint,
  isAskedFor: ({ encoder }) => encoder !== undefined,
  needs: () => [],

  async train({ context, draw }) {
    const labelled = labelledImages(context, draw);
    const learned = await learnHead(context, { labelled, draw });
    return { figures: {}, tested: [], classifier: await withEvaluation(learned, labelled, context) };
  },
  async crossValidate({ context, draw }) {
    const labelled = labelledImages(context, draw);
    const folds = labelled.labels && foldsOf(labelled.labels);
    if (folds === undefined) return undefined;
    const splits = heldBackSplits(folds);
    const title = 'a head on frozen features with labels held back';
    const progress = startProgress(context, title, splits.length);
    const silent = { ...silentContext(context), store: new NullStore() };
    let [found, of] = [0, 0];
    for (const [i, { heldBack, kept }] of splits.entries()) {
      const { network, weights } = await learnHead(silent, {
        labelled: subsetOf(labelled, Uint32Array.from(kept)),
        draw,
      });
      const set = labelledSet(title, labelled, Uint32Array.from(heldBack));
      const { predictions, targets } = await evaluate(network, weights, set, silent);
      found += targets.filter((target, at) => predictions[at] === target).length;
      of += heldBack.length;
      await progress(i + 1, `${i + 1} of ${splits.length} folds`);
    }
    return { stage: encoderHeadName, found, of };
  },

  stepsOf: (_, { labelled }) => headTraining.epochs * batchesPerEpoch(labelled, headTraining.batchSize),
  stepMs: async () => headStepMs,
  drawMs: ({ speeds, steps, isChoice }) => {
    const { labelled, folds } = speeds.images;
    const trainings = 1 + (isChoice && folds > 0 ? heldBackFoldCount(labelled, folds) : 0);
    return trainings * steps(encoderHeadStage) * headStepMs;
  },
};
