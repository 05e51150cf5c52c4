/**
 * `quarterturn`: few-label image classification, from a pile of images to one ONNX file. Everything here runs in Node and
 * in browsers; what recipes are made of, down to tensors and graphs, is in `quarterturn/engine`.
 */

export { type AugmentationPolicy, type AugmentationStrength, strengths } from './data/augmentation-policy.js';
export type {
  BatchMaker,
  BatchMakerFor,
  BatchPart,
  BatchRequest,
  PartAugmentation,
} from './data/batch-maker.js';
export type { DataSource, ImageDataset } from './data/dataset.js';
export { type IdxArray, type ReadIdxOptions, readIdx } from './data/idx.js';
export type { FitMode, Ground } from './data/image-fit.js';
export { hashImage, hashImages } from './data/image-hash.js';
export {
  type ImageSize,
  type ImageSource,
  imagesInMemory,
  type MemoryImagesOptions,
  type SelectOptions,
  type SharedImages,
  selectImages,
} from './data/image-source.js';
export type { LeftOut } from './data/left-out.js';
export type { Image } from './data/rotation.js';
export type { SkippedKind } from './data/skipped-files.js';
export { type ErrorCode, QuarterturnError } from './errors.js';
export type { Encoder } from './features/encoder.js';
export type { EncoderLayout, EncoderOptions, EncoderPool } from './features/encoder-settings.js';
export { gradientEncoder } from './features/gradient-encoder.js';
export {
  type EncoderGraph,
  type FrozenEncoder,
  type OpenEncoderOptions,
  openEncoder,
} from './features/onnx-encoder.js';
export type { GivenLabel, GivenLabels, PlacedLabel } from './labels/given-labels.js';
export type { HeldBackSplit } from './labels/held-back.js';
export { type LocatedLabels, type LocateOptions, locateLabels } from './labels/locate-labels.js';
export {
  type NearestLabelOptions,
  type NearestLabelPoint,
  nearestLabelCurve,
} from './labels/nearest-label.js';
export { type Abstention, looksUnlike } from './model/abstention.js';
export type { DescribedClassifier } from './model/classifier-metadata.js';
export { type ComposeOptions, composeClassifier, type LinearHead } from './model/compose.js';
export { describeModel, type ModelDescription } from './model/describe-model.js';
export { type ExportEncoderOptions, exportEncoder } from './model/export-encoder.js';
export { type ExportOptions, exportClassifier } from './model/export-model.js';
export {
  type ClassifyOptions,
  type LoadClassifierOptions,
  type LoadedClassifier,
  loadClassifier,
} from './model/load-classifier.js';
export type { Preprocessing } from './model/preprocessing.js';
export { fitTemperature, type KnownLogits } from './model/temperature.js';
export type { TrainingSummary } from './model/training-summary.js';
export {
  decodeWeights,
  encodeWeights,
  type WeightsFile,
  type WeightsFileOptions,
} from './model/weights-file.js';
export { type LayerRow, type LayerTable, summary } from './nn/summary.js';
export type { GraphFile, GraphNode, GraphValue, GraphWeight } from './onnx/graph-file.js';
export type { ProgressEvent, ProgressOptions } from './progress.js';
export { Random, type RandomState, type Swappable } from './random/random.js';
export type { RecipeContext } from './recipes/context.js';
export { readDoubts } from './recipes/doubts.js';
export { type HeldBackAnswers, readHeldBackAnswers } from './recipes/held-back-answers.js';
export { readLabelNeeds } from './recipes/label-needs.js';
export { type LabelContext, labelRecordOf, withLocatedLabels } from './recipes/labels.js';
export {
  findNearDuplicates,
  type NearDuplicateOptions,
  type NearDuplicates,
} from './recipes/near-duplicates.js';
export {
  type Comparison,
  type PileContext,
  type PileGraph,
  type PileTimes,
  pileGraph,
} from './recipes/pile-graph.js';
export { type BudgetOptions, type FittedBudget, fitToBudget } from './recipes/plan/budget.js';
export {
  type MeasuredContext,
  type MeasuredSpeeds,
  type MeasureOptions,
  measureSpeeds,
} from './recipes/plan/measure-speeds.js';
export { predictRunMs } from './recipes/plan/predict-run.js';
export type { StageGraphName } from './recipes/plan/stage-graph-names.js';
export { type PresetName, type PresetOverrides, presets, settingsFor } from './recipes/presets.js';
export { evaluateRun, type RunOptions } from './recipes/run.js';
export { parseSettings, type RunSettings } from './recipes/settings.js';
export { type Baseline, type BaselineOptions, baseline } from './recipes/stages/baseline.js';
export {
  type Classifier,
  type FineTuneOptions,
  type FineTuneStage,
  fineTune,
  type TrainedNetwork,
} from './recipes/stages/finetune.js';
export type { Fold } from './recipes/stages/fold.js';
export { type Pretrained, pretrain, type RotationEvaluation } from './recipes/stages/pretrain.js';
export { allStages, stageFacts } from './recipes/stages/registry.js';
export { type SelfTrainOptions, selfTrain } from './recipes/stages/self-train.js';
export type { ImageCounts, Speeds } from './recipes/stages/speeds.js';
export type {
  ImagesSeen,
  Lengths,
  SampleBatches,
  Scaling,
  Stage,
  StageDraw,
  StageFigures,
  StageLength,
  StageOutcome,
  Stopwatch,
  Tested,
  Workload,
} from './recipes/stages/stage.js';
export type { RunFigures } from './recipes/stages.js';
export {
  type Suggestion,
  type Suggestions,
  type SuggestOptions,
  type SuggestStrategy,
  suggest,
} from './recipes/suggest.js';
export type { AblationRow } from './report/ablation.js';
export { renderReport } from './report/render-report.js';
export type { Ablation, AblationEvent, AblationRun, AblationStore } from './runs/ablation.js';
export {
  type ReadRecordOptions,
  type RunOutcome,
  readConfig,
  readRecord,
  type TrainedClassifier,
} from './runs/finished-run.js';
export { type ModelCardOptions, modelCard } from './runs/model-card.js';
export { type AblationOutcome, type StartAblationOptions, startAblation } from './runs/start-ablation.js';
export {
  type ResumeRunOptions,
  type Run,
  resumeRun,
  type StartRunOptions,
  startRun,
} from './runs/start-run.js';
export type { Started } from './runs/started.js';
export { ProgramShelf } from './runtime/program-shelf.js';
export type { DeviceName, Program, Runtime } from './runtime/runtime.js';
export type { NeighbourGraph } from './similarity/neighbour-graph.js';
export { type TypicalOptions, type TypicalPoint, typicalPoints } from './similarity/typical.js';
export { type Checkpoint, type DocumentName, MemoryStore, type RunStore } from './store/checkpoint.js';
export type { DescriptionChoice, DescriptionKind } from './store/description-choice.js';
export type { LoggedEvent } from './store/event-log.js';
export type { Exhibits } from './store/exhibits-record.js';
export type { FoldAnswers } from './store/fold-answers.js';
export type { Invariance, InvarianceName } from './store/invariance.js';
export type { LabelDoubt, LabelDoubts } from './store/label-doubts.js';
export { type ClassNeed, classNeedSchema, type LabelNeeds, labelNeedsSchema } from './store/label-needs.js';
export { type LabelRecord, type LabelSource, readLabelRecord } from './store/label-record.js';
export type { RunEvent, RunEventListener, RunState } from './store/run-event.js';
export type {
  Calibration,
  EpochRecord,
  Estimate,
  Evidence,
  LadderFigure,
  Metrics,
  ResultFigure,
  RunRecord,
  RunResult,
  StageFacts,
  StageFailure,
  Teacher,
} from './store/run-record.js';
export { type RunStatus, readStatus } from './store/run-status.js';
export { StageEvidence, type StageOfDraw } from './store/stage-evidence.js';
export type { PlannedBatch } from './train/batches-ahead.js';
export type { ClassMetrics, ConfusionCell } from './train/class-metrics.js';
export type {
  ClassifierEvaluation,
  ShownPrediction,
  UnknownClass,
  UnsureEvaluation,
  UnsureShare,
} from './train/classifier-evaluation.js';
export type { Evaluation } from './train/evaluate.js';
export type { EarlyStop, EventListener, TrainEvent } from './train/events.js';
export type { TrainContext } from './train/loop.js';
export type { Reliability, ReliabilityBin } from './train/reliability.js';
export type { StateOf, TrainState } from './train/state.js';
