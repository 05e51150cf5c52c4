import type { ImageSource } from '../../data/image-source.js';
import type { Evidence, LadderFigure, RunResult, StageFacts } from '../../store/run-record.js';
import type { StageEvidence } from '../../store/stage-evidence.js';
import type { PlannedBatch } from '../../train/batches-ahead.js';
import type { Evaluation } from '../../train/evaluate.js';
import type { RecipeContext } from '../context.js';
import type { PileGraph } from '../pile-graph.js';
import type { StageGraphName } from '../plan/stage-graph-names.js';
import type { RunSettings } from '../settings.js';
import type { ImagesSeen } from './evidence.js';
import type { Classifier } from './finetune.js';
import type { Pretrained } from './pretrain.js';
import type { ImageCounts, Speeds } from './speeds.js';

/** A stage of a run: all that others have to know of it. `registry.ts` lists them. */
export interface Stage extends StageFacts {
  /** In a sentence: `self-training`. */
  readonly activity: string;
  /** Trained once for all draws of the labels, at which it does not look. */
  readonly isShared: boolean;
  /** What its classifier has learned from; absent where it leaves none that may be kept. */
  readonly learnsFrom?: ImagesSeen;
  /** The settings that it goes by; null where a run with these settings cannot have it. */
  settingsOf(settings: RunSettings): { readonly epochs: number } | null;
  /** Whether a run with these settings has it unless it is told otherwise. */
  isAskedFor(settings: RunSettings): boolean;
  /**
   * Raised by hand whenever it comes to another outcome from the same settings, data and labels: what an earlier version
   * has trained is then trained anew.
   */
  readonly version: number;
  /** What its outcome depends on beside seed, network, data and labels; default: the settings that it goes by. */
  dependsOn?(context: Pick<RecipeContext, 'settings' | 'data'>): unknown;
  /** Whether it depends on what held-back labels say of the other stages of the run, too. */
  readonly heedsEvidence?: true;
  /** The stages whose outcome it goes on from. */
  needs(settings: RunSettings): readonly Stage[];
  /**
   * Find out before anything is written whether the data can be used.
   * @throws QuarterturnError saying what does not fit
   */
  assertFits?(context: Pick<RecipeContext, 'settings' | 'data' | 'labels'>): void;
  /**
   * Train it for one draw, from its checkpoint where there is one.
   * @throws QuarterturnError `diverged` where it comes to nothing
   */
  train(draw: StageDraw): Promise<StageOutcome>;
  /**
   * What held-back labels say of a stage that learns from the labels alone; undefined where none can be held back.
   * Asked for once those stages are trained, where there is a choice.
   */
  crossValidate?(draw: StageDraw): Promise<Evidence | undefined>;
  /** How a budget makes it longer or shorter; absent where its length is as the preset has it. */
  readonly scaling?: Scaling;
  /** Steps of one draw. */
  stepsOf(settings: RunSettings, images: ImageCounts): number;
  /** Time of a step, its batch made, in ms. */
  stepMs(context: Omit<RecipeContext, 'store'>, stopwatch: Stopwatch): Promise<number>;
  /** Time of one draw, with evaluation and cross-validation, in ms. */
  drawMs(work: Workload): number;
  /** Time of what it needs once for all draws, in ms. */
  sharedMs?(work: Workload): number;
}

/** How the length of a stage is changed. */
export interface Scaling {
  /** Whether the labelled images are an epoch, so that only the number of epochs can change. */
  readonly isEpochGiven: boolean;
  /** The settings with another length of this stage. */
  resize(
    settings: RunSettings,
    length: { readonly epochs: number; readonly stepsPerEpoch: number },
  ): RunSettings;
}

/** How long each stage is; neither has to be whole. */
export interface Lengths {
  epochs(stage: Stage): number;
  steps(stage: Stage): number;
}

/** What a stage's time depends on. */
export interface Workload extends Lengths {
  readonly settings: RunSettings;
  readonly speeds: Speeds;
  /** Whether there are several classifiers to choose from: a single one is not cross-validated. */
  readonly isChoice: boolean;
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

/** Where a stage is trained: one draw of the labels, and what there is of it so far. */
export interface StageDraw {
  readonly context: RecipeContext;
  /** 0 for what all draws share. */
  readonly draw: number;
  readonly stageEvidence: StageEvidence;
  /** What speaks for the classifiers so far. */
  readonly evidence: readonly Evidence[];
  isWanted(stage: Stage): boolean;
  /** undefined where a stage was not run or came to nothing. */
  outcomeOf(stage: Stage): StageOutcome | undefined;
  /** Which images look alike, found out once for all draws. */
  pileGraph(): Promise<PileGraph>;
}

/** What a stage came to. */
export interface StageOutcome {
  /** Its part of the run's result, of the first draw. */
  readonly figures: Partial<StageFigures>;
  /** What of it was asked for the classes of the test images. */
  readonly tested: readonly Tested[];
  /** The classifier that may be kept, where it leaves one. */
  readonly classifier?: Classifier;
  /** What speaks for that classifier, where the stage has found it out by itself. */
  readonly evidence?: Evidence | undefined;
  readonly pretrained?: Pretrained;
}

/** The figures in a result that stages give. */
export type StageFigures = Pick<
  RunResult,
  'pretext' | 'fineTune' | 'baseline' | 'baselineReestimated' | 'scratch' | 'selfTrain'
>;

/** A classifier on the test images: a step of the ladder, and a confusion matrix of the report. */
export interface Tested {
  readonly figure: LadderFigure;
  /** What it is on the ladder: `+ self-training`. */
  readonly step: string;
  /** When it was tested: `after self-training`. */
  readonly when: string;
  /** Absent where the data has no test set. */
  readonly test: Evaluation | undefined;
}
