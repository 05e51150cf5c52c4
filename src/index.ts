/** Quarterturn's public API: everything here runs in Node and in browsers. Node's parts are in `quarterturn/node`. */

export { type AugmentationStrength, strengths } from './data/augmentation-policy.js';
export type { DataSource, ImageDataset } from './data/dataset.js';
export { readIdx } from './data/idx.js';
export { QuarterturnError } from './errors.js';
export { rotNet } from './nn/rotnet.js';
export { summary } from './nn/summary.js';
export { baseline } from './recipes/baseline.js';
export { type BudgetOptions, type FittedBudget, fitToBudget } from './recipes/budget.js';
export type { RecipeContext } from './recipes/context.js';
export { exportClassifier } from './recipes/export-model.js';
export { finetune } from './recipes/finetune.js';
export type { GivenLabels } from './recipes/given-labels.js';
export { type MeasuredContext, type MeasureOptions, measureSpeeds } from './recipes/measure-speeds.js';
export { type PileGraph, pileGraph } from './recipes/pile-graph.js';
export { type PresetName, type PresetOverrides, presets, settingsFor } from './recipes/presets.js';
export { pretrain } from './recipes/pretrain.js';
export { type RunOptions, run } from './recipes/run.js';
export type { Speeds } from './recipes/run-cost.js';
export { type SelfTrainOptions, selfTrain } from './recipes/self-train.js';
export type { RunSettings } from './recipes/settings.js';
export { type Suggestions, type SuggestOptions, suggest } from './recipes/suggest.js';
export { typicalPoints } from './recipes/typical.js';
export { renderReport } from './report/render-report.js';
export type { DeviceName, Program, Runtime } from './runtime/runtime.js';
export { MemoryStore, type RunStore } from './train/checkpoint.js';
export type { EventListener, TrainEvent } from './train/events.js';
export type { RunRecord, RunResult } from './train/run-record.js';
