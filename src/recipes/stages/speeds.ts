import type { PileTimes } from '../pile-graph.js';

/** Numbers of images. */
export interface ImageCounts {
  readonly train: number;
  readonly test: number;
  readonly labelled: number;
  /** Folds of the labels that are held back in turn for cross-validation; 0 if none can be held back. */
  readonly folds: number;
}

/** Measured speeds of a machine, and the numbers of images to process. */
export interface Speeds {
  /** Time of one step of each stage that is to be run, by its name, its batch made, in ms. */
  readonly stepMs: Readonly<Record<string, number>>;
  /** Time to classify one image, in ms. */
  readonly imageMs: number;
  /** Time to make one distorted view of an image of the pile, in ms. */
  readonly viewMs: number;
  /** Time from a graph to its first result, beyond that of a usual run, in ms. */
  readonly compileMs: { readonly step: number; readonly classify: number };
  /** Time to find neighbours and to spread labels over them; 0 where neighbours teach nothing. */
  readonly pile: PileTimes;
  /** Time until a checkpoint is safe on a disk, in ms. */
  readonly saveMs: number;
  /** Gone since the prompt before the run can begin, in ms. */
  readonly spentMs: number;
  readonly images: ImageCounts;
}
