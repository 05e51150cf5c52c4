import { nearestName } from '../../data/nearest-name.js';
import { QuarterturnError } from '../../errors.js';
import type { StageFacts } from '../../store/run-record.js';
import type { RunSettings } from '../settings.js';
import { baselineStage } from './baseline-stage.js';
import { encoderHeadStage } from './encoder-head-stage.js';
import { finetuneStage, scratchStage } from './finetune-stage.js';
import { mixtureStage } from './mixture-stage.js';
import { pretrainStage } from './pretrain-stage.js';
import { selfTrainStage } from './self-train-stage.js';
import type { Stage } from './stage.js';

/** All stages that a run may have, in their order. A new stage is one more entry. */
export const allStages: readonly Stage[] = [
  pretrainStage,
  finetuneStage,
  scratchStage,
  selfTrainStage,
  mixtureStage,
  encoderHeadStage,
  baselineStage,
];

/** The facts about stages that a report needs. */
export const stageFacts: readonly StageFacts[] = allStages.map(({ name, title, figures }) => ({
  name,
  title,
  figures,
}));

/** @throws QuarterturnError `usage` for a name that no stage has */
export function stageNamed(name: string, registry: readonly Stage[] = allStages): Stage {
  const stage = registry.find((stage) => stage.name === name);
  if (stage) return stage;
  const names = registry.map(({ name }) => name);
  throw new QuarterturnError('usage', `stages: expected some of ${names.join(', ')}. Received: ${name}.`, {
    hint: `Did you mean ${nearestName(name, names)}?`,
  });
}

/** A stage in a sentence, `self-training`; its name where no such stage is known. */
export function activityOf(name: string, registry: readonly Stage[] = allStages): string {
  return registry.find((stage) => stage.name === name)?.activity ?? name;
}

/** Names of the stages that settings ask for. */
export function stagesOf(settings: RunSettings, registry: readonly Stage[] = allStages): readonly string[] {
  const asked = registry.filter((stage) => stage.isAskedFor(settings));
  const isAlone = settings.encoder?.alone === true;
  return asked.filter((stage) => !isAlone || stage === encoderHeadStage).map(({ name }) => name);
}
