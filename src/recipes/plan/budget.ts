import { QuarterturnError } from '../../errors.js';
import type { RunSettings } from '../settings.js';
import { allStages, stageNamed, stagesOf } from '../stages/registry.js';
import type { Speeds } from '../stages/speeds.js';
import type { Stage } from '../stages/stage.js';
import { formatBudget } from './budget-time.js';
import { predictMs, timeOf } from './run-cost.js';

/** Fewer steps than these are a stage in name only: its learning rate would have no time to rise and fall. */
export const minSteps = 50;

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
  /** Names of the stages that would have had fewer than {@link minSteps} steps and have these instead. */
  readonly atLeast: readonly string[];
  /** More time would not have been used. */
  readonly atMost: boolean;
}

export interface BudgetOptions {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  readonly speeds: Speeds;
  /** Names of the stages to run; default: all that the settings ask for. The settings of others stay as they are. */
  readonly stages?: readonly string[] | undefined;
  /** The stages that there are; default: those of this package. */
  readonly registry?: readonly Stage[] | undefined;
}

/**
 * Returns settings whose run ends within a budget. The steps of its stages keep their proportions, and are as many as fit
 * beside all fixed costs.
 *
 * @throws QuarterturnError `usage` if not even the fewest steps fit, naming the smallest budget in which they do
 */
export function fitToBudget(
  settings: RunSettings,
  { budgetMs, speeds, stages: names, registry = allStages }: BudgetOptions,
): FittedBudget {
  assertScalable(settings);
  const asked = names ?? stagesOf(settings, registry);
  const stages = asked.map((name) => stageNamed(name, registry));
  const cost = (scale: number) => continuousMs(settings, stages, speeds, scale);
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
  const fitted = scaled(settings, stages, speeds, fits);
  return {
    settings: { ...fitted, budgetMs },
    scale: fits,
    predictedMs: predictMs(fitted, asked, speeds, registry) + speeds.spentMs,
    atLeast: stages
      .filter((stage) => {
        const steps = fits * stage.stepsOf(settings, speeds.images);
        return stage.scaling !== undefined && steps < fewest(settings, stage, speeds);
      })
      .map(({ name }) => name),
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
  stages: readonly Stage[],
  speeds: Speeds,
  scale: number,
): number {
  return timeOf(settings, stages, speeds, {
    epochs: (stage) => scaledEpochs(settings, stage, speeds, scale),
    steps: (stage) => scaledSteps(settings, stage, speeds, scale),
  });
}

function fewest(settings: RunSettings, stage: Stage, { images }: Speeds): number {
  return Math.min(minSteps, stage.stepsOf(settings, images));
}

/** Steps that a stage should have at a scale; whole ones only by chance. */
function scaledSteps(settings: RunSettings, stage: Stage, speeds: Speeds, scale: number): number {
  const steps = stage.stepsOf(settings, speeds.images);
  return stage.scaling ? Math.max(fewest(settings, stage, speeds), scale * steps) : steps;
}

/**
 * Fewer steps come in fewer epochs, since the look at the end of each takes its time; more steps in longer ones. Where
 * the labelled images are the epoch, its length is given.
 */
function scaledEpochs(settings: RunSettings, stage: Stage, speeds: Speeds, scale: number): number {
  const epochs = stage.settingsOf(settings)?.epochs ?? 0;
  if (!stage.scaling) return epochs;
  const share = scaledSteps(settings, stage, speeds, scale) / stage.stepsOf(settings, speeds.images);
  // What is a whole number but for rounding is taken for it.
  if (stage.scaling.isEpochGiven) return Math.max(1, Math.floor(epochs * share + 1e-9));
  return Math.max(1, Math.min(epochs, Math.ceil(epochs * share - 1e-9)));
}

function scaled(settings: RunSettings, stages: readonly Stage[], speeds: Speeds, scale: number): RunSettings {
  return stages.reduce((resized, stage) => {
    const epochs = scaledEpochs(settings, stage, speeds, scale);
    const steps = scaledSteps(settings, stage, speeds, scale);
    const stepsPerEpoch = Math.max(1, Math.floor(steps / epochs + 1e-9));
    return stage.scaling?.resize(resized, { epochs, stepsPerEpoch }) ?? resized;
  }, settings);
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
