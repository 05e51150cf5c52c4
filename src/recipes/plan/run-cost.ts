import { batchesPerEpoch } from '../../data/batches.js';
import { turnCount } from '../../data/rotation.js';
import { splitCount } from '../../labels/held-back.js';
import { classifierStages, type StageName } from '../../store/run-record.js';
import { evaluationBatchSize } from '../../train/evaluate.js';
import { pileSampleSize } from '../pile.js';
import type { PileTimes } from '../pile-graph.js';
import { cachesFeatures, type RunSettings, settingsOfStage } from '../settings.js';

/** What is not measured: exhibits and export, the report with its charts, the end of the process. */
const endingMs = 2500;

/** What a machine can do, and how much there is for it to do. */
export interface Speeds {
  /** Time of one step of each stage, its batch made, in ms. */
  readonly stepMs: Readonly<Record<StageName, number>>;
  /** Time to classify one image, in ms. */
  readonly imageMs: number;
  /** Time to make one distorted view of an image of the pile, in ms. */
  readonly viewMs: number;
  /** Time from a graph to its first result, beyond that of a usual run, in ms. */
  readonly compileMs: { readonly step: number; readonly classify: number };
  /** Time to find neighbours and to spread labels over them; 0 where neighbours teach nothing. */
  readonly pile: PileTimes;
  /** Time to save a checkpoint, in ms: one that is kept in memory only, and one that is safe on a disk. */
  readonly saveMs: { readonly memory: number; readonly disk: number };
  /** Gone since the prompt before the run can begin, in ms. */
  readonly spentMs: number;
  readonly images: {
    readonly train: number;
    readonly test: number;
    readonly labelled: number;
    /** Parts of the labels that are held back in turn to weigh classifiers; 0 where none can be. */
    readonly parts: number;
  };
}

/** Steps of a stage of one draw. */
export function stepsOf(settings: RunSettings, stage: StageName, { images }: Pick<Speeds, 'images'>): number {
  const { pretrain, finetune, selfTrain, baseline } = settings;
  switch (stage) {
    case 'pretrain':
      return pretrain.epochs * pretrainStepsPerEpoch(settings, images);
    case 'finetune':
    case 'scratch':
      return finetune.epochs * batchesPerEpoch(images.labelled, finetune.batchSize);
    case 'selfTrain':
      return selfTrain ? selfTrain.epochs * selfTrain.stepsPerEpoch : 0;
    case 'baseline':
      return baseline.epochs * batchesPerEpoch(images.labelled, baseline.batchSize);
  }
}

function pretrainStepsPerEpoch({ pretrain }: RunSettings, { train, labelled }: Speeds['images']): number {
  const { stepsPerEpoch, valFraction, batchSize } = pretrain;
  const copies = (train - labelled) * turnCount * (1 - valFraction);
  return stepsPerEpoch ?? batchesPerEpoch(Math.round(copies), batchSize);
}

/** Time of a run of these stages from its first graph to its report, in ms. */
export function predictMs(settings: RunSettings, stages: readonly StageName[], speeds: Speeds): number {
  const steps = (stage: StageName) => stepsOf(settings, stage, speeds);
  return timeOf(settings, stages, speeds, {
    epochs: (stage) => settingsOfStage(settings, stage)!.epochs,
    steps,
  });
}

/** A stage that is looked at after each epoch is saved before and after the look. */
const savesPerEpoch: Readonly<Record<StageName, number>> = {
  pretrain: 2,
  finetune: 1,
  scratch: 1,
  selfTrain: 2,
  baseline: 1,
};

/** The short last batch of an epoch needs a graph of its own. */
function graphsOf(
  { pretrain, finetune, baseline }: RunSettings,
  stage: StageName,
  { labelled }: Speeds['images'],
): number {
  const isShort = (batchSize: number) => labelled > batchSize && labelled % batchSize > 0;
  switch (stage) {
    case 'pretrain':
      return pretrain.stepsPerEpoch === null ? 2 : 1;
    case 'finetune':
    case 'scratch':
      return isShort(finetune.batchSize) ? 2 : 1;
    case 'selfTrain':
      return 1;
    case 'baseline':
      return isShort(baseline.batchSize) ? 2 : 1;
  }
}

/** How long each stage is; neither has to be whole. */
export interface Lengths {
  epochs(stage: StageName): number;
  steps(stage: StageName): number;
}

/** Time of a run of these stages, as long as they are said to be, in ms. */
export function timeOf(
  settings: RunSettings,
  stages: readonly StageName[],
  speeds: Speeds,
  { epochs, steps }: Lengths,
): number {
  const { stepMs, imageMs, viewMs, compileMs, saveMs, images } = speeds;
  const { test, labelled } = images;
  const unlabelled = images.train - labelled;
  // The last batch is filled up.
  const classify = (count: number) =>
    compileMs.classify + Math.ceil(count / evaluationBatchSize) * evaluationBatchSize * imageMs;
  const training = (stage: StageName) =>
    graphsOf(settings, stage, images) * compileMs.step +
    steps(stage) * stepMs[stage] +
    savesPerEpoch[stage] * epochs(stage) * saveMs.disk;
  const pile = Math.min(pileSampleSize, unlabelled);
  const { valFraction } = settings.pretrain;

  const { teacher, correctEvery } = settings.selfTrain ?? {};
  const corrections = () =>
    teacher === 'neighbours' && correctEvery ? Math.floor((epochs('selfTrain') - 1) / correctEvery) : 0;

  // Statistics are taken from 1,000 images by a pass of the training kind.
  const reestimating = () => (settings.finetune.reestimate ? classify(3000) : 0);
  const classifier = () => reestimating() + classify(labelled) + classify(test);

  // With some labels held back a stage has as many epochs, of fewer images; nothing of it is kept.
  const learning = (stage: 'finetune' | 'scratch', held: number) => {
    const trainingMs = (1 - held / labelled) * steps(stage) * stepMs[stage];
    return 2 * compileMs.step + trainingMs + epochs(stage) * saveMs.memory + reestimating() + classify(held);
  };
  const { parts } = images;
  const asked = splitCount(labelled, parts);
  // What there is no choice between is not weighed.
  const isChoice = classifierStages.filter((stage) => stages.includes(stage)).length > 1;
  const weighing = (stage: 'finetune' | 'scratch') =>
    isChoice && parts > 0 ? asked * learning(stage, Math.floor(labelled / parts)) : 0;

  // Labels spread in 100 steps; where they are held back, and where classes are corrected, in 30.
  const fewStepsMs = 0.3 * speeds.pile.spreadMs;
  const teaching = () =>
    training('selfTrain') +
    speeds.pile.spreadMs +
    corrections() * (classify(images.train) + fewStepsMs) +
    2 * pile * viewMs +
    // Each look classifies two views.
    epochs('selfTrain') * 2 * classify(pile);
  // Views are tried out, from the start to the end, on half of the labels.
  const weighingTeachers = () => {
    if (teacher === 'neighbours' || parts === 0) return asked * fewStepsMs;
    return learning(settings.selfTrain?.start ?? 'finetune', Math.floor(labelled / 2)) + teaching();
  };

  const times: Readonly<Record<StageName, () => number>> = {
    pretrain: () =>
      training('pretrain') +
      epochs('pretrain') * classify(Math.round(unlabelled * valFraction) * turnCount) +
      classify(test * turnCount),
    finetune: () =>
      training('finetune') +
      (cachesFeatures(settings.finetune) ? classify(labelled) : 0) +
      classifier() +
      weighing('finetune'),
    scratch: () => training('scratch') + classifier() + weighing('scratch'),
    selfTrain: () => teaching() + weighingTeachers() + classify(labelled) + classify(test),
    baseline: () => training('baseline') + classify(3 * labelled) + 2 * classify(test),
  };
  const once = endingMs + (stages.includes('selfTrain') ? speeds.pile.graphMs : 0);
  return stages.reduce(
    (sum, stage) => sum + times[stage]() * (stage === 'pretrain' ? 1 : settings.draws),
    once,
  );
}
