import { fitToBudget } from '../recipes/plan/budget.js';
import { type MeasuredContext, measureSpeeds } from '../recipes/plan/measure-speeds.js';
import type { RunSettings } from '../recipes/settings.js';
import { allStages, stageNamed, stagesOf } from '../recipes/stages/registry.js';
import type { Stage } from '../recipes/stages/stage.js';

/** A run that must end within a budget. */
export interface Budgeted {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  /** What of it has gone already, in ms; default: nothing. */
  readonly spentMs?: (() => number) | undefined;
  /** Default: every stage of the recipe. */
  readonly stages?: readonly string[] | undefined;
  readonly registry?: readonly Stage[] | undefined;
}

/**
 * The recipe with as many steps as this machine can do within a time; tells what was chosen.
 * @throws QuarterturnError `usage` if not even the fewest steps fit, `interrupted` if the signal is aborted
 */
export async function settingsWithin(
  context: MeasuredContext,
  { budgetMs, spentMs, registry = allStages, ...asked }: Budgeted,
): Promise<RunSettings> {
  const { stages = stagesOf(context.settings, registry) } = asked;
  const speeds = await measureSpeeds(context, { stages, budgetMs, registry, ...(spentMs && { spentMs }) });
  const fitted = fitToBudget(context.settings, { budgetMs, speeds, stages, registry });
  const { settings, scale, predictedMs, atLeast, atMost } = fitted;
  const steps = stages
    .map((name) => stageNamed(name, registry))
    .filter(({ scaling }) => scaling !== undefined)
    .map((stage) => ({ stage: stage.name, steps: stage.stepsOf(settings, speeds.images) }));
  const { preset } = settings;
  context.emit?.({
    type: 'budget-fitted',
    ...{ preset, budgetMs, scale, predictedMs, steps, atLeast, atMost },
  });
  return settings;
}
