import { countOf } from '../../counts.js';
import { batchesPerEpoch, epochOrder, targetsAt } from '../../data/batches.js';
import type { ImageDataset } from '../../data/dataset.js';
import { QuarterturnError } from '../../errors.js';
import type { FrozenEncoder } from '../../features/onnx-encoder.js';
import { adam } from '../../optim/adam.js';
import { oneCycle } from '../../optim/schedules.js';
import { type Tensor, type Tensors, tensor, zeros } from '../../tensor/tensor.js';
import { frozenNetwork, headOf } from '../../train/frozen-network.js';
import { trainStage } from '../../train/loop.js';
import { supervised } from '../../train/objective.js';
import { weightsOf } from '../../train/state.js';
import { type RecipeContext, randomFor } from '../context.js';
import { classNamesOf } from '../labels.js';
import type { TrainedNetwork } from './finetune.js';

/** Of the stage in checkpoints, settings and commands: the field's name for a linear head on frozen features. */
export const encoderHeadName = 'linearProbe';

/**
 * How a head is trained. There are more features than labels, so that it is stopped early: with these settings (a peak of 0.002), 1,000 labels of
 * CIFAR-10 and its gradients and colours give 50.5 % on other training images, at a cross-entropy of 1.44; a peak of 0.02 and 100
 * epochs 45.2 % and 2.80 (100 labels: 33.4 % and 32.4 %). Where classes lie far apart, all settings are as good.
 */
export const headTraining = {
  epochs: 30,
  /** A step of so few numbers takes as long for 256 rows as for 16. */
  batchSize: 256,
  /** Times the number of features, whose deviation is about 1: so many steps reach so far, however many features there are. */
  peakTimesFeatures: 0.9,
  weightDecay: 0.05,
} as const;

/** The encoder that the settings name. @throws QuarterturnError `usage` if it was not opened, or another one was */
export function openedEncoder({
  settings,
  encoder,
}: Pick<RecipeContext, 'settings' | 'encoder'>): FrozenEncoder {
  if (encoder && encoder.fingerprint === settings.encoder?.fingerprint) return encoder;
  throw new QuarterturnError(
    'usage',
    `encoder: expected ${settings.encoder?.name ?? 'one in the settings'}, as the run began with. Received: ${encoder ? 'another file, or one that is used otherwise' : 'none'}.`,
    { hint: 'Give the same file with --encoder.' },
  );
}

export interface LearnHeadOptions {
  /** The images to learn from, all of a draw's or a part of them. */
  readonly labelled: ImageDataset;
  readonly draw: number;
}

/**
 * Trains a linear head on the features of the frozen encoder, by logistic regression.
 *
 *   p = softmax(z · W + b), z = (features − their mean over the labelled images) / their deviation
 *
 * The kernel and bias that it gives back are those for the features themselves.
 *
 * @throws QuarterturnError `diverged` if the loss becomes NaN; `interrupted` after the state was saved
 */
export async function learnHead(
  context: RecipeContext,
  { labelled, draw }: LearnHeadOptions,
): Promise<TrainedNetwork> {
  const encoder = openedEncoder(context);
  const { images } = labelled;
  const classes = classNamesOf(context).length;
  const network = frozenNetwork(encoder, images, classes);
  const { emit, signal } = context;
  const features = await encoder.describe(images, { emit, signal });
  const { rows, mean, scale } = standardised(features);
  const { epochs, weightDecay } = headTraining;
  const peak = headTraining.peakTimesFeatures / encoder.dimensions;
  const batchSize = Math.min(headTraining.batchSize, images.count);
  const stepsPerEpoch = batchesPerEpoch(images.count, batchSize);
  // The loss is convex: where it begins does not matter.
  const start = Object.fromEntries(network.specs.map(({ name, shape }) => [name, zeros('float32', shape)]));
  const d = encoder.dimensions;
  const { state } = await trainStage(
    {
      stage: encoderHeadName,
      draw,
      title: `Linear head on ${countOf(images.count, 'label')}`,
      step: {
        network,
        optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay }),
        batchSize,
        frozenBlocks: 1,
        batch: 'features',
        batchNormMomentum: 0.9,
        objective: supervised({ labelSmoothing: 0 }),
      },
      epochs,
      stepsPerEpoch,
      schedule: oneCycle({ peak, totalSteps: epochs * stepsPerEpoch }),
      weights: start,
      order: (epoch) =>
        epochOrder(images.count, batchSize, randomFor(context, encoderHeadName, 'order', draw, epoch)),
      images,
      batch: (positions) => ({
        features: rowsAt(rows, d, positions),
        targets: targetsAt(labelled, positions),
      }),
    },
    context,
  );
  const learned = headOf(network, weightsOf(state));
  return { network, weights: unstandardised(network.head.name, learned, { mean, scale }) };
}

interface Standard {
  readonly mean: Float64Array;
  readonly scale: number;
}

/** Rows less their mean, scaled so that their numbers have a deviation of about 1. */
function standardised({
  shape,
  data,
}: Tensor<'float32'>): Standard & { readonly rows: Float32Array<ArrayBuffer> } {
  const [count = 0, d = 0] = shape;
  const mean = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d] = (mean[i % d] ?? 0) + (data[i] ?? 0) / count;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += ((data[i] ?? 0) - (mean[i % d] ?? 0)) ** 2;
  const deviation = Math.sqrt(squares / data.length);
  const scale = deviation > 0 ? 1 / deviation : 1;
  const rows = Float32Array.from(data, (value, i) => scale * (value - (mean[i % d] ?? 0)));
  return { rows, mean, scale };
}

/** The head for features as they are: W′ = s·W, b′ = b − s·mean·W. */
function unstandardised(
  name: string,
  { kernel, bias }: ReturnType<typeof headOf>,
  { mean, scale }: Standard,
): Tensors {
  const [, classes = 0] = kernel.shape;
  const shifts = new Float64Array(classes);
  kernel.data.forEach((weight, i) => {
    const k = i % classes;
    shifts[k] = (shifts[k] ?? 0) + scale * (mean[Math.floor(i / classes)] ?? 0) * weight;
  });
  return {
    [`${name}.kernel`]: tensor(
      'float32',
      kernel.shape,
      kernel.data.map((weight) => scale * weight),
    ),
    [`${name}.bias`]: tensor(
      'float32',
      bias.shape,
      bias.data.map((value, k) => value - (shifts[k] ?? 0)),
    ),
  };
}

function rowsAt(rows: Float32Array, d: number, positions: Uint32Array): Tensor<'float32'> {
  const data = new Float32Array(positions.length * d);
  positions.forEach((position, i) => {
    data.set(rows.subarray(position * d, (position + 1) * d), i * d);
  });
  return tensor('float32', [positions.length, d], data);
}
