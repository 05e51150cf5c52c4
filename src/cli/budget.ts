import { type FittedBudget, fitToBudget, greatestScale, leastSteps } from '../recipes/plan/budget.js';
import { formatBudget } from '../recipes/plan/budget-time.js';
import { type MeasuredContext, measureSpeeds } from '../recipes/plan/measure-speeds.js';
import type { RunSettings } from '../recipes/settings.js';
import { stageNamed, stagesOf } from '../recipes/stages/registry.js';
import type { Speeds } from '../recipes/stages/speeds.js';
import { formatCount, formatDuration } from '../report/format.js';

/** What is to be run within a time. */
export interface Budgeted {
  /** From the prompt to the report, in ms. */
  readonly budgetMs: number;
  /** Default: every stage of the recipe. */
  readonly stages?: readonly string[];
}

/** The recipe with as many steps as this machine can do within a time, counted from the prompt; tells what was chosen. */
export async function settingsWithin(
  context: MeasuredContext,
  { budgetMs, stages = stagesOf(context.settings) }: Budgeted,
): Promise<RunSettings> {
  // The clock of this process began with it.
  const speeds = await measureSpeeds(context, { stages, budgetMs, spentMs: () => performance.now() });
  const fitted = fitToBudget(context.settings, { budgetMs, speeds, stages });
  for (const text of budgetNotes(fitted, { budgetMs, stages, speeds })) context.emit({ type: 'note', text });
  return fitted.settings;
}

/** What a person should know of the chosen steps, a line each. */
export function budgetNotes(
  { settings, scale, predictedMs, atLeast, atMost }: FittedBudget,
  { budgetMs, stages, speeds }: Required<Budgeted> & { readonly speeds: Pick<Speeds, 'images'> },
): string[] {
  const steps = stages
    .map((name) => stageNamed(name))
    .filter(({ scaling }) => scaling !== undefined)
    .map((stage) => `${stage.activity} ${formatCount(stage.stepsOf(settings, speeds.images))}`);
  const lines = [
    `Budget ${formatBudget(budgetMs)}: ${scale.toFixed(2)} times the recipe's steps (${steps.join(', ')}), about ${formatDuration(predictedMs)}`,
  ];
  if (atLeast.length > 0) {
    const words = atLeast.map((stage) => stageNamed(stage).activity).join(' and ');
    lines.push(
      `Budget is tight: ${words} would have too few steps to learn and has about ${leastSteps} instead.`,
    );
  }
  if (atMost) {
    const other = settings.preset === 'quick' ? '; --preset best has a larger network to train' : '';
    lines.push(
      `Budget is more than is used, it will end after about ${formatDuration(predictedMs)}: ${greatestScale} times the recipe's steps is the most, since what more would bring was never measured${other}.`,
    );
  }
  return lines;
}
