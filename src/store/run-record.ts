/** What a run leaves behind: written by recipes, read by the report and by resuming. Schemas first, types from them. */

import { z } from 'zod';
import { descriptionChoiceSchema } from './description-choice.js';
import type { Exhibits } from './exhibits-record.js';
import { foundAtMost } from './found-of.js';
import { invarianceSchema } from './invariance.js';
import type { LabelDoubts } from './label-doubts.js';
import type { LabelNeeds } from './label-needs.js';

export type { LayerRow, LayerTable } from '../nn/summary.js';

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const amount = z.number().min(0);

/** Accuracy in 0–1, and the mean loss: cross-entropy in nats, or what a stage minimises in its place. */
export const metricsSchema = z.object({ accuracy: share, loss: z.number() }).readonly();
export type Metrics = z.infer<typeof metricsSchema>;

/** Name of a stage: a plain word, since checkpoints are named by it. Which stages there are, recipes know. */
export const stageNameSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/, 'expected a plain word');

/** What can be told of a classifier on images whose classes nobody knows. */
const pileMetricsSchema = z
  .object({
    /** Mutual information of the classes of two views, in nats, 0 … ln K; 0 where all images are given one class. */
    information: amount,
    /** Share of images whose two views are given the same class. */
    agreement: share,
    /** Share of images given the class that is given least. */
    smallestClass: share,
  })
  .readonly();
export type PileMetrics = z.infer<typeof pileMetricsSchema>;

/** One line of `metrics.jsonl`: one finished epoch of one stage. */
export const epochSchema = z
  .object({
    stage: stageNameSchema,
    /** Label draw, 0 for the first; pretraining is shared by all draws and always 0. */
    draw: count,
    /** 1-based. */
    epoch: count,
    /** Steps of this stage done so far. */
    step: count,
    /** Mean over the epoch's training batches. */
    train: metricsSchema,
    /** Absent if a stage has no validation split. */
    val: metricsSchema.optional(),
    /** Of a stage that learns from the unlabelled pile, on a sample of it. */
    pile: pileMetricsSchema.optional(),
    /** At the epoch's last step. */
    learningRate: amount,
    durationMs: amount,
    /** The part of it that steps waited for their batches; absent in runs of earlier versions. */
    waitMs: amount.optional(),
    imagesPerSecond: amount,
  })
  .readonly();
export type EpochRecord = z.infer<typeof epochSchema>;

/** Whom self-training believes: images that look alike, or two views of one image. */
export const teachers = ['neighbours', 'views'] as const;
export type Teacher = (typeof teachers)[number];

/** What held-back labels say of a way to a classifier: networks that learned without them classified them. */
export const evidenceSchema = z
  .object({
    stage: stageNameSchema,
    /** How many of the held-back labels were classified correctly. */
    found: amount,
    of: z.int().min(1),
    /** Mean cross-entropy of the held-back labels, in nats; absent in runs of earlier versions. */
    logLoss: amount.optional(),
    /** Whom self-training believed. */
    teacher: z.enum(teachers).optional(),
  })
  .refine(...foundAtMost('of'))
  .readonly();
export type Evidence = z.infer<typeof evidenceSchema>;

/** How good the kept classifier is, as far as labels that were held back can tell; no test image takes part. */
export const estimateSchema = z
  .object({
    /** Share of held-back labels classified correctly. */
    accuracy: share,
    /** Ends of the interval. */
    low: share,
    high: share,
    /** Confidence of the interval. */
    level: share,
    /** Held-back labels that it is made from. */
    heldBack: z.int().min(1),
    /** How it was found, for people. */
    method: z.string(),
  })
  .readonly();
export type Estimate = z.infer<typeof estimateSchema>;

/** How the kept classifier's probabilities were calibrated, and what that changed on held-back labels. */
export const calibrationSchema = z
  .object({
    /** What logits are divided by before the softmax. */
    temperature: z.number().positive(),
    heldBack: z.int().min(1),
    /** Expected calibration error, 0–1, before and after. */
    eceBefore: share,
    eceAfter: share,
    /** Mean cross-entropy in nats, before and after. */
    logLossBefore: amount,
    logLossAfter: amount,
    /** Held-back labels by the confidence of their calibrated answers. */
    bins: z
      .array(z.object({ low: share, high: share, count, meanConfidence: share, accuracy: share }).readonly())
      .readonly(),
  })
  .readonly();
export type Calibration = z.infer<typeof calibrationSchema>;

/** A stage that failed. */
export const failureSchema = z.object({ stage: stageNameSchema, draw: count, reason: z.string() }).readonly();
export type StageFailure = z.infer<typeof failureSchema>;

/** `test` is null wherever the data has no test set. */
const tested = z.object({ test: metricsSchema.nullable() }).readonly();
const trainedAndTested = z.object({ train: metricsSchema, test: metricsSchema.nullable() }).readonly();

/** Classifiers whose probabilities are mixed, each with its share; none where no mixture was made. */
const mixed = z
  .object({
    test: metricsSchema.nullable(),
    members: z.array(z.object({ stage: stageNameSchema, share }).readonly()).readonly(),
  })
  .readonly();

/** The figures that the ladder is made of, from its foot. */
export const ladderFigures = [
  'baseline',
  'baselineReestimated',
  'scratch',
  'linearProbe',
  'fineTune',
  'selfTrain',
  'mixture',
] as const;
export type LadderFigure = (typeof ladderFigures)[number];

const ladderStepSchema = z
  .object({
    /** Which figure of the result it is. */
    figure: z.enum(ladderFigures),
    /** For people: `+ rotation pretraining`. */
    step: z.string(),
    test: metricsSchema,
    /** Of all training that led here. */
    durationMs: amount,
    /** Images, counted each time that a training step saw them, of all training that led here. */
    imagesTrained: count,
  })
  .readonly();
export type LadderStep = z.infer<typeof ladderStepSchema>;

const drawSchema = z
  .object({
    draw: count,
    /** On the test set; null if the stage was not run or failed, or if there is no test set. */
    fineTune: metricsSchema.nullable(),
    scratch: metricsSchema.nullable().default(null),
    linearProbe: metricsSchema.nullable().default(null),
    selfTrain: metricsSchema.nullable().default(null),
    mixture: metricsSchema.nullable().default(null),
    final: metricsSchema.nullable().default(null),
    /** Of the classifier that this draw keeps. */
    estimate: estimateSchema.nullable().default(null),
    baseline: metricsSchema.nullable(),
    baselineReestimated: metricsSchema.nullable(),
  })
  .readonly();
export type DrawResult = z.infer<typeof drawSchema>;

/**
 * `result.json`, and what `--json` prints. What the result of an earlier version lacks is null or empty.
 */
export const resultSchema = z
  .object({
    run: z.string(),
    preset: z.string(),
    seed: count,
    /** null if the stage was not run or failed. */
    pretext: z.object({ val: metricsSchema, test: metricsSchema.nullable() }).readonly().nullable(),
    fineTune: trainedAndTested.nullable(),
    /** `train` is the last epoch's, with the batches' own statistics, as the notebook prints it. */
    baseline: trainedAndTested.nullable(),
    baselineReestimated: tested.nullable(),
    /** Fine-tuning's schedule and augmentation from random weights: what pretraining is to be compared with. */
    scratch: tested.nullable().default(null),
    /** A linear head on the features of a frozen encoder. */
    linearProbe: tested.nullable().default(null),
    selfTrain: tested.nullable().default(null),
    mixture: mixed.nullable().default(null),
    /** The classifier that was saved, chosen by held-back labels, never by the test set. */
    final: z
      .object({ stage: stageNameSchema, test: metricsSchema.nullable() })
      .readonly()
      .nullable()
      .default(null),
    /** Evidence that draw 0's classifier was chosen by; empty if no labels could be held back. */
    evidence: z.array(evidenceSchema).readonly().default([]),
    /** What draw 0's pile was compared by; null where that was not chosen, as in runs of earlier versions. */
    description: descriptionChoiceSchema.nullable().default(null),
    /** Which changes draw 0's images were given to learn from, and why; empty where that was not asked. */
    invariances: z.array(invarianceSchema).readonly().default([]),
    /** How good draw 0's classifier is by labels that were held back; null if none could be. */
    estimate: estimateSchema.nullable().default(null),
    calibration: calibrationSchema.nullable().default(null),
    /** Stages that failed, of every draw. */
    failures: z.array(failureSchema).readonly().default([]),
    /** The same labels, used better and better: what each step brought and what it cost. */
    ladder: z.array(ladderStepSchema).readonly().default([]),
    /** One entry a label draw; the fields above are those of draw 0. */
    draws: z.array(drawSchema).readonly(),
    durationMs: amount,
    /** Of the pretraining steps alone: images of the batches / time of the steps. */
    trainImagesPerSecond: amount,
    /** Largest resident set of the process. */
    peakMemoryBytes: amount,
  })
  .readonly();
export type RunResult = z.infer<typeof resultSchema>;

/** A figure of a result that a stage gives. */
export type ResultFigure = 'pretext' | LadderFigure;

/** Name, title and figures of a stage, for reports. */
export interface StageFacts {
  readonly name: string;
  /** `Self-training on the unlabelled pile`. */
  readonly title: string;
  /** Its figures in the result, the one that stands for it first; empty if it gives none. */
  readonly figures: readonly ResultFigure[];
}

/** Everything that a report is made from. */
export interface RunRecord {
  /** All stages that a run may have, in their order. */
  readonly stages: readonly StageFacts[];
  /** Resolved settings, seeds, versions, checksums: shown as they are. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly epochs: readonly EpochRecord[];
  readonly result: RunResult;
  readonly exhibits: Exhibits;
  /** Labels that the rest contradicts; absent where nobody was asked. */
  readonly doubts?: LabelDoubts;
  /** Which classes more labels would help most; absent where nobody was asked. */
  readonly needs?: LabelNeeds;
}
