/** `quarterturn/node`: what Node adds to the library, files, folders and native kernels. */

export { BatchWorker, type BatchWorkerOptions } from './data/batch-worker.node.js';
export type { CacheOptions } from './data/cache/cache-folder.node.js';
export type { KnownImage, SamePicture } from './data/duplicates.js';
export { readIdxFolder } from './data/idx-folder.node.js';
export {
  type DecodedImage,
  type DecodeOptions,
  decodeView,
  type ImageView,
  type ImageViewOptions,
} from './data/image-decode.node.js';
export { readImageFiles } from './data/image-files.node.js';
export type { ChosenFit, FitMode, FitOptions, Ground, ImageFit } from './data/image-fit.js';
export { createImportEta } from './data/import-eta.node.js';
export type { ImportedImage, ImportOptions, ImportProgress } from './data/import-images.node.js';
export type { LeftOut } from './data/left-out.js';
export { readMnist } from './data/mnist.node.js';
export type {
  FoundImage,
  FoundImages,
  ImageBytes,
  SkippedFile,
  Split,
} from './data/readers/found-images.js';
export type { ArrayFormat, SourceFormat } from './data/readers/open-found.node.js';
export { type OpenImagesOptions, openImages } from './data/readers/open-images.node.js';
export type { SkippedKind } from './data/skipped-files.js';
export type { LabelTableOptions, TableFormat } from './labels/label-table.js';
export type { ColumnChoice, ColumnOptions } from './labels/table-columns.js';
export type { TextEncoding } from './labels/table-text.js';
export { AblationFolder } from './runs/ablation-folder.node.js';
export {
  type ClassifyPicturesOptions,
  classifyPictures,
  type FittedPicture,
  type Picture,
  type PictureOutcome,
} from './runs/classify-pictures.node.js';
export {
  type EvaluatedPart,
  type EvaluateModelOptions,
  evaluateModel,
  type ModelEvaluation,
} from './runs/evaluate-model.node.js';
export {
  type EncoderStage,
  encoderStages,
  exportRunEncoder,
  type RunEncoderOptions,
} from './runs/export-run.node.js';
export type { ImportedData } from './runs/imported-data.node.js';
export { type OpenRunEncoderOptions, openRunEncoder } from './runs/open-run-encoder.node.js';
export {
  type ImagePrediction,
  type PredictImagesOptions,
  predictImages,
} from './runs/predict-images.node.js';
export type { Shard } from './runs/prediction-inputs.node.js';
export { isUnsure, type PredictionRow } from './runs/prediction-row.js';
export { cpuMs, peakMemoryBytes } from './runs/process-usage.node.js';
export { type ReadImages, type ReadImagesOptions, readImages } from './runs/read-images.node.js';
export type { Reading } from './runs/reading.node.js';
export { writeReport } from './runs/report.node.js';
export {
  environmentIn,
  environmentOf,
  type RunEnvironment,
  readRunData,
} from './runs/run-environment.node.js';
export { createNodeRuntime, type NodeRuntimeOptions } from './runtime/node.js';
export { RunFolder } from './store/run-folder.node.js';
export { type WatchRunOptions, watchRun } from './store/watch-run.node.js';
