import type { RunSettings } from '../settings.js';
import { allStages, stageNamed } from '../stages/registry.js';
import type { ImageCounts, Speeds } from '../stages/speeds.js';
import type { Lengths, Stage } from '../stages/stage.js';

/** What is not measured: exhibits and export, the report with its charts, the end of the process. */
export const endingMs = 2500;

/**
 * Time of a run of the stages of these names from its first graph to its report, in ms.
 * @param registry the stages that there are
 */
export function predictMs(
  settings: RunSettings,
  stages: readonly string[],
  speeds: Speeds,
  registry: readonly Stage[] = allStages,
): number {
  const run = stages.map((name) => stageNamed(name, registry));
  return timeOf(settings, run, speeds, lengthsOf(settings, speeds.images));
}

/** The lengths that settings give to stages. */
export function lengthsOf(settings: RunSettings, images: ImageCounts): Lengths {
  return {
    epochs: (stage) => stage.settingsOf(settings)?.epochs ?? 0,
    steps: (stage) => stage.stepsOf(settings, images),
    trialSteps: (stage) => trialStepsOf(stage, settings, images),
  };
}

/** Steps of a training that is tried with labels held back, were it given all labels. */
export function trialStepsOf(stage: Stage, settings: RunSettings, images: ImageCounts): number {
  return stage.trialStepsOf?.(settings, images) ?? stage.stepsOf(settings, images);
}

/** Time of a run of these stages, as long as they are said to be, in ms. */
export function timeOf(
  settings: RunSettings,
  stages: readonly Stage[],
  speeds: Speeds,
  lengths: Lengths,
): number {
  const work = { settings, speeds, ...lengths };
  const once = stages.reduce((sum, stage) => sum + (stage.sharedMs?.(work) ?? 0), endingMs);
  return stages.reduce(
    (sum, stage) => sum + stage.drawMs(work) * (stage.isShared ? 1 : settings.draws),
    once,
  );
}
