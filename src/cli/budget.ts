import {
  type FittedBudget,
  fitToBudget,
  greatestScale,
  leastSteps,
  type MeasuredContext,
  measureSpeeds,
  type Speeds,
  stepsOf,
} from '../recipes/budget.js';
import { formatBudget } from '../recipes/budget-time.js';
import type { RunSettings } from '../recipes/settings.js';
import { stagesOf } from '../recipes/stages.js';
import { formatCount, formatDuration } from '../report/format.js';
import type { StageName } from '../train/run-record.js';

/** What the stages are called in a sentence. */
const stageWords: Readonly<Record<StageName, string>> = {
  pretrain: 'pretraining',
  finetune: 'fine-tuning',
  scratch: 'training from random weights',
  selfTrain: 'self-training',
  baseline: 'baseline',
};

/** The recipe with as many steps as this machine can do within a time, counted from the prompt; tells what was chosen. */
export async function settingsWithin(context: MeasuredContext, budgetMs: number): Promise<RunSettings> {
  // The clock of this process began with it.
  const speeds = await measureSpeeds(context, () => performance.now());
  const fitted = fitToBudget(context.settings, budgetMs, speeds);
  for (const text of budgetNotes(fitted, budgetMs, speeds)) context.emit({ type: 'note', text });
  return fitted.settings;
}

/** What a person should know of the chosen steps, a line each. */
export function budgetNotes(
  { settings, scale, predictedMs, atLeast, atMost }: FittedBudget,
  budgetMs: number,
  speeds: Pick<Speeds, 'images'>,
): string[] {
  const steps = stagesOf(settings)
    .filter((stage) => stage !== 'baseline')
    .map((stage) => `${stageWords[stage]} ${formatCount(stepsOf(settings, stage, speeds))}`);
  const lines = [
    `Budget ${formatBudget(budgetMs)}: ${scale.toFixed(2)} times the recipe's steps (${steps.join(', ')}), about ${formatDuration(predictedMs)}`,
  ];
  if (atLeast.length > 0) {
    const words = atLeast.map((stage) => stageWords[stage]).join(' and ');
    lines.push(
      `Budget is tight: ${words} would have too few steps to learn and has about ${leastSteps} instead.`,
    );
  }
  if (atMost) {
    lines.push(
      `Budget is more than is used: ${greatestScale} times the recipe's steps is the most, since what more would bring was never measured.`,
    );
  }
  return lines;
}
