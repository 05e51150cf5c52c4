/** Quarterturn's public API: everything here runs in Node and in browsers. Node's parts are in `quarterturn/node`. */

export { type AugmentationStrength, strengths } from './data/augmentation-policy.js';
export type { DataSource, ImageDataset } from './data/dataset.js';
export { type IdxArray, type ReadIdxOptions, readIdx } from './data/idx.js';
export { QuarterturnError } from './errors.js';
export type { GivenLabels } from './labels/given-labels.js';
export { type ExportOptions, exportClassifier } from './model/export-model.js';
export { type ClassifyOptions, type LoadedClassifier, loadClassifier } from './model/load-classifier.js';
export type { Preprocessing } from './model/preprocessing.js';
export { type Network, rotNet } from './nn/rotnet.js';
export { summary } from './nn/summary.js';
export type { RecipeContext } from './recipes/context.js';
export { type PileGraph, pileGraph } from './recipes/pile-graph.js';
export { type BudgetOptions, type FittedBudget, fitToBudget } from './recipes/plan/budget.js';
export { type MeasuredContext, type MeasureOptions, measureSpeeds } from './recipes/plan/measure-speeds.js';
export { type PresetName, type PresetOverrides, presets, settingsFor } from './recipes/presets.js';
export { type RunOptions, run } from './recipes/run.js';
export type { RunSettings } from './recipes/settings.js';
export { baseline } from './recipes/stages/baseline.js';
export { finetune } from './recipes/stages/finetune.js';
export { pretrain } from './recipes/stages/pretrain.js';
export { allStages, stageFacts } from './recipes/stages/registry.js';
export { type SelfTrainOptions, selfTrain } from './recipes/stages/self-train.js';
export type { ImageCounts, Speeds } from './recipes/stages/speeds.js';
export type {
  Lengths,
  Scaling,
  Stage,
  StageDraw,
  StageFigures,
  StageOutcome,
  Stopwatch,
  Tested,
  Workload,
} from './recipes/stages/stage.js';
export { type Suggestions, type SuggestOptions, suggest } from './recipes/suggest.js';
export { renderReport } from './report/render-report.js';
export type { DeviceName, Program, Runtime } from './runtime/runtime.js';
export { typicalPoints } from './similarity/typical.js';
export { MemoryStore, type RunStore } from './store/checkpoint.js';
export type { RunRecord, RunResult, StageFacts } from './store/run-record.js';
export type { EventListener, TrainEvent } from './train/events.js';
export type { TrainState } from './train/train-step.js';
