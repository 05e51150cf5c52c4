import { join } from 'node:path';
import { formatBudget } from '../recipes/plan/budget-time.js';
import { settingsFor } from '../recipes/presets.js';
import { stagesOfConfig } from '../recipes/run.js';
import { parseSettings, type RunSettings } from '../recipes/settings.js';
import { selfTrainName } from '../recipes/stages/self-train-tasks.js';
import { readingFlags } from './data-options.js';
import { shellPath } from './paths.js';
import type { Place } from './place.js';

/** A run that images were suggested for. */
export interface SuggestedFor {
  /** Its folder. */
  readonly path: string;
  /** Its `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly settings: RunSettings;
  readonly place: Pick<Place, 'dataFolder' | 'device'> & Partial<Pick<Place, 'reading'>>;
}

/**
 * What to type to learn from a labels file as a run with the same data and recipe does: every stage, since it is the
 * pile that makes much of few labels.
 */
export function runCommand(labels: string, { path, config, settings, place }: SuggestedFor): string {
  const { dataFolder, device, reading = {} } = place;
  return [
    'quarterturn run',
    ...(dataFolder === null ? [] : [shellPath(dataFolder)]),
    `--labels ${shellPath(labels)}`,
    ...(dataFolder === null ? [] : readingFlags(reading)),
    ...recipeFlags(path, config, settings),
    ...(device === 'cpu' ? [] : [`--device ${device}`]),
  ].join(' ');
}

/** The flags that ask for a run's recipe: where they cannot say it, its `config.json` does. */
function recipeFlags(path: string, config: SuggestedFor['config'], settings: RunSettings): readonly string[] {
  const { preset, seed, network, budgetMs } = settings;
  const usual = settingsFor(preset);
  // Of a run that only pretrained, the budget was that of pretraining.
  const budget =
    budgetMs !== undefined && stagesOfConfig(config).includes(selfTrainName) ? budgetMs : undefined;
  const flags = [
    ...(preset === 'quick' ? [] : [`--preset ${preset}`]),
    ...(seed === usual.seed ? [] : [`--seed ${seed}`]),
    ...(network.width === usual.network.width ? [] : [`--width ${network.width}`]),
    ...(budget === undefined ? [] : [`--budget ${formatBudget(budget)}`]),
  ];
  const asked = settingsFor(preset, { seed, width: network.width });
  const steps = budgetMs === undefined ? 'same' : 'fitted';
  return recipeOf(settings, steps) === recipeOf(asked, steps)
    ? flags
    : [`--config ${shellPath(join(path, 'config.json'))}`];
}

/** All that makes a recipe beside the labels, without its steps where a budget has counted them out. */
function recipeOf(settings: RunSettings, steps: 'same' | 'fitted'): string {
  const { budgetMs: _, ...recipe } = parseSettings({
    ...settings,
    labels: null,
    draws: 1,
    labelsPerClass: 1,
  });
  const lengths = steps === 'fitted' ? ['epochs', 'stepsPerEpoch'] : [];
  return JSON.stringify(recipe, (key, value) => (lengths.includes(key) ? undefined : value));
}
