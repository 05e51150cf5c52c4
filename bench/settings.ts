import { turnCount } from '../src/data/rotation.js';
import { type BackboneName, createNetwork, type Network } from '../src/nn/network.js';
import { sgd } from '../src/optim/sgd.js';
import { presets } from '../src/recipes/presets.js';
import type { StageSettings } from '../src/recipes/settings.js';
import { selfTrainBatchSize } from '../src/recipes/stages/self-train-tasks.js';
import { supervised } from '../src/train/objective.js';
import type { TrainStepSettings } from '../src/train/train-step.js';

/** What tells one network of the bench from another, beside its classes; flags of the same names go to programs. */
export interface NetworkFlags {
  readonly backbone: string;
  readonly width: number;
}

/** The notebook's. */
export const rotnet: NetworkFlags = { backbone: 'rotnet', width: 1 };

/** A network for MNIST. */
export function networkOf({ backbone, width }: NetworkFlags, classes: number): Network {
  const image = { height: 28, width: 28, channels: 1 };
  return createNetwork({ backbone: backbone as BackboneName, width, image }, classes);
}

/** A training step, as flags of the programs that run it. */
export interface StepFlags extends NetworkFlags {
  readonly classes: number;
  /** Blocks that are not trained. */
  readonly frozen: number;
  readonly rate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly batchNormMomentum: number;
  /** 0: no averages are kept. */
  readonly averageDecay: number;
}

/**
 * The notebook's pretraining step, but for the learning rate, on which speed does not depend. At the notebook's 0.1, training
 * is chaotic: one activation that rounds to the other side of 0 moves the loss of step 20 by 1e-2, so that a wrong
 * implementation cannot be told from a right one. At this rate right ones stay within 1e-4 of float64 over 20 steps, while a
 * momentum of 0.89 is off by 4e-3.
 */
export const notebookStep: StepFlags = {
  ...rotnet,
  classes: turnCount,
  frozen: 0,
  rate: 0.0003,
  momentum: 0.9,
  weightDecay: 0,
  labelSmoothing: 0,
  batchNormMomentum: 0.99,
  averageDecay: 0,
};

/** A stage's steps and the size of their batches. */
export interface StageSteps {
  readonly flags: StepFlags;
  readonly batchSize: number;
}

/** The quick preset's network, which its classifier is, too. */
export const quickNetwork: NetworkFlags = {
  backbone: presets.quick.network.backbone,
  width: presets.quick.network.width,
};

/** Steps of the quick preset, but for the learning rate (see `notebookStep`), on MNIST. */
export const quickSteps = { pretrain: quickPretrain(), selfTrain: quickSelfTrain() } as const;

function quickPretrain(): StageSteps {
  const { optimizer, batchNormMomentum, batchSize } = presets.quick.pretrain;
  return {
    flags: { ...notebookStep, ...quickNetwork, ...sgdFlags(optimizer), batchNormMomentum },
    batchSize,
  };
}

function quickSelfTrain(): StageSteps {
  const settings = presets.quick.selfTrain!;
  const { optimizer, batchNormMomentum, labelSmoothing, averageDecay } = settings;
  return {
    flags: {
      ...notebookStep,
      ...quickNetwork,
      ...sgdFlags(optimizer),
      classes: 10,
      batchNormMomentum,
      labelSmoothing,
      averageDecay,
    },
    batchSize: selfTrainBatchSize(settings),
  };
}

function sgdFlags(optimizer: StageSettings['optimizer']): Pick<StepFlags, 'momentum' | 'weightDecay'> {
  if (optimizer.kind !== 'sgd') throw new Error(`bench: expected SGD. Received: ${optimizer.kind}.`);
  return { momentum: optimizer.momentum, weightDecay: optimizer.weightDecay };
}

/** Our step of these flags. */
export function stepSettings(
  flags: StepFlags,
  { batchSize, batch }: Pick<TrainStepSettings, 'batchSize' | 'batch'>,
): TrainStepSettings {
  const { momentum, weightDecay, frozen, batchNormMomentum, labelSmoothing, averageDecay } = flags;
  return {
    network: networkOf(flags, flags.classes),
    optimizer: sgd({ momentum, weightDecay }),
    batchSize,
    frozenBlocks: frozen,
    batchNormMomentum,
    batch,
    objective: supervised({ labelSmoothing }),
    ...(averageDecay > 0 && { averageDecay }),
  };
}

/** The 5×5 convolution of the second block, which takes more than half of RotNet's arithmetic. */
export const conv5x5 = { inChannels: 96, outChannels: 192, size: 14, kernelSize: 5 } as const;
