import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { adam } from '../optim/adam.js';
import type { Optimizer } from '../optim/optimizer.js';
import { constant, inverseTime, oneCycle, type Schedule } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
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

const augmentationSchema = z.strictObject({
  rotateDegrees: z.number().min(0).max(180),
  scale: z.number().min(0).max(0.9),
  /** Of the shorter side. */
  shiftFraction: fraction,
  shearFraction: z.number().min(0).max(1),
});

const stageSchema = z.strictObject({
  epochs: count,
  batchSize: count,
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  batchNormMomentum: fraction,
});

/** Every setting of a run; `config.json` holds them resolved. */
export const settingsSchema = z
  .strictObject({
    preset: z.enum(['quick', 'notebook']),
    seed: z.int().min(0),
    /** Label draws: draw 0 is the notebook's (first of each class), further ones are random. */
    draws: z.int().min(1).max(100),
    /** Of no effect where `labels` names the images. */
    labelsPerClass: count,
    /** Exactly these images are the labelled ones; null: `labelsPerClass` of each class. */
    labels: labelsSchema.nullable().default(null),
    network: z.strictObject({ width: positive.max(8), batchNormEpsilon: positive }),
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
      frozenBlocks: z.int().min(0).max(3),
      augmentation: augmentationSchema.nullable(),
      labelSmoothing: fraction,
      /** Take BatchNorm's statistics from the unlabelled pile at the end. */
      reestimate: z.boolean(),
    }),
    baseline: stageSchema,
  })
  .refine(({ labels, draws }) => labels === null || draws === 1, {
    path: ['draws'],
    error: 'expected 1, since the labels are given',
  });

export type RunSettings = z.infer<typeof settingsSchema>;
export type StageSettings = z.infer<typeof stageSchema>;

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
export function cachesFeatures({ frozenBlocks, augmentation }: RunSettings['finetune']): boolean {
  return frozenBlocks > 0 && augmentation === null;
}

/** The optimizer that a stage asks for. */
export function optimizerOf({ optimizer }: StageSettings): Optimizer {
  return optimizer.kind === 'sgd' ? sgd(optimizer) : adam(optimizer);
}

/** The schedule that a stage asks for. */
export function scheduleOf({ schedule }: StageSettings, totalSteps: number): Schedule {
  switch (schedule.kind) {
    case 'constant':
      return constant(schedule.learningRate);
    case 'inverseTime':
      return inverseTime(schedule.learningRate, schedule.decay);
    case 'oneCycle':
      return oneCycle({ peak: schedule.peak, totalSteps });
  }
}
