import { QuarterturnError } from '../../errors.js';
import type { StageName } from '../../store/run-record.js';
import type { RunSettings } from '../settings.js';
import { stagesOf } from '../stages.js';
import { formatBudget } from './budget-time.js';
import { predictMs, type Speeds, stepsOf, timeOf } from './run-cost.js';

/**
 * The stages whose length a budget decides: `scratch` takes as long as fine-tuning, and the baseline stays as the preset
 * has it, since it is there to compare.
 */
const scaledStages = ['pretrain', 'finetune', 'selfTrain'] as const;
export type ScaledStage = (typeof scaledStages)[number];

/** Fewer steps than these are a stage in name only: its learning rate would have no time to rise and fall. */
export const leastSteps = 50;

/** So many times the preset's steps at most: nobody has measured what more would bring. */
export const greatestScale = 8;

/** Share of the budget that is left for what was not foreseen: other programs, a disk that is slow. */
const marginShare = 0.1;

export interface FittedBudget {
  readonly settings: RunSettings;
  /** Steps in relation to those that were asked to be scaled. */
  readonly scale: number;
  /** Of the whole run from the prompt to the report, the margin not counted. */
  readonly predictedMs: number;
  /** Stages that would have had fewer than {@link leastSteps} steps and have these instead. */
  readonly atLeast: readonly ScaledStage[];
  /** More time would not have been used. */
  readonly atMost: boolean;
}

export interface BudgetOptions {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  readonly speeds: Speeds;
  /** What is run; default: every stage that the settings ask for. The settings of other stages stay as they are. */
  readonly stages?: readonly StageName[] | undefined;
}

/**
 * Settings whose run ends within a time: the steps of pretraining, fine-tuning and self-training in the proportions that
 * they have, as many as fit beside everything whose length is given.
 *
 * @throws QuarterturnError `usage` where not even the fewest steps fit, naming the smallest budget in which they do
 */
export function fitToBudget(
  settings: RunSettings,
  { budgetMs, speeds, stages: asked = stagesOf(settings) }: BudgetOptions,
): FittedBudget {
  assertScalable(settings);
  const cost = (scale: number) => continuousMs(settings, asked, speeds, scale);
  const usable = (ms: number) => (ms - speeds.spentMs) * (1 - marginShare);
  if (cost(0) > usable(budgetMs)) {
    throw tooSmall(settings, budgetMs, cost(0) / (1 - marginShare) + speeds.spentMs);
  }

  // The cost grows with the scale: halve the interval until it is as good as a point.
  let [fits, tooLong] = [0, greatestScale];
  const atMost = cost(greatestScale) <= usable(budgetMs);
  if (atMost) fits = greatestScale;
  else {
    for (let i = 0; i < 50; i++) {
      const middle = (fits + tooLong) / 2;
      if (cost(middle) <= usable(budgetMs)) fits = middle;
      else tooLong = middle;
    }
  }
  const fitted = scaled(settings, asked, speeds, fits);
  return {
    settings: { ...fitted, budgetMs },
    scale: fits,
    predictedMs: predictMs(fitted, asked, speeds) + speeds.spentMs,
    atLeast: scaledStages.filter(
      (stage) =>
        asked.includes(stage) && fits * stepsOf(settings, stage, speeds) < fewest(settings, stage, speeds),
    ),
    atMost,
  };
}

/** @throws QuarterturnError `usage` for a preset whose step counts are the point of it */
export function assertScalable({ preset }: Pick<RunSettings, 'preset'>): void {
  if (preset !== 'notebook') return;
  throw new QuarterturnError('usage', '--budget: expected a preset that can be scaled. Received: notebook.', {
    hint: "The notebook's figures are those of its own steps; quick is the same system, made to be scaled.",
  });
}

/** As {@link predictMs} of {@link scaled} settings or a little more: a function that never falls as the scale grows. */
function continuousMs(
  settings: RunSettings,
  stages: readonly StageName[],
  speeds: Speeds,
  scale: number,
): number {
  const scaledAs = (stage: StageName) => (stage === 'scratch' ? 'finetune' : stage);
  return timeOf(settings, stages, speeds, {
    epochs: (stage) => {
      const like = scaledAs(stage);
      return isScaled(like) ? epochsOf(settings, like, speeds, scale) : settings[like]!.epochs;
    },
    steps: (stage) => {
      const like = scaledAs(stage);
      return isScaled(like) ? wantedSteps(settings, like, speeds, scale) : stepsOf(settings, like, speeds);
    },
  });
}

function isScaled(stage: StageName): stage is ScaledStage {
  return (scaledStages as readonly StageName[]).includes(stage);
}

function fewest(settings: RunSettings, stage: ScaledStage, speeds: Speeds): number {
  return Math.min(leastSteps, stepsOf(settings, stage, speeds));
}

/** Steps that a stage should have at a scale; whole ones only by chance. */
function wantedSteps(settings: RunSettings, stage: ScaledStage, speeds: Speeds, scale: number): number {
  return Math.max(fewest(settings, stage, speeds), scale * stepsOf(settings, stage, speeds));
}

/**
 * Fewer steps come in fewer epochs, since the look at the end of each takes its time; more steps in longer ones. Where
 * the labelled images are the epoch, its length is given.
 */
function epochsOf(settings: RunSettings, stage: ScaledStage, speeds: Speeds, scale: number): number {
  const { epochs } = settings[stage]!;
  const share = wantedSteps(settings, stage, speeds, scale) / stepsOf(settings, stage, speeds);
  // What is a whole number but for rounding is taken for it.
  if (stage === 'finetune') return Math.max(1, Math.floor(epochs * share + 1e-9));
  return Math.max(1, Math.min(epochs, Math.ceil(epochs * share - 1e-9)));
}

function scaled(
  settings: RunSettings,
  stages: readonly StageName[],
  speeds: Speeds,
  scale: number,
): RunSettings {
  const lengths = (stage: ScaledStage) => {
    const epochs = epochsOf(settings, stage, speeds, scale);
    const steps = wantedSteps(settings, stage, speeds, scale);
    return { epochs, stepsPerEpoch: Math.max(1, Math.floor(steps / epochs + 1e-9)) };
  };
  const { pretrain, finetune, selfTrain } = settings;
  return {
    ...settings,
    pretrain: stages.includes('pretrain') ? { ...pretrain, ...lengths('pretrain') } : pretrain,
    finetune: stages.some((stage) => stage === 'finetune' || stage === 'scratch')
      ? { ...finetune, epochs: lengths('finetune').epochs }
      : finetune,
    selfTrain:
      selfTrain && stages.includes('selfTrain') ? { ...selfTrain, ...lengths('selfTrain') } : selfTrain,
  };
}

function tooSmall({ draws }: RunSettings, budgetMs: number, neededMs: number): QuarterturnError {
  // A second measurement gives other speeds: what is named here should do then too.
  const smallest = formatBudget(neededMs * 1.05);
  return new QuarterturnError(
    'usage',
    `--budget: expected at least ${smallest} for this recipe on this machine. Received: ${formatBudget(budgetMs)}.`,
    {
      hint: `Try --budget ${smallest}; a smaller --width ${draws > 1 ? 'or fewer --draws need' : 'needs'} less.`,
    },
  );
}
