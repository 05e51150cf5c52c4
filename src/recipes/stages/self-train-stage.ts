import { QuarterturnError } from '../../errors.js';
import { heldBackFoldCount } from '../../labels/held-back.js';
import type { Evidence } from '../../store/run-record.js';
import { encoderOf, isSampled } from '../pile-graph.js';
import { pileSampleSize } from '../pile-metrics.js';
import type { RunSettings } from '../settings.js';
import { classifyMs, heldBackMs, trainingMs } from './cost.js';
import { type Classifier, finetuneName, scratchName } from './finetune.js';
import { backboneFor, finetuneStage, scratchStage } from './finetune-stage.js';
import { selfTrain } from './self-train.js';
import { sampleBatches, selfTrainName } from './self-train-tasks.js';
import type { Stage, Workload } from './stage.js';
import { chooseTeacher } from './teacher.js';

const starts = { [finetuneName]: finetuneStage, [scratchName]: scratchStage };

/** The stage whose classifier self-training goes on from. */
function startOf({ selfTrain }: RunSettings): keyof typeof starts {
  return selfTrain?.start ?? finetuneName;
}

/** Learning from the whole pile: see {@link selfTrain}. */
export const selfTrainStage: Stage = {
  name: selfTrainName,
  version: 1,
  title: 'Self-training on the unlabelled pile',
  activity: 'self-training',
  figures: ['selfTrain'],
  isShared: false,
  learnsFrom: 'pile',
  settingsOf: ({ selfTrain }) => selfTrain,
  // Of a very large pile, a part is compared that has the labelled images of all draws in it.
  dependsOn: ({ settings, data }) => [
    settings.selfTrain,
    isSampled(data.train) ? settings.draws : null,
    // Grey images are described as in all versions before, unless an encoder is given.
    ...(settings.encoder || data.train.images.channels === 3
      ? [settings.encoder?.fingerprint ?? encoderOf({ data }).fingerprint]
      : []),
  ],
  // The evidence decides which teacher is used.
  heedsEvidence: true,
  isAskedFor: ({ selfTrain }) => selfTrain !== null,
  needs: (settings) => [starts[startOf(settings)]],

  async train(at) {
    const { context, draw, stageEvidence, evidence, pileGraph } = at;
    const start = startOf(context.settings);
    const from = at.outcomeOf(starts[start])?.classifier;
    if (!from) {
      throw new QuarterturnError(
        'usage',
        `${selfTrainName}: expected the classifier of ${start}. Received: none.`,
      );
    }
    const known = await stageEvidence.evidenceFor(selfTrainName, draw, async () =>
      chooseTeacher(context, { draw, start, backbone: await backboneFor(at), evidence, pileGraph }),
    );
    const classifier = await selfTrain(context, from, { draw, pileGraph, teacher: known?.teacher });
    const { test } = classifier;
    return {
      figures: { selfTrain: { test: test?.metrics ?? null } },
      tested: [{ figure: 'selfTrain', step: '+ self-training', when: 'after self-training', test }],
      classifier,
      evidence: known && limitedBy(classifier, known),
    };
  },

  scaling: {
    isEpochGiven: false,
    resize: (settings, length) => ({
      ...settings,
      selfTrain: settings.selfTrain && { ...settings.selfTrain, ...length },
    }),
  },
  stepsOf: ({ selfTrain }) => (selfTrain ? selfTrain.epochs * selfTrain.stepsPerEpoch : 0),
  stepMs: (context, stopwatch) => stopwatch.stepMs('selfTrain', sampleBatches(context)),
  drawMs(work) {
    const { labelled, test } = work.speeds.images;
    return (
      teachingMs(work) +
      crossValidationMs(work) +
      classifyMs(work.speeds, labelled) +
      classifyMs(work.speeds, test)
    );
  },
  sharedMs: ({ speeds }) => speeds.pile.graphMs,
};

/**
 * A teacher's evidence, limited to the share of its own training labels that the network classifies correctly: what the
 * network did not learn from its teacher is no evidence for it.
 */
function limitedBy({ train }: Classifier, evidence: Evidence): Evidence {
  return { ...evidence, found: Math.min(evidence.found, train.metrics.accuracy * evidence.of) };
}

function teachingMs(work: Workload): number {
  const { settings, speeds } = work;
  const { teacher, correctEvery } = settings.selfTrain ?? {};
  const { train, labelled } = speeds.images;
  const epochs = work.epochs(selfTrainStage);
  const sample = Math.min(pileSampleSize, train - labelled);
  const corrections = teacher === 'neighbours' && correctEvery ? Math.floor((epochs - 1) / correctEvery) : 0;
  return (
    trainingMs(work, selfTrainStage, { graphs: 1, savesPerEpoch: teacher === 'neighbours' ? 2 : 1 }) +
    speeds.pile.spreadMs +
    corrections * (classifyMs(speeds, train) + fewStepsMs(work)) +
    2 * sample * speeds.viewMs +
    // The evaluation after each epoch classifies two views.
    epochs * 2 * classifyMs(speeds, sample)
  );
}

/** Labels spread in 100 steps; for held-back labels and corrections, in 30. */
function fewStepsMs({ speeds }: Workload): number {
  return 0.3 * speeds.pile.spreadMs;
}

/** Views are tried out, from the start to the end, on half of the labels. */
function crossValidationMs(work: Workload): number {
  const { settings, speeds } = work;
  const { labelled, folds } = speeds.images;
  if (settings.selfTrain?.teacher === 'neighbours' || folds === 0) {
    return heldBackFoldCount(labelled, folds) * fewStepsMs(work);
  }
  return heldBackMs(work, starts[startOf(settings)], Math.floor(labelled / 2)) + teachingMs(work);
}
