import { silentContext } from '../recipes/context.js';
import { fitToBudget, leastMsOf } from '../recipes/plan/budget.js';
import {
  fasterOf,
  type MeasuredContext,
  type MeasuredSpeeds,
  type MeasureOptions,
  measureSpeeds,
} from '../recipes/plan/measure-speeds.js';
import { trialStepsOf } from '../recipes/plan/run-cost.js';
import type { RunSettings } from '../recipes/settings.js';
import { allStages, stageNamed, stagesOf } from '../recipes/stages/registry.js';
import type { Stage } from '../recipes/stages/stage.js';

/** A run that must end within a budget. */
export interface Budgeted {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  /** What of it has gone already, in ms; default: nothing. */
  readonly spentMs?: (() => number) | undefined;
  /** CPU time that this process has used, in ms, where the platform tells. */
  readonly cpuMs?: (() => number) | undefined;
  /** Default: every stage of the recipe. */
  readonly stages?: readonly string[] | undefined;
  readonly registry?: readonly Stage[] | undefined;
}

/** A machine is measured so often at most before a budget is refused: one that is busy for a second must not decide that. */
const mostMeasurements = 3;

/** Nor is it so many times as fast as it seemed: a budget that is smaller by more is refused at once. */
const mostSpeedUp = 4;

/** A measurement that makes the smallest budget less than a twentieth smaller says that the next one will not either. */
const worthwhile = 0.95;

/** Measures again while the fewest steps do not fit, as long as another look at the machine shows it faster. */
async function measured(
  context: MeasuredContext,
  options: MeasureOptions & { readonly budgetMs: number },
): Promise<MeasuredSpeeds> {
  const { settings } = context;
  const leastMs = (speeds: MeasuredSpeeds) =>
    leastMsOf(settings, { ...options, speeds: speeds.fastest }) + speeds.fastest.spentMs;
  let known = await measureSpeeds(context, options);
  const isDoubtful = () =>
    leastMs(known) > options.budgetMs && leastMs(known) < mostSpeedUp * options.budgetMs;
  for (let count = 1; count < mostMeasurements && isDoubtful(); count++) {
    const next = await measureSpeeds(silentContext(context), options);
    const before = leastMs(known);
    known = { ...next, fastest: fasterOf(known.fastest, next.fastest) };
    if (leastMs(known) > worthwhile * before) break;
  }
  return known;
}

/**
 * The recipe with as many steps as this machine can do within a time; tells what was chosen.
 * @throws QuarterturnError `usage` if not even the fewest steps fit, `interrupted` if the signal is aborted
 */
export async function settingsWithin(
  context: MeasuredContext,
  { budgetMs, spentMs, cpuMs, registry = allStages, ...asked }: Budgeted,
): Promise<RunSettings> {
  const { stages = stagesOf(context.settings, registry) } = asked;
  const { fastest, ...speeds } = await measured(context, {
    ...{ stages, budgetMs, registry, cpuMs },
    ...(spentMs && { spentMs }),
  });
  const fitted = fitToBudget(context.settings, { budgetMs, speeds, fastest, stages, registry });
  const { settings, scale, predictedMs, atLeast, atMost } = fitted;
  const scaled = stages
    .map((name) => stageNamed(name, registry))
    .filter(({ scaling }) => scaling !== undefined);
  const { images } = speeds;
  const steps = scaled.map((stage) => ({ stage: stage.name, steps: stage.stepsOf(settings, images) }));
  const shortened = scaled.flatMap((stage) => {
    const tried = trialStepsOf(stage, settings, images);
    const usual = Math.min(stage.stepsOf(settings, images), trialStepsOf(stage, context.settings, images));
    return stage.learnWithout && tried < usual ? [{ stage: stage.name, steps: tried }] : [];
  });
  const { preset } = settings;
  context.emit?.({
    type: 'budget-fitted',
    ...{ preset, budgetMs, scale, predictedMs, steps, shortened, atLeast, atMost },
  });
  return settings;
}
