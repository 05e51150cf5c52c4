import { QuarterturnError } from '../../errors.js';
import type { RunSettings } from '../settings.js';
import { allStages, stageNamed, stagesOf } from '../stages/registry.js';
import type { Speeds } from '../stages/speeds.js';
import type { Stage } from '../stages/stage.js';
import { formatBudget } from './budget-time.js';
import { predictMs, timeOf, trialStepsOf } from './run-cost.js';

/** Fewer steps than these are a stage in name only: its learning rate would have no time to rise and fall. */
export const minSteps = 50;

/**
 * The fewest steps of a training that is only tried, with labels held back: half of a stage's. What comes of it is worse than the
 * stage's own classifier, never better, so that it promises too little.
 */
export const minTrialSteps = 25;

/** So many times the preset's steps at most: nobody has measured what more would bring. */
export const greatestScale = 8;

/** Share of the budget that is left for what was not foreseen: other programs, a disk that is slow. */
const marginShare = 0.1;

export interface FittedBudget {
  readonly settings: RunSettings;
  /** Steps in relation to those that were asked to be scaled. */
  readonly scale: number;
  /**
   * Of the whole run from the prompt to the report, the margin not counted. It is more than the budget where other programs keep
   * the machine from the fastest speeds that were measured, in which the fewest steps do fit.
   */
  readonly predictedMs: number;
  /** Names of the stages that would have had fewer than {@link minSteps} steps, or an epoch of the labels, and have these instead. */
  readonly atLeast: readonly string[];
  /** More time would not have been used. */
  readonly atMost: boolean;
}

export interface BudgetOptions {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  /** As is usual now: what the steps are counted out by. */
  readonly speeds: Speeds;
  /** The fastest that were measured: a budget is refused by these alone. Default: `speeds`. */
  readonly fastest?: Speeds | undefined;
  /** Names of the stages to run; default: all that the settings ask for. The settings of others stay as they are. */
  readonly stages?: readonly string[] | undefined;
  /** The stages that there are; default: those of this package. */
  readonly registry?: readonly Stage[] | undefined;
}

/**
 * Returns settings whose run ends within a budget. The steps of its stages keep their proportions, and are as many as fit
 * beside all fixed costs. Where they are fewer than the preset's, what is tried with labels held back is as much shorter.
 *
 * @throws QuarterturnError `usage` if not even the fewest steps fit, naming the smallest budget in which they do
 */
export function fitToBudget(
  settings: RunSettings,
  { budgetMs, speeds, fastest = speeds, stages: names, registry = allStages }: BudgetOptions,
): FittedBudget {
  assertScalable(settings);
  const asked = names ?? stagesOf(settings, registry);
  const stages = asked.map((name) => stageNamed(name, registry));
  const cost = (scale: number) => continuousMs(settings, stages, speeds, scale);
  const usable = (ms: number) => (ms - speeds.spentMs) * (1 - marginShare);
  const leastMs = leastMsOf(settings, { speeds: fastest, stages: asked, registry });
  if (leastMs > budgetMs - fastest.spentMs) {
    throw tooSmall(settings, budgetMs, leastMs / (1 - marginShare) + fastest.spentMs);
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

/** Time of a run with the fewest steps, from its first graph to its report, in ms. */
export function leastMsOf(
  settings: RunSettings,
  { speeds, stages: names, registry = allStages }: Pick<BudgetOptions, 'speeds' | 'stages' | 'registry'>,
): number {
  const stages = (names ?? stagesOf(settings, registry)).map((name) => stageNamed(name, registry));
  return continuousMs(settings, stages, speeds, 0);
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
    trialSteps: (stage) => scaledTrialSteps(settings, stage, speeds, scale),
  });
}

/** Of a stage whose epochs are the labelled images, one epoch at least, however many labels there are. */
function fewest(settings: RunSettings, stage: Stage, { images }: Speeds): number {
  return Math.max(Math.min(minSteps, stage.stepsOf(settings, images)), epochSteps(settings, stage, images));
}

/** Steps that cannot be divided: an epoch where the labelled images are one. */
function epochSteps(settings: RunSettings, stage: Stage, images: Speeds['images']): number {
  const epochs = stage.settingsOf(settings)?.epochs ?? 0;
  return stage.scaling?.isEpochGiven && epochs > 0 ? stage.stepsOf(settings, images) / epochs : 0;
}

/** Steps that a stage should have at a scale; whole ones only by chance. */
function scaledSteps(settings: RunSettings, stage: Stage, speeds: Speeds, scale: number): number {
  const steps = stage.stepsOf(settings, speeds.images);
  return stage.scaling ? Math.max(fewest(settings, stage, speeds), scale * steps) : steps;
}

/**
 * Steps of what is tried with labels held back, were it given all of them: at most the usual ones, in proportion where the stage has
 * fewer steps than the preset gives it, and never fewer than {@link minTrialSteps} unless the stage itself has fewer.
 */
function scaledTrialSteps(settings: RunSettings, stage: Stage, speeds: Speeds, scale: number): number {
  const { images } = speeds;
  const usual = trialStepsOf(stage, settings, images);
  if (!stage.scaling) return usual;
  const least = Math.max(Math.min(minTrialSteps, usual), epochSteps(settings, stage, images));
  const { mostTrialSteps = Number.POSITIVE_INFINITY } = stage.scaling;
  return Math.min(
    scaledSteps(settings, stage, speeds, scale),
    mostTrialSteps,
    Math.max(least, scale * usual),
  );
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
    const tried = scaledTrialSteps(settings, stage, speeds, scale);
    const trialSteps = Math.max(1, Math.floor(tried + 1e-9));
    const given = epochSteps(settings, stage, speeds.images);
    const trialEpochs = given > 0 ? Math.max(1, Math.floor(tried / given + 1e-9)) : undefined;
    return stage.scaling?.resize(resized, { epochs, stepsPerEpoch, trialEpochs, trialSteps }) ?? resized;
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
