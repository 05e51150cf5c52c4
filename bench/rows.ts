import { countOf } from '../src/counts.js';
import { evaluationBatchSize } from '../src/train/evaluate.js';
import type { Contender, Files, Flags } from './contender.js';
import { inferenceFlops, trainingFlops } from './flops.js';
import { type Gate, gateSteps } from './gate.js';
import { neighboursRow, type Searcher } from './neighbours-row.js';
import { ourProgram, script, source } from './places.js';
import {
  float32Witnesses,
  float64Reference,
  layouts,
  type PythonLibrary,
  pythonPeers,
  pythonProgram,
} from './python.js';
import {
  conv5x5,
  type NetworkFlags,
  networkOf,
  notebookStep,
  quickNetwork,
  quickSteps,
  rotnet,
  type StageSteps,
  type StepFlags,
} from './settings.js';

/** Contenders that do the same work, side by side. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly threads: number;
  /** Seconds are for what happens once. */
  readonly unit: 'images/s' | 's';
  /** Floating-point operations of one image; absent where hardly any are done. */
  readonly flopsPerImage?: number;
  /** Largest difference between numbers that rounding explains, where it is not that of logits and gradients. */
  readonly tolerance?: number;
  /** Stands before the timing; where there is none, numbers are compared with the first peer's as they are timed. */
  readonly gate?: Gate;
  /** Timed steps of a contender for each that was asked for: more where they are short. */
  readonly stepFactor: number;
}

export interface RowOptions {
  readonly threads: number;
  readonly pytorches: readonly PythonLibrary[];
  /** Libraries that find neighbours, beside PyTorch. */
  readonly searchers?: readonly Searcher[];
  /** Put in place of every row's own width or batch size, for a quick look. */
  readonly width?: number | undefined;
  readonly batch?: number | undefined;
}

/** Names that stand for several rows. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  quick: ['pretrainStep', 'selfTrainStep', 'predict', 'neighbours'],
  dataPath: ['dataPathRotate', 'dataPathAugment'],
  scaling: [
    'trainStepWidth025',
    'trainStepWidth05',
    'trainStep',
    'trainStepBatch32',
    'trainStepBatch64',
    'trainStepBatch256',
    'trainStepThreads1',
  ],
};

/** Every row, in the order of the table. */
export function allRows(options: RowOptions): Row[] {
  const step = (name: string, title: string, { batchSize = 128, flags, ...variant }: StepVariant = {}) =>
    trainingRow(name, title, { flags: { ...notebookStep, ...flags }, batchSize }, variant, options);
  return [
    step('trainStep', 'Training step', allContenders),
    step('trainStepWidth05', 'Training step', { ...allContenders, flags: { width: 0.5 } }),
    step('trainStepWidth025', 'Training step', { ...allContenders, flags: { width: 0.25 } }),
    step('finetuneStep', 'Fine-tuning step, blocks 1–2 frozen', { ...allContenders, flags: finetuning }),
    step('finetuneStepFeatures', 'Fine-tuning step on the frozen blocks’ features', {
      ...allContenders,
      flags: finetuning,
      features: true,
    }),
    step('pretrainStep', 'Pretraining step of the quick preset', {
      ...allContenders,
      ...quickSteps.pretrain,
    }),
    step('selfTrainStep', 'Self-training step of the quick preset', {
      ...allContenders,
      ...quickSteps.selfTrain,
    }),
    inferenceRow('inference128', 128, options),
    inferenceRow('inference1', 1, options),
    predictRow(options),
    convRow(options),
    neighboursRow(options),
    dataPathRow('dataPathRotate', 'Batches for pretraining: gather and rotate', 'rotate', options),
    dataPathRow('dataPathAugment', 'Batches for fine-tuning: gather and augment', 'augment', options),
    startRow(options),
    step('trainStepBatch32', 'Training step', { batchSize: 32 }),
    step('trainStepBatch64', 'Training step', { batchSize: 64 }),
    step('trainStepBatch256', 'Training step', { batchSize: 256 }),
    step('trainStepThreads1', 'Training step', { threads: 1 }),
  ];
}

/** How a training row differs from the notebook's pretraining step. */
interface StepVariant {
  readonly flags?: Partial<StepFlags>;
  readonly batchSize?: number;
  /** Batches hold the frozen blocks' features. */
  readonly features?: boolean;
  readonly threads?: number;
  /** In which PyTorch takes part; default: the one that is the faster. */
  readonly layouts?: readonly string[];
  readonly naive?: boolean;
}

/** Of the longest common step; shorter ones are run more often. */
const fullStepFlops = 128 * trainingFlops(networkOf(rotnet, 4), { frozenBlocks: 0, batch: 'images' });

const allContenders = { layouts, naive: true };
const finetuning = { classes: 10, frozen: 2 };

function trainingRow(
  name: string,
  title: string,
  { flags: own, batchSize }: StageSteps,
  variant: Omit<StepVariant, keyof StageSteps>,
  options: RowOptions,
): Row {
  const { features = false, naive = false, layouts = ['channels_last'] } = variant;
  const flags = { ...own, ...networkIn(own, options) };
  const { batch = batchSize, pytorches } = options;
  const threads = variant.threads ?? options.threads;
  const { classes, frozen } = flags;
  const files: Files = async (fixtures) => ({
    weights: await fixtures.weights(flags, classes),
    batches: await fixtures.batches({
      batchSize: batch,
      classes,
      ...(features && { features: { blocks: frozen, network: flags } }),
    }),
  });
  const step = (name: string, role: Contender['role'], lowering: string): Contender => ({
    name,
    role,
    program: ourProgram('train-step'),
    flags: { ...flags, lowering },
    files,
  });
  const flopsPerImage = trainingFlops(networkOf(flags, classes), {
    frozenBlocks: frozen,
    batch: features ? 'features' : 'images',
  });
  const torch = pythonProgram('train_step.py', flags, files);
  return {
    name,
    title: `${title}: ${circumstances(flags, batch, threads)}`,
    contenders: [
      step('ours', 'ours', 'ours'),
      ...pythonPeers(pytorches, torch, layouts),
      ...(naive ? [step('naive lowering', 'yardstick', 'naive')] : []),
    ],
    threads,
    unit: 'images/s',
    flopsPerImage,
    ...(pytorches[0] && {
      gate: {
        steps: gateSteps,
        reference: float64Reference(pytorches[0], torch),
        witnesses: float32Witnesses(pytorches, torch),
      },
    }),
    stepFactor: Math.min(Math.max(Math.round(fullStepFlops / (flopsPerImage * batch)), 1), 8),
  };
}

/** Classes of the digits, which a classifier tells apart. */
const digits = 10;

function inferenceRow(name: string, batchSize: number, options: RowOptions): Row {
  const { batch = batchSize, threads } = options;
  const flags = { ...networkIn(rotnet, options), classes: digits };
  const files = imageFiles(flags, digits, batch);
  const tfjs = (backend: string, size: number): Contender => ({
    name: `tfjs ${backend}`,
    role: 'peer',
    program: script('tfjs/rotnet-inference.mjs'),
    flags: { backend, batch: size },
    files,
    ...noteOn(size, batch),
    slow: backend === 'cpu' || batch > 1,
  });
  return {
    name,
    title: `Inference: ${circumstances(flags, batch, threads)}`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('inference'), flags, files },
      ...torchInference(flags, files, options),
      tfjs('wasm', batch),
      tfjs('cpu', Math.min(batch, 4)),
    ],
    threads,
    unit: 'images/s',
    flopsPerImage: inferenceFlops(networkOf(flags, digits)),
    stepFactor: Math.max(1, Math.round(32 / batch)),
  };
}

/** Batches that an evaluation goes through. */
const predictedBatches = 80;

/** A whole evaluation, not one batch: what a run and `evaluate` do with the images that they are given. */
function predictRow(options: RowOptions): Row {
  const { batch = evaluationBatchSize, threads } = options;
  const flags = { ...networkIn(quickNetwork, options), classes: digits };
  const files = imageFiles(flags, digits, batch, predictedBatches);
  const count = predictedBatches * batch;
  return {
    name: 'predict',
    title: `Evaluation of ${countOf(count, 'image')} by the quick preset’s classifier: ${circumstances(flags, batch, threads)}`,
    contenders: [
      {
        name: 'ours',
        role: 'ours',
        program: ourProgram('predict'),
        flags,
        files,
        note: 'with the time to compile its program',
      },
      ...torchInference({ ...flags, pass: 1 }, files, options),
    ],
    threads,
    unit: 'images/s',
    flopsPerImage: inferenceFlops(networkOf(flags, digits)),
    stepFactor: 1,
  };
}

/** PyTorch's forward pass as it is, and as TorchScript: its convolutions have a layout of their own. */
function torchInference(flags: Flags, files: Files, { pytorches }: RowOptions): Contender[] {
  return [
    ...pythonPeers(pytorches, pythonProgram('inference.py', flags, files), layouts),
    ...pythonPeers(pytorches, pythonProgram('inference.py', { ...flags, script: 1 }, files), ['contiguous']),
  ];
}

function convRow(options: RowOptions): Row {
  const { batch = 128, threads, pytorches } = options;
  const { inChannels, outChannels, size, kernelSize } = conv5x5;
  const shapes = `[${batch}, ${inChannels}, ${size}, ${size}] by [${outChannels}, ${inChannels}, ${kernelSize}, ${kernelSize}]`;
  const files: Files = async (fixtures) => ({ operands: await fixtures.operands() });
  const peer = (name: string, path: string, size: number): Contender => ({
    name,
    role: 'peer',
    program: script(path),
    flags: { batch: size },
    files,
    ...noteOn(size, batch),
    slow: true,
  });
  return {
    name: 'conv5x5',
    title: `5×5 convolution with both gradients, ${shapes}: ${countOf(threads, 'thread')}`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('conv'), flags: { batch }, files },
      ...pythonPeers(pytorches, pythonProgram('conv.py', { batch }, files), layouts),
      peer('tfjs cpu', 'tfjs/conv.mjs', 1),
      peer('jax-js wasm', 'jax/conv.mjs', 1),
    ],
    threads,
    unit: 'images/s',
    flopsPerImage: 3 * 2 * size ** 2 * inChannels * outChannels * kernelSize ** 2,
    stepFactor: 1,
  };
}

/** Beside it the fastest step that is fed by it: batches must come much faster than that takes them. */
function dataPathRow(name: string, title: string, maker: string, options: RowOptions): Row {
  const { flags: own, batchSize } = quickSteps.pretrain;
  const { batch = batchSize, threads } = options;
  const flags = { ...own, ...networkIn(own, options) };
  return {
    name,
    title: `${title} (one thread)`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('data-path'), flags: { maker } },
      {
        name: 'our pretraining step of the quick preset',
        role: 'peer',
        program: ourProgram('train-step'),
        flags,
        files: imageFiles(flags, flags.classes, batch),
      },
    ],
    threads,
    unit: 'images/s',
    stepFactor: 1,
  };
}

function startRow({ threads }: RowOptions): Row {
  return {
    name: 'start',
    title: 'From `quarterturn run` to the end of its first training step (MNIST, quick preset)',
    contenders: [
      {
        name: 'ours',
        role: 'ours',
        program: ourProgram('start'),
        flags: { command: source('bin/quarterturn.js') },
      },
    ],
    threads,
    unit: 's',
    stepFactor: 1,
  };
}

/** Weights, and batches of images. */
function imageFiles(network: NetworkFlags, classes: number, batchSize: number, count?: number): Files {
  return async (fixtures) => ({
    weights: await fixtures.weights(network, classes),
    batches: await fixtures.batches({ batchSize, classes, ...(count !== undefined && { count }) }),
  });
}

/** A row's network, in the width that was asked for. */
function networkIn({ backbone, width: own }: NetworkFlags, { width = own }: RowOptions): NetworkFlags {
  return { backbone, width };
}

/** A contender that is too slow for the row's batch has a smaller one; its figure is images per second all the same. */
function noteOn(size: number, batch: number): { readonly note: string } {
  return { note: size === batch ? 'one thread' : `one thread, batch ${size}` };
}

/** `Compact network of width 0.25, batch 128, 2 threads` */
function circumstances(network: NetworkFlags, batch: number, threads: number): string {
  const { title } = networkOf(network, digits);
  return `${title} of width ${network.width}, batch ${batch}, ${countOf(threads, 'thread')}`;
}
