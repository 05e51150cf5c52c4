import type { ImageSource } from '../../data/image-source.js';
import type { Network } from '../../nn/network.js';
import type { Evidence, LadderFigure, ResultFigure, RunResult, StageFacts } from '../../store/run-record.js';
import type { StageEvidence } from '../../store/stage-evidence.js';
import type { PlannedBatch } from '../../train/batches-ahead.js';
import type { Evaluation } from '../../train/evaluate.js';
import type { RecipeContext } from '../context.js';
import type { Comparison, PileGraph } from '../pile-graph.js';
import type { StageGraphName } from '../plan/stage-graph-names.js';
import type { RunSettings } from '../settings.js';
import type { Classifier, TrainedNetwork } from './finetune.js';
import type { Fold } from './fold.js';
import type { Pretrained } from './pretrain.js';
import type { ImageCounts, Speeds } from './speeds.js';

/**
 * The images that a classifier learned from, most first: the whole pile and, in another way, those of pretraining; the whole pile;
 * those of pretraining; the labelled ones.
 */
export const imagesSeen = ['pile and pretraining', 'pile', 'pretraining', 'labels'] as const;
/** What a mixture of classifiers learned from. */
export const [seenByMixtures] = imagesSeen;
export type ImagesSeen = (typeof imagesSeen)[number];

/** A stage of a run, as the rest of the code sees it. `registry.ts` lists all stages. */
export interface Stage extends StageFacts {
  /** In a sentence: `self-training`. */
  readonly activity: string;
  /** Trained once for all draws of the labels, since it does not use them. */
  readonly isShared: boolean;
  /** The images that its classifier learns from; absent if it leaves no classifier to keep. */
  readonly learnsFrom?: ImagesSeen;
  /** Its settings; null if a run with these settings cannot have it. */
  settingsOf(settings: RunSettings): { readonly epochs: number } | null;
  /** Whether a run with these settings has it by default. */
  isAskedFor(settings: RunSettings): boolean;
  /**
   * Raised by hand whenever the same settings, data and labels give another outcome: checkpoints of an earlier version
   * are then trained anew.
   */
  readonly version: number;
  /** What its outcome depends on beside seed, network, data and labels. Default: its settings. */
  dependsOn?(context: Pick<RecipeContext, 'settings' | 'data'>): unknown;
  /** Whether it learns from distorted images, which may be mirrored, too. */
  readonly isDistorted?: true;
  /** Whether it also depends on the evidence for the other stages of the run, and on what all draws share. */
  readonly heedsEvidence?: true;
  /** The stages that it starts from. */
  needs(settings: RunSettings): readonly Stage[];
  /**
   * Checks, before anything is written, whether the data can be used.
   * @throws QuarterturnError saying what does not fit
   */
  assertFits?(context: Pick<RecipeContext, 'settings' | 'data' | 'labels'>): void;
  /**
   * Trains it for one draw, from its checkpoint if there is one.
   * @throws QuarterturnError `diverged` if it fails
   */
  train(draw: StageDraw): Promise<StageOutcome>;
  /**
   * Learns as in `train`, if more shortly, without a fold of the labels. Called after it is trained; how the network
   * classifies the labels that were held back is the evidence for the stage. Absent if it cannot be tested.
   * @throws QuarterturnError `diverged` if it fails
   */
  learnWithout?(draw: StageDraw, fold: Fold): Promise<TrainedNetwork>;
  /** The network of its classifier, if that is another than the run's own. @param network the run's own */
  networkOf?(network: Network): Network;
  /** How a budget changes its length; absent if the length is fixed by the preset. */
  readonly scaling?: Scaling;
  /** Steps of one draw. */
  stepsOf(settings: RunSettings, images: ImageCounts): number;
  /** Steps of a training that is tried with labels held back, were it given all labels; absent: as many as the stage has. */
  trialStepsOf?(settings: RunSettings, images: ImageCounts): number;
  /** Time of a step, its batch made, in ms. */
  stepMs(context: Omit<RecipeContext, 'store'>, stopwatch: Stopwatch): Promise<number>;
  /** Time of one draw, with evaluation and cross-validation, in ms. */
  drawMs(work: Workload): number;
  /** Time of the work that all draws share, in ms. */
  sharedMs?(work: Workload): number;
}

/** Scales the length of a stage. */
export interface Scaling {
  /** Whether the labelled images are an epoch, so that only the number of epochs can change. */
  readonly isEpochGiven: boolean;
  /** The most steps of a training that is tried with labels held back, however long the stage is; default: all of its steps. */
  readonly mostTrialSteps?: number;
  /** The settings with another length of this stage. */
  resize(settings: RunSettings, length: StageLength): RunSettings;
}

/** Length of a stage, in whole numbers. */
export interface StageLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Of what is tried with labels held back, where the labelled images are an epoch; absent: as long as usual. */
  readonly trialEpochs?: number | undefined;
  /** The same in steps. */
  readonly trialSteps?: number | undefined;
}

/** Length of each stage, in epochs and steps, which may be fractions. */
export interface Lengths {
  epochs(stage: Stage): number;
  steps(stage: Stage): number;
  /** Of a training that is tried with labels held back, were it given all labels. */
  trialSteps(stage: Stage): number;
}

/** All that a stage's time depends on. */
export interface Workload extends Lengths {
  readonly settings: RunSettings;
  readonly speeds: Speeds;
}

/** A machine on which steps are timed. */
export interface Stopwatch {
  isRun(stage: Stage): boolean;
  /**
   * Time of a step of this graph, in ms, its batches made where the training will have them made. Each graph is timed
   * once.
   */
  stepMs(graph: StageGraphName, batches: SampleBatches): Promise<number>;
}

/** Batches that take as long to be made as those of a stage do. */
export interface SampleBatches {
  readonly images: ImageSource;
  batch(): PlannedBatch;
}

/** One draw of the labels in which a stage is trained, and its outcomes so far. */
export interface StageDraw {
  readonly context: RecipeContext;
  /** 0 for what all draws share. */
  readonly draw: number;
  readonly stageEvidence: StageEvidence;
  /** Evidence for the classifiers so far. */
  readonly evidence: readonly Evidence[];
  isWanted(stage: Stage): boolean;
  /** undefined if a stage was not run or failed. */
  outcomeOf(stage: Stage): StageOutcome | undefined;
  /** The network that a stage learned without a fold of the labels; trained when it is first asked for. */
  foldNetwork(stage: Stage, fold: number): Promise<TrainedNetwork>;
  /** Which images look alike, found out once for all draws. */
  pileGraph(comparison: Comparison): Promise<PileGraph>;
}

/** Outcome of a stage. */
export interface StageOutcome {
  /** Its part of the run's result, of the first draw. */
  readonly figures: Partial<StageFigures>;
  /** Its classifiers that were evaluated on the test images. */
  readonly tested: readonly Tested[];
  /** The classifier that may be kept, if it leaves one. */
  readonly classifier?: Classifier;
  readonly pretrained?: Pretrained;
}

/** The figures in a result that stages give. */
export type StageFigures = Pick<RunResult, ResultFigure>;

/** A classifier on the test images: a step of the ladder, and a confusion matrix of the report. */
export interface Tested {
  readonly figure: LadderFigure;
  /** What it is on the ladder: `+ self-training`. */
  readonly step: string;
  /** When it was tested: `after self-training`. */
  readonly when: string;
  /** Absent if the data has no test set. */
  readonly test: Evaluation | undefined;
}
