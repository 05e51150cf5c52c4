import { QuarterturnError } from '../../errors.js';
import { heldBackFoldCount } from '../../labels/held-back.js';
import { passesWithoutOwn } from '../../similarity/leave-out.js';
import { mostTriedSteps, shortWalkSteps, walkSteps } from '../../similarity/propagate.js';
import { answersOfNeighbours, neighboursName } from '../doubts.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import { encoderOf, graphSize, isSampled, type PileGraph } from '../pile-graph.js';
import { pileSampleSize } from '../pile-metrics.js';
import { openInvariances, type RunSettings } from '../settings.js';
import { classifyMs, stepsMs, trainingMs } from './cost.js';
import { chooseDescription, descriptionsFor } from './description.js';
import { finetuneName, scratchName } from './finetune.js';
import { finetuneStage, scratchStage } from './finetune-stage.js';
import { comparisonSampleSize } from './sample.js';
import {
  learnFromPile,
  selfTrain,
  trialSettings,
  trialShareOf,
  trialStepsOf,
  usualTrialSteps,
} from './self-train.js';
import { sampleBatches, selfTrainName } from './self-train-tasks.js';
import type { Stage, StageDraw, Workload } from './stage.js';
import { chooseTeacher } from './teacher.js';

const starts = { [finetuneName]: finetuneStage, [scratchName]: scratchStage };

/** The stage whose classifier self-training goes on from. */
function startOf({ selfTrain }: RunSettings): keyof typeof starts {
  return selfTrain?.start ?? finetuneName;
}

/** Learning from the whole pile: see {@link selfTrain}. */
export const selfTrainStage: Stage = {
  name: selfTrainName,
  version: 6,
  title: 'Self-training on the unlabelled pile',
  activity: 'self-training',
  figures: ['selfTrain'],
  isShared: false,
  isDistorted: true,
  learnsFrom: 'pile',
  settingsOf: ({ selfTrain }) => selfTrain,
  // Of a very large pile, a part is compared that has the labelled images of all draws in it.
  dependsOn: ({ settings, data }) => [
    settings.selfTrain,
    isSampled(data.train) ? settings.draws : null,
    settings.encoder?.fingerprint ?? null,
    encoderOf({ data }).fingerprint,
  ],
  // The evidence decides which teacher is used, and what was pretrained may describe the pile.
  heedsEvidence: true,
  isAskedFor: ({ selfTrain }) => selfTrain !== null,
  needs: (settings) => [starts[startOf(settings)]],

  async train(at) {
    const { context, draw, stageEvidence, evidence } = at;
    const start = startOf(context.settings);
    const from = at.outcomeOf(starts[start])?.classifier;
    if (!from) {
      throw new QuarterturnError(
        'usage',
        `${selfTrainName}: expected the classifier of ${start}. Received: none.`,
      );
    }
    const stageOfDraw = { stage: selfTrainName, draw };
    const pileGraph = () => chosenGraph(at);
    if (stageEvidence.teacherOf(stageOfDraw) === undefined && !stageEvidence.readOnly) {
      await describePile(at);
      const teacher = await chooseTeacher(context, { draw, evidence, pileGraph });
      await askNeighbours(at);
      await stageEvidence.setTeacher(stageOfDraw, teacher);
    }
    const teacher = stageEvidence.teacherOf(stageOfDraw);
    const classifier = await selfTrain(context, from, { draw, pileGraph, teacher });
    const { test } = classifier;
    return {
      figures: { selfTrain: { test: test?.metrics ?? null } },
      tested: [{ figure: 'selfTrain', step: '+ self-training', when: 'after self-training', test }],
      classifier,
    };
  },

  // A short self-training from the start's network, which never saw the labels held back either.
  async learnWithout(at, { fold, kept, context }) {
    const start = await at.foldNetwork(starts[startOf(context.settings)], fold);
    const indices = labelledIndices(context, at.draw);
    const { labels = [] } = labelledImages(context, at.draw);
    const classNames = classNamesOf(context);
    const images = kept.map((position) => ({
      index: indices[position]!,
      label: classNames[labels[position]!]!,
    }));
    const whole = context.settings.selfTrain!;
    const teacher = at.stageEvidence.teacherOf({ stage: selfTrainName, draw: at.draw }) ?? whole.teacher;
    const settings = {
      ...context.settings,
      draws: 1,
      labels: { data: null, images },
      selfTrain: trialSettings(whole, teacher),
    };
    const pileGraph = () => chosenGraph(at);
    return learnFromPile({ ...context, settings }, start, {
      draw: 0,
      pileGraph,
      teacher,
      mostSteps: mostTriedSteps,
    });
  },

  scaling: {
    isEpochGiven: false,
    mostTrialSteps: usualTrialSteps,
    resize: (settings, { epochs, stepsPerEpoch, trialSteps = usualTrialSteps }) => ({
      ...settings,
      selfTrain: settings.selfTrain && {
        ...settings.selfTrain,
        ...{ epochs, stepsPerEpoch },
        ...(trialSteps < Math.min(epochs * stepsPerEpoch, usualTrialSteps) && { trialSteps }),
      },
    }),
  },
  stepsOf: ({ selfTrain }) => (selfTrain ? selfTrain.epochs * selfTrain.stepsPerEpoch : 0),
  trialStepsOf: ({ selfTrain }) => (selfTrain ? trialStepsOf(selfTrain) : 0),
  stepMs: (context, stopwatch) => stopwatch.stepMs('selfTrain', sampleBatches(context)),
  drawMs(work) {
    const { labelled, test } = work.speeds.images;
    return (
      teachingMs(work) +
      descriptionMs(work) +
      crossValidationMs(work) +
      classifyMs(work.speeds, labelled) +
      classifyMs(work.speeds, test)
    );
  },
  sharedMs: ({ speeds }) => speeds.pile.graphMs,
};

/** Chooses by held-back labels what the pile's images are compared by, unless that was done, or nobody compares them. */
async function describePile(at: StageDraw): Promise<void> {
  const { context, draw, stageEvidence } = at;
  if (context.settings.selfTrain?.teacher !== 'neighbours') return;
  const stageOfDraw = { stage: selfTrainName, draw };
  if (stageEvidence.descriptionOf(stageOfDraw)) return;
  const choice = await chooseDescription(context, draw, await descriptionsFor(at));
  // What neighbours said in an earlier training, they may have said by another description.
  await stageEvidence.forget(neighboursName, draw);
  await stageEvidence.setDescription(stageOfDraw, choice);
}

/** The graph by the description that was chosen; by the usual one in runs of versions that had no choice. */
async function chosenGraph(at: StageDraw): Promise<PileGraph> {
  const choice = at.stageEvidence.descriptionOf({ stage: selfTrainName, draw: at.draw });
  const descriptions = await descriptionsFor(at);
  return at.pileGraph(descriptions.find(({ kind }) => kind === choice?.chosen) ?? descriptions[0]);
}

/** What the neighbours say of the labels is kept where there is a graph of them: labels are doubted by it. */
async function askNeighbours(at: StageDraw): Promise<void> {
  const { context, draw, stageEvidence } = at;
  if (context.settings.selfTrain?.teacher !== 'neighbours') return;
  const stageOfDraw = { stage: neighboursName, draw };
  if (stageEvidence.answersOf(stageOfDraw).length > 0) return;
  const answers = await answersOfNeighbours(context, await chosenGraph(at), draw);
  if (answers) await stageEvidence.addAnswers(stageOfDraw, answers);
}

/**
 * Ways to compare images are tried on a sample: the usual description, that by the pretrained network, whose maps take longer to be
 * computed, and, where it is open which changes leave the class as it is, mirrored, in about as long.
 */
function descriptionMs({ settings, speeds }: Workload): number {
  const { train, labelled, folds } = speeds.images;
  const tried = heldBackFoldCount(labelled, folds);
  if (settings.selfTrain?.teacher !== 'neighbours' || tried === 0) return 0;
  const share = Math.min(1, comparisonSampleSize / train);
  const ofOne = share * (speeds.pile.graphMs + tried * fewStepsMs({ speeds }));
  const ways = openInvariances(settings).length > 0 ? 3 : 2;
  return ways * ofOne + classifyMs(speeds, share * train);
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
    walkSteps(graphSize(train), labelled) * speeds.pile.spreadStepMs +
    corrections * (classifyMs(speeds, train) + fewStepsMs(work)) +
    2 * sample * speeds.viewMs +
    // The evaluation after each epoch classifies two views.
    epochs * 2 * classifyMs(speeds, sample)
  );
}

/** Time to spread labels where some are held back; corrections take as many steps at most. */
function fewStepsMs({ speeds: { images, pile } }: Pick<Workload, 'speeds'>): number {
  return shortWalkSteps(graphSize(images.train), images.labelled) * pile.spreadStepMs;
}

/** The teacher is chosen by labels that spread, which also tell doubtful ones, and a short self-training is tried for each fold held back. */
function crossValidationMs(work: Workload): number {
  const { settings, speeds } = work;
  const { train, labelled, folds } = speeds.images;
  const tried = heldBackFoldCount(labelled, folds);
  const isTaught = settings.selfTrain?.teacher === 'neighbours';
  const walked = isTaught ? walkSteps(graphSize(train), labelled, mostTriedSteps) : 0;
  const trialMs =
    walked * speeds.pile.spreadStepMs +
    speeds.compileMs.step +
    trialShareOf(settings.selfTrain?.teacher ?? 'views') *
      stepsMs(work, selfTrainStage, work.trialSteps(selfTrainStage)) +
    classifyMs(speeds, Math.ceil(labelled / Math.max(1, folds))) +
    classifyMs(speeds, Math.min(pileSampleSize, train - labelled));
  const spreads = isTaught && tried > 0 ? tried + passesWithoutOwn : 0;
  return tried * trialMs + spreads * fewStepsMs(work);
}
