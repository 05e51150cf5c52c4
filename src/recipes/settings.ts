import { z } from 'zod';
import type { AugmentationStrength } from '../data/augmentation-policy.js';
import { turnCount } from '../data/rotation.js';
import { encoderOptionsSchema } from '../features/encoder-settings.js';
import { labelsSchema } from '../labels/given-labels.js';
import { backboneNames } from '../nn/network.js';
import { adam } from '../optim/adam.js';
import type { Optimizer } from '../optim/optimizer.js';
import { constantRate, inverseTime, oneCycle, type Schedule } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
import type { InvarianceName } from '../store/invariance.js';
import { excerptOf, parseWith } from '../store/json.js';
import { integerBetween, numberBetween } from '../store/ranges.js';

/** A share, a probability, a momentum. */
const fraction = numberBetween(0, 1);
/** A hundred days of epochs of a second: the longest time that a run is given. */
const epochs = integerBetween(1, 10_000_000);
/** A hundred days of steps of a tenth of a second. */
const steps = integerBetween(1, 100_000_000);
/** A batch is one tensor of images, each of which is a map of a hundred channels in the network. */
const batchSize = integerBetween(1, 65_536);
/** Above it, the weights of one layer leave float32 within a few steps, whatever the gradient. */
const learningRate = numberBetween(0, 1e9, { above: true });
/** What keeps a variance from 0; images are scaled to 1, so that no variance is much larger. */
const epsilon = numberBetween(0, 1, { above: true });
/** At 1 and a learning rate of 1, a step takes all that a weight has. */
const weightDecay = numberBetween(0, 1);
/** How much a part of the loss counts beside the others, which are a few nats. */
const lossWeight = numberBetween(0, 1000);

const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), momentum: fraction, weightDecay: weightDecay.default(0) }),
  z.strictObject({
    kind: z.literal('adam'),
    beta1: fraction,
    beta2: fraction,
    epsilon,
    weightDecay: weightDecay.default(0),
  }),
]);

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), learningRate }),
  // A decay of 1 halves the rate after the first step.
  z.strictObject({ kind: z.literal('inverseTime'), learningRate, decay: numberBetween(0, 1) }),
  z.strictObject({ kind: z.literal('oneCycle'), peak: learningRate }),
]);

/**
 * An `AugmentationStrength`: amplitudes for images of any size, lengths as fractions of the shorter side. What the
 * `config.json` of an older run lacks is off.
 */
const augmentationSchema = z.strictObject({
  // Half a turn either way is any turn.
  rotateDegrees: numberBetween(0, 180),
  // At 1, an image could shrink to nothing.
  scale: numberBetween(0, 0.9),
  shiftFraction: fraction,
  shearFraction: fraction,
  aspect: numberBetween(0, 0.9).default(0),
  elasticFraction: fraction.default(0),
  cutoutFraction: fraction.default(0),
  flipHorizontal: z.boolean().default(false),
  contrast: fraction.default(0),
  brightness: fraction.default(0),
});

const stageSchema = z.strictObject({
  epochs,
  batchSize,
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
  /** Share of the pile, images between two classes, that neighbours do not teach at most. */
  doubtful: numberBetween(0, 0.999).default(0.05),
  /** Epochs after which the classes that neighbours gave are corrected by what was learned; null: never. */
  correctEvery: epochs.nullable().default(null),
  stepsPerEpoch: steps,
  /** Steps of a self-training that is only tried, with labels held back; absent: the usual ones (`usualTrialSteps`). */
  trialSteps: steps.optional(),
  /** A batch of views is made of these labelled images and of each unlabelled one twice; one of neighbours is as large. */
  labelledPerStep: integerBetween(1, 32_768),
  pairsPerStep: integerBetween(1, 16_384),
  /** How far the two views of an unlabelled image are distorted. */
  mild: augmentationSchema,
  strong: augmentationSchema,
  labelSmoothing: fraction,
  labelWeight: lossWeight,
  informationWeight: lossWeight,
  pseudoLabelWeight: lossWeight,
  threshold: fraction,
  averageDecay: fraction,
});

const pretrainSchema = stageSchema
  .extend({
    /** Steps of one epoch; null: all training images once. */
    stepsPerEpoch: steps.nullable(),
    /** What is split: rotated copies (leaks: copies of one image fall on both sides), or images. */
    split: z.enum(['copy', 'image']),
    valFraction: numberBetween(0, 0.999, { above: true }),
    /** All four turns of an image in one batch. */
    grouped: z.boolean(),
  })
  .refine(({ grouped, batchSize }) => !grouped || batchSize % turnCount === 0, {
    path: ['batchSize'],
    error: `expected a multiple of ${turnCount}, since the turns of an image lie in one batch (grouped)`,
  });

/** A frozen network that describes images. */
const encoderSchema = z.strictObject({
  name: z.string().min(1).max(1000),
  /** Absolute path of its file, or the name that it is known by. */
  file: z.string().min(1).max(4000),
  /** Of the file and of how it is used. */
  fingerprint: z.string().min(1).max(200),
  options: encoderOptionsSchema,
  /** Whether nothing is trained but a head on it: images are too large for the networks of this package. */
  alone: z.boolean(),
});

/** Every setting of a run; `config.json` holds them resolved. */
export const settingsSchema = z
  .strictObject({
    preset: z.enum(['quick', 'best', 'notebook']),
    // Beyond it, neighbouring whole numbers are one.
    seed: integerBetween(0, Number.MAX_SAFE_INTEGER),
    /** Label draws: draw 0 is the notebook's (first of each class), further ones are random. */
    draws: integerBetween(1, 100),
    /** Labels that each class is given of those that the data has, or all of them. Ignored if `labels` names the images. */
    labelsPerClass: z.union([z.literal('all'), integerBetween(1, 1_000_000)], {
      error: ({ input }) => `expected a whole number from 1 to 1000000 or "all", not ${excerptOf(input)}`,
    }),
    /**
     * Steps at most of a stage that learns from labels alone: its epochs are as many as fit, one at least. null: as many epochs
     * as its settings say, however many labels there are, as in earlier versions.
     */
    maxLabelSteps: steps.nullable().default(null),
    /** Exactly these images are the labelled ones; null: `labelsPerClass` of each class. */
    labels: labelsSchema.nullable().default(null),
    /**
     * Whether images are mirrored, and changed in tone, to learn from: as each stage's settings say, as in earlier versions, or also
     * where the pile and labels say that images keep their class.
     */
    invariances: z.enum(['evidence', 'asSet']).default('asSet'),
    network: z.strictObject({
      // Runs from before there was a choice had the notebook's.
      backbone: z.enum(backboneNames).default('rotnet'),
      // Work grows with the square: at 8, a step takes 64 times as long as the notebook's.
      width: numberBetween(0, 8, { above: true }),
      batchNormEpsilon: epsilon,
    }),
    pretrain: pretrainSchema,
    finetune: stageSchema.extend({
      /** Batches of one size that kernels are quick at, in place of full ones and a short one: see `evenOrder`. */
      evenBatches: z.boolean().default(false),
      /** What it starts from: the pretrained backbone, or random weights, for which nothing is pretrained. */
      from: z.enum(['backbone', 'random']).default('backbone'),
      /** Epochs of a training that is only tried, with labels held back; absent: as many as the stage has. */
      trialEpochs: epochs.optional(),
      frozenBlocks: integerBetween(0, 3),
      augmentation: augmentationSchema.nullable(),
      labelSmoothing: fraction,
      /** Take BatchNorm's statistics from the unlabelled pile at the end. */
      reestimate: z.boolean(),
    }),
    /** null: fine-tuning's classifier is the last word. */
    selfTrain: selfTrainSchema.nullable().default(null),
    baseline: stageSchema,
    /** Default: images are described by oriented gradients. */
    encoder: encoderSchema.optional(),
    /** The time for which the steps were counted out, in ms, up to 100 days; they are not counted out again. */
    budgetMs: integerBetween(1, 100 * 24 * 3_600_000).optional(),
  })
  .refine(({ labels, draws }) => labels === null || draws === 1, {
    path: ['draws'],
    error: 'expected 1, since the labels are given',
  })
  .refine(({ labels, labelsPerClass, draws }) => labels !== null || labelsPerClass !== 'all' || draws === 1, {
    path: ['draws'],
    error: 'expected 1, since all labels are learned from (labelsPerClass)',
  });

export type RunSettings = z.infer<typeof settingsSchema>;
export type EncoderSettings = z.infer<typeof encoderSchema>;
export type StageSettings = z.infer<typeof stageSchema>;
export type SelfTrainSettings = z.infer<typeof selfTrainSchema>;

/**
 * Check settings that come from outside (a file, a flag).
 * @throws QuarterturnError `usage` naming each field that is wrong
 */
export function parseSettings(value: unknown, where = 'settings'): RunSettings {
  return parseWith(settingsSchema, value, where, 'valid settings', {
    code: 'usage',
    hint: 'See `quarterturn run --help` for the flags and their ranges.',
  });
}

/**
 * The settings in a run's `config.json`, which holds more than them.
 * @throws QuarterturnError `usage` naming each field that is wrong
 */
export function settingsOfConfig(config: unknown, where: string): RunSettings {
  const known = Object.keys(settingsSchema.shape);
  const document = parseWith(configSchema, config ?? {}, where, 'the JSON object of a run', {
    code: 'usage',
  });
  return parseSettings(
    Object.fromEntries(Object.entries(document).filter(([key]) => known.includes(key))),
    where,
  );
}

const configSchema = z.record(z.string(), z.unknown());

/** Whether the frozen blocks' output can be computed once for all steps: their images must stay the same. */
export function cachesFeatures({
  frozenBlocks,
  augmentation,
}: Pick<RunSettings['finetune'], 'frozenBlocks' | 'augmentation'>): boolean {
  return frozenBlocks > 0 && augmentation === null;
}

/** The changes about which evidence decides: those that some distortion of the settings does not make. */
export function openInvariances({
  invariances,
  finetune,
  selfTrain,
}: RunSettings): readonly InvarianceName[] {
  if (invariances !== 'evidence') return [];
  const [ofLabels, mild, ofPile] = [finetune.augmentation, selfTrain?.mild, selfTrain?.strong];
  const isLacking = (changes: readonly (boolean | undefined)[]) => changes.includes(false);
  const isToned = (strength: AugmentationStrength | null | undefined) =>
    strength ? strength.contrast + strength.brightness > 0 : undefined;
  return [
    ...(isLacking([ofLabels, mild, ofPile].map((strength) => strength?.flipHorizontal))
      ? (['mirroring'] as const)
      : []),
    ...(isLacking([ofLabels, ofPile].map(isToned)) ? (['tones'] as const) : []),
  ];
}

/** The optimizer that a stage asks for. */
export function optimizerOf({ optimizer }: Pick<StageSettings, 'optimizer'>): Optimizer {
  return optimizer.kind === 'sgd' ? sgd(optimizer) : adam(optimizer);
}

/** The schedule that a stage asks for. */
export function scheduleOf({ schedule }: Pick<StageSettings, 'schedule'>, totalSteps: number): Schedule {
  switch (schedule.kind) {
    case 'constant':
      return constantRate(schedule.learningRate);
    case 'inverseTime':
      return inverseTime(schedule.learningRate, schedule.decay);
    case 'oneCycle':
      return oneCycle({ peak: schedule.peak, totalSteps });
  }
}
