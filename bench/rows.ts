import { fileURLToPath } from 'node:url';
import type { Contender, Files, Flags } from './contender.js';
import { inferenceFlops, trainingFlops } from './flops.js';
import { type Gate, gateSteps } from './gate.js';
import { conv5x5, networkOf, sgdSettings } from './settings.js';
import {
  float32Witnesses,
  float64Reference,
  layouts,
  type PyTorch,
  type TorchProgram,
  torchPeers,
} from './torch.js';

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
  /** Stands before the timing; where there is none, numbers are compared with the first peer's as they are timed. */
  readonly gate?: Gate;
  /** Timed steps of a contender for each that was asked for: more where they are short. */
  readonly stepFactor: number;
}

export interface RowOptions {
  readonly threads: number;
  readonly pytorches: readonly PyTorch[];
  /** Put in place of every row's own width or batch size, for a quick look. */
  readonly width?: number | undefined;
  readonly batch?: number | undefined;
}

/** Names that stand for several rows. */
export const groups: Readonly<Record<string, readonly string[]>> = {
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

/** How one of our programs is started. */
export const ourProgram = (file: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(`programs/${file}.js`, import.meta.url)),
];
/** A file of the checkout; this one runs as dist/bench/bench/rows.js. */
const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const script = (path: string): string[] => [process.execPath, source(`bench/${path}`)];

/** Every row, in the order of the table. */
export function allRows(options: RowOptions): Row[] {
  const step = (name: string, title: string, settings: Partial<StepSettings> = {}) =>
    trainingRow(name, title, { ...stepDefaults, ...settings }, options);
  return [
    step('trainStep', 'Training step', allContenders),
    step('trainStepWidth05', 'Training step', { width: 0.5, ...allContenders }),
    step('trainStepWidth025', 'Training step', { width: 0.25, ...allContenders }),
    step('finetuneStep', 'Fine-tuning step, blocks 1–2 frozen', { ...finetuning, ...allContenders }),
    step('finetuneStepFeatures', 'Fine-tuning step on the frozen blocks’ features', {
      ...finetuning,
      ...allContenders,
      features: true,
    }),
    inferenceRow('inference128', 128, options),
    inferenceRow('inference1', 1, options),
    convRow(options),
    dataPathRow('dataPathRotate', 'Batches for pretraining: gather and rotate', 'rotate', options),
    dataPathRow('dataPathAugment', 'Batches for fine-tuning: gather and augment', 'augment', options),
    startRow(options),
    step('trainStepBatch32', 'Training step', { batchSize: 32 }),
    step('trainStepBatch64', 'Training step', { batchSize: 64 }),
    step('trainStepBatch256', 'Training step', { batchSize: 256 }),
    step('trainStepThreads1', 'Training step', { threads: 1 }),
  ];
}

interface StepSettings {
  readonly width: number;
  readonly batchSize: number;
  readonly classes: number;
  readonly frozenBlocks: number;
  /** Batches hold the frozen blocks' features. */
  readonly features: boolean;
  readonly threads?: number;
  /** In which PyTorch takes part. */
  readonly layouts: readonly string[];
  readonly naive: boolean;
}

const stepDefaults: StepSettings = {
  width: 1,
  batchSize: 128,
  classes: 4,
  frozenBlocks: 0,
  features: false,
  layouts: ['channels_last'],
  naive: false,
};
/** Of the longest common step; shorter ones are run more often. */
const fullStepFlops = 128 * trainingFlops(networkOf(1, 4), { frozenBlocks: 0, batch: 'images' });

const allContenders = { layouts, naive: true };
const finetuning = { classes: 10, frozenBlocks: 2 };

function trainingRow(name: string, title: string, settings: StepSettings, options: RowOptions): Row {
  const { classes, frozenBlocks, features, layouts, naive } = settings;
  const { width = settings.width, batch = settings.batchSize } = options;
  const threads = settings.threads ?? options.threads;
  const flags = { width, classes, frozen: frozenBlocks, ...sgdSettings };
  const files: Files = async (fixtures) => ({
    weights: await fixtures.weights(width, classes),
    batches: await fixtures.batches({
      batchSize: batch,
      classes,
      ...(features && { features: { blocks: frozenBlocks, width } }),
    }),
  });
  const step = (name: string, role: Contender['role'], lowering: string): Contender => ({
    name,
    role,
    program: ourProgram('train-step'),
    flags: { ...flags, lowering },
    files,
  });
  const flopsPerImage = trainingFlops(networkOf(width, classes), {
    frozenBlocks,
    batch: features ? 'features' : 'images',
  });
  const { pytorches } = options;
  const torch = torchProgram('rotnet_step.py', flags, files);
  return {
    name,
    title: `${title}: ${circumstances(width, batch, threads)}`,
    contenders: [
      step('ours', 'ours', 'ours'),
      ...torchPeers(pytorches, torch, layouts),
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

function inferenceRow(name: string, batchSize: number, options: RowOptions): Row {
  const { width = 1, batch = batchSize, threads, pytorches } = options;
  const classes = 10;
  const flags = { width, classes };
  const files = imageFiles(width, classes, batch);
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
    title: `Inference: ${circumstances(width, batch, threads)}`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('inference'), flags, files },
      ...torchPeers(pytorches, torchProgram('rotnet_inference.py', flags, files), layouts),
      ...torchPeers(pytorches, torchProgram('rotnet_inference.py', { ...flags, script: 1 }, files), [
        'contiguous',
      ]),
      tfjs('wasm', batch),
      tfjs('cpu', Math.min(batch, 4)),
    ],
    threads,
    unit: 'images/s',
    flopsPerImage: inferenceFlops(networkOf(width, classes)),
    stepFactor: Math.max(1, Math.round(32 / batch)),
  };
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
    title: `5×5 convolution with both gradients, ${shapes}: ${plural(threads, 'thread')}`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('conv'), flags: { batch }, files },
      ...torchPeers(pytorches, torchProgram('conv.py', { batch }, files), layouts),
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
  const { width = 0.25, batch: batchSize = 128, threads } = options;
  const classes = 4;
  return {
    name,
    title: `${title} (one thread)`,
    contenders: [
      { name: 'ours', role: 'ours', program: ourProgram('data-path'), flags: { maker } },
      {
        name: `our training step, width ${width}`,
        role: 'peer',
        program: ourProgram('train-step'),
        flags: { width, classes },
        files: imageFiles(width, classes, batchSize),
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
function imageFiles(width: number, classes: number, batchSize: number): Files {
  return async (fixtures) => ({
    weights: await fixtures.weights(width, classes),
    batches: await fixtures.batches({ batchSize, classes }),
  });
}

/** One of PyTorch's programs, by the name of its file. */
function torchProgram(file: string, flags: Flags, files: Files): TorchProgram {
  return { path: source(`bench/torch/${file}`), flags, files };
}

/** A contender that is too slow for the row's batch has a smaller one; its figure is images per second all the same. */
function noteOn(size: number, batch: number): { readonly note: string } {
  return { note: size === batch ? 'one thread' : `one thread, batch ${size}` };
}

/** `width 0.25, batch 128, 2 threads` */
function circumstances(width: number, batch: number, threads: number): string {
  return `width ${width}, batch ${batch}, ${plural(threads, 'thread')}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
