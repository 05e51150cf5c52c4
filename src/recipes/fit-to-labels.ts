import { batchesPerEpoch } from '../data/batches.js';
import { hasLabels, type LabelContext, labelledIndices } from './labels.js';
import type { RunSettings, StageSettings } from './settings.js';

/**
 * The settings for as many labels as there are. The epochs of a stage that learns from labels alone are as many as fit into
 * `maxLabelSteps`; without an image that has no label there is no pile to learn from, and no self-training. What fits already
 * stays as it is, and so do steps that were counted out for a budget.
 */
export function fitToLabels<C extends LabelContext>(context: C): C {
  const { settings, data } = context;
  if (!hasLabels(context) || settings.budgetMs !== undefined) return context;
  const labelled = labelledIndices(context, 0).length;
  const fitted: RunSettings = {
    ...settings,
    finetune: inSteps(settings.finetune, labelled, settings.maxLabelSteps),
    baseline: inSteps(settings.baseline, labelled, settings.maxLabelSteps),
    selfTrain: labelled < data.train.images.count ? settings.selfTrain : null,
  };
  return { ...context, settings: fitted };
}

function inSteps<S extends StageSettings>(stage: S, labelled: number, maxSteps: number | null): S {
  if (maxSteps === null || labelled === 0) return stage;
  const most = Math.max(1, Math.floor(maxSteps / batchesPerEpoch(labelled, stage.batchSize)));
  return { ...stage, epochs: Math.min(stage.epochs, most) };
}
