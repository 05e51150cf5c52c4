import type { RunSettings } from '../settings.js';
import type { ImageCounts, Lengths, Speeds } from '../stages/cost.js';
import { allStages, stageNamed } from '../stages/registry.js';
import type { Stage } from '../stages/stage.js';

/** What is not measured: exhibits and export, the report with its charts, the end of the process. */
const endingMs = 2500;

/** Steps of a stage of one draw. */
export function stepsOf(
  settings: RunSettings,
  stage: string,
  { images }: { readonly images: ImageCounts },
  registry: readonly Stage[] = allStages,
): number {
  return stageNamed(stage, registry).stepsOf(settings, images);
}

/** Epochs of a stage; 0 where a run with these settings cannot have it. */
export function epochsOf(
  settings: RunSettings,
  stage: string,
  registry: readonly Stage[] = allStages,
): number {
  return stageNamed(stage, registry).settingsOf(settings)?.epochs ?? 0;
}

/** Time of a run of these stages from its first graph to its report, in ms. */
export function predictMs(
  settings: RunSettings,
  stages: readonly string[],
  speeds: Speeds,
  registry: readonly Stage[] = allStages,
): number {
  const lengths: Lengths = {
    epochs: (stage) => epochsOf(settings, stage, registry),
    steps: (stage) => stepsOf(settings, stage, speeds, registry),
  };
  return timeOf(settings, stages, speeds, lengths, registry);
}

/** Time of a run of these stages, as long as they are said to be, in ms. */
export function timeOf(
  settings: RunSettings,
  stages: readonly string[],
  speeds: Speeds,
  lengths: Lengths,
  registry: readonly Stage[] = allStages,
): number {
  const run = stages.map((name) => stageNamed(name, registry));
  const isChoice = run.filter(({ learnsFrom }) => learnsFrom !== undefined).length > 1;
  const work = { settings, speeds, isChoice, ...lengths };
  const once = run.reduce((sum, stage) => sum + (stage.onceMs?.(work) ?? 0), endingMs);
  return run.reduce((sum, stage) => sum + stage.costMs(work) * (stage.isShared ? 1 : settings.draws), once);
}
