/** Types of what a run leaves behind: written by recipes, read by the report, the studio and resume. */

import type { LayerTable } from '../nn/summary.js';

export type { LayerRow, LayerTable } from '../nn/summary.js';

/** Accuracy in 0–1 and mean cross-entropy in nats. */
export interface Metrics {
  readonly accuracy: number;
  readonly loss: number;
}

/** The stages of a run, in their order. */
export const stageNames = ['pretrain', 'finetune', 'scratch', 'selfTrain', 'baseline'] as const;
export type StageName = (typeof stageNames)[number];

/** What can be told of a classifier on images whose classes nobody knows. */
export interface PileMetrics {
  /** Mutual information of the classes of two views, in nats, 0 … ln K; 0 where all images are given one class. */
  readonly information: number;
  /** Share of images whose two views are given the same class. */
  readonly agreement: number;
  /** Share of images given the class that is given least. */
  readonly smallestClass: number;
}

/** One line of `metrics.jsonl`: one finished epoch of one stage. */
export interface EpochRecord {
  readonly stage: StageName;
  /** Label draw, 0 for the first; pretraining is shared by all draws and always 0. */
  readonly draw: number;
  /** 1-based. */
  readonly epoch: number;
  /** Steps of this stage done so far. */
  readonly step: number;
  /** Mean over the epoch's training batches. */
  readonly train: Metrics;
  /** Absent where a stage has no validation split. */
  readonly val?: Metrics;
  /** Of a stage that learns from the unlabelled pile, on a sample of it. */
  readonly pile?: PileMetrics;
  /** At the epoch's last step. */
  readonly learningRate: number;
  readonly durationMs: number;
  readonly imagesPerSecond: number;
}

/** `result.json`, and what `--json` prints. */
export interface RunResult {
  readonly run: string;
  readonly preset: string;
  readonly seed: number;
  /** null where the stage was not run. */
  readonly pretext: { readonly val: Metrics; readonly test: Metrics } | null;
  readonly fineTune: { readonly train: Metrics; readonly test: Metrics } | null;
  /** `train` is the last epoch's, with the batches' own statistics, as the notebook prints it. */
  readonly baseline: { readonly train: Metrics; readonly test: Metrics } | null;
  readonly baselineReestimated: { readonly test: Metrics } | null;
  /** Fine-tuning's schedule and augmentation from random weights: what pretraining is to be compared with. */
  readonly scratch: { readonly test: Metrics } | null;
  readonly selfTrain: { readonly test: Metrics } | null;
  /** The classifier that was saved, chosen by labels and pile, never by the test set. */
  readonly final: { readonly stage: ClassifierStage; readonly test: Metrics } | null;
  /** The same labels, used better and better: what each step brought and what it cost. */
  readonly ladder: readonly LadderStep[];
  /** One entry a label draw; the fields above are those of draw 0. */
  readonly draws: readonly DrawResult[];
  readonly durationMs: number;
  /** Of the pretraining steps alone: images of the batches / time of the steps. */
  readonly trainImagesPerSecond: number;
  /** Largest resident set of the process. */
  readonly peakMemoryBytes: number;
}

/** Stages that leave a classifier. */
export type ClassifierStage = 'finetune' | 'selfTrain';

export interface LadderStep {
  /** Which figure of the result it is. */
  readonly figure: 'baseline' | 'baselineReestimated' | 'scratch' | 'fineTune' | 'selfTrain';
  /** For people: `+ rotation pretraining`. */
  readonly step: string;
  readonly test: Metrics;
  /** Of all training that led here. */
  readonly durationMs: number;
  /** Images, counted each time that a training step saw them, of all training that led here. */
  readonly imagesTrained: number;
}

export interface DrawResult {
  readonly draw: number;
  /** On the test set; null where the stage was not run. */
  readonly fineTune: Metrics | null;
  readonly scratch: Metrics | null;
  readonly selfTrain: Metrics | null;
  readonly final: Metrics | null;
  readonly baseline: Metrics | null;
  readonly baselineReestimated: Metrics | null;
}

/** One picture of a grid. */
export interface Tile {
  /** Base64 of uint8 [height, width, channels]. */
  readonly pixels: string;
  readonly caption: string;
  /** Drawn with a red cross. */
  readonly wrong: boolean;
}

export interface ImageGrid {
  readonly title: string;
  readonly columns: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly tiles: readonly Tile[];
}

export interface ConfusionMatrix {
  readonly title: string;
  readonly classNames: readonly string[];
  /** counts[actual][predicted]. */
  readonly counts: readonly (readonly number[])[];
}

/** `exhibits.json`: what the report shows beside curves and figures. */
export interface Exhibits {
  readonly grids: readonly ImageGrid[];
  readonly layerTables: readonly LayerTable[];
  readonly confusions: readonly ConfusionMatrix[];
  /** Class names with how many training and labelled images each has. */
  readonly classCounts: readonly {
    readonly name: string;
    readonly train: number;
    readonly labelled: number;
  }[];
}

/** Everything that a report is made from. */
export interface RunRecord {
  /** Resolved settings, seeds, versions, checksums: shown as they are. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly epochs: readonly EpochRecord[];
  readonly result: RunResult;
  readonly exhibits: Exhibits;
}
