import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { adam } from '../optim/adam.js';
import type { Optimizer } from '../optim/optimizer.js';
import { constant, inverseTime, oneCycle, type Schedule } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
import type { StageName } from '../train/run-record.js';
import { labelsSchema } from './given-labels.js';

const fraction = z.number().min(0).max(1);
const count = z.int().min(1);
const positive = z.number().positive();

const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), momentum: fraction, weightDecay: z.number().min(0).default(0) }),
  z.strictObject({
    kind: z.literal('adam'),
    beta1: fraction,
    beta2: fraction,
    epsilon: positive,
    weightDecay: z.number().min(0).default(0),
  }),
]);

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), learningRate: positive }),
  z.strictObject({ kind: z.literal('inverseTime'), learningRate: positive, decay: z.number().min(0) }),
  z.strictObject({ kind: z.literal('oneCycle'), peak: positive }),
]);

/**
 * An `AugmentationStrength`: amplitudes for images of any size, lengths as fractions of the shorter side. What the
 * `config.json` of an older run lacks is off.
 */
const augmentationSchema = z.strictObject({
  rotateDegrees: z.number().min(0).max(180),
  scale: z.number().min(0).max(0.9),
  shiftFraction: fraction,
  shearFraction: z.number().min(0).max(1),
  aspect: z.number().min(0).max(0.9).default(0),
  elasticFraction: fraction.default(0),
  cutoutFraction: fraction.default(0),
  flipHorizontal: z.boolean().default(false),
  contrast: fraction.default(0),
  brightness: fraction.default(0),
});

const stageSchema = z.strictObject({
  epochs: count,
  batchSize: count,
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  batchNormMomentum: fraction,
});

const selfTrainSchema = stageSchema.omit({ batchSize: true }).extend({
  /**
   * The classifier that it goes on from: the fine-tuned one, as in the runs of earlier versions, or one trained on the
   * labels from random weights.
   */
  start: z.enum(['finetune', 'scratch']).default('finetune'),
  /** Where the pile's classes come from: images that look alike, or agreement of two views, as in earlier versions. */
  teacher: z.enum(['neighbours', 'views']).default('views'),
  /** Share of the pile, the images between two classes, that neighbours do not teach. */
  doubtful: z.number().min(0).lt(1).default(0.05),
  /** Epochs after which the classes that neighbours gave are corrected by what was learned; null: never. */
  correctEvery: count.nullable().default(null),
  stepsPerEpoch: count,
  /** A batch of views is made of these labelled images and of each unlabelled one twice; one of neighbours is as large. */
  labelledPerStep: count,
  pairsPerStep: count,
  /** How far the two views of an unlabelled image are distorted. */
  mild: augmentationSchema,
  strong: augmentationSchema,
  labelSmoothing: fraction,
  labelWeight: z.number().min(0),
  informationWeight: z.number().min(0),
  pseudoLabelWeight: z.number().min(0),
  threshold: fraction,
  averageDecay: fraction,
});

/** Every setting of a run; `config.json` holds them resolved. */
export const settingsSchema = z
  .strictObject({
    preset: z.enum(['quick', 'best', 'notebook']),
    seed: z.int().min(0),
    /** Label draws: draw 0 is the notebook's (first of each class), further ones are random. */
    draws: z.int().min(1).max(100),
    /** Of no effect where `labels` names the images. */
    labelsPerClass: count,
    /** Exactly these images are the labelled ones; null: `labelsPerClass` of each class. */
    labels: labelsSchema.nullable().default(null),
    network: z.strictObject({
      backbone: z.enum(['rotnet', 'compact']).default('rotnet'),
      width: positive.max(8),
      batchNormEpsilon: positive,
    }),
    pretrain: stageSchema.extend({
      /** Steps of one epoch; null: all training images once. */
      stepsPerEpoch: count.nullable(),
      /** What is split: rotated copies (leaks: copies of one image fall on both sides), or images. */
      split: z.enum(['copy', 'image']),
      valFraction: z.number().gt(0).lt(1),
      /** All four turns of an image in one batch. */
      grouped: z.boolean(),
    }),
    finetune: stageSchema.extend({
      /** What it starts from: the pretrained backbone, or random weights, for which nothing is pretrained. */
      from: z.enum(['backbone', 'random']).default('backbone'),
      frozenBlocks: z.int().min(0).max(3),
      augmentation: augmentationSchema.nullable(),
      labelSmoothing: fraction,
      /** Take BatchNorm's statistics from the unlabelled pile at the end. */
      reestimate: z.boolean(),
    }),
    /** null: fine-tuning's classifier is the last word. */
    selfTrain: selfTrainSchema.nullable().default(null),
    baseline: stageSchema,
    /** The time for which the steps were counted out, in ms; they are not counted out again. */
    budgetMs: count.optional(),
  })
  .refine(({ labels, draws }) => labels === null || draws === 1, {
    path: ['draws'],
    error: 'expected 1, since the labels are given',
  });

export type RunSettings = z.infer<typeof settingsSchema>;
export type StageSettings = z.infer<typeof stageSchema>;
export type SelfTrainSettings = z.infer<typeof selfTrainSchema>;

/**
 * Check settings that come from outside (a file, a flag).
 * @throws QuarterturnError `usage` naming each field that is wrong
 */
export function parseSettings(value: unknown, where = 'settings'): RunSettings {
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  throw new QuarterturnError('usage', `${where}: expected valid settings. Received: ${faults.join('; ')}.`, {
    hint: 'See `quarterturn run --help` for the flags and their ranges.',
  });
}

/**
 * The settings in a run's `config.json`, which holds more than them.
 * @throws QuarterturnError `usage` naming each field that is wrong
 */
export function settingsOfConfig(config: unknown, where: string): RunSettings {
  const known = Object.keys(settingsSchema.shape);
  const entries = Object.entries((config ?? {}) as Record<string, unknown>).filter(([key]) =>
    known.includes(key),
  );
  return parseSettings(Object.fromEntries(entries), where);
}

/** Whether the frozen blocks' output can be computed once for all steps: their images must stay the same. */
export function cachesFeatures({
  frozenBlocks,
  augmentation,
}: Pick<RunSettings['finetune'], 'frozenBlocks' | 'augmentation'>): boolean {
  return frozenBlocks > 0 && augmentation === null;
}

/** The settings that a stage goes by; a run without self-training has none for it. */
export function settingsOfStage(settings: RunSettings, stage: StageName): { readonly epochs: number } | null {
  return settings[stage === 'scratch' ? 'finetune' : stage];
}

/** The optimizer that a stage asks for. */
export function optimizerOf({ optimizer }: Pick<StageSettings, 'optimizer'>): Optimizer {
  return optimizer.kind === 'sgd' ? sgd(optimizer) : adam(optimizer);
}

/** The schedule that a stage asks for. */
export function scheduleOf({ schedule }: Pick<StageSettings, 'schedule'>, totalSteps: number): Schedule {
  switch (schedule.kind) {
    case 'constant':
      return constant(schedule.learningRate);
    case 'inverseTime':
      return inverseTime(schedule.learningRate, schedule.decay);
    case 'oneCycle':
      return oneCycle({ peak: schedule.peak, totalSteps });
  }
}
