import { countOf } from '../counts.js';
import { type ImageSource, readRange } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { cutAt, encodeGraphFile, type GraphFile, readGraphFile } from '../onnx/graph-file.js';
import type { OnnxNode } from '../onnx/model.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import type { Program, Runtime } from '../runtime/runtime.js';
import { sha256 } from '../store/digest.js';
import type { ImageSize } from '../tensor/image-size.js';
import { sizeOf, type Tensor, type Tensors, tensor, tensorNamed } from '../tensor/tensor.js';
import type { Encoder } from './encoder.js';
import {
  addPooling,
  addPreparation,
  freePrefix,
  NodeList,
  namesIn,
  type Pooling,
  pooledLength,
} from './encoder-nodes.js';
import { type EncoderPlan, fault, planEncoder } from './encoder-plan.js';
import type { EncoderOptions } from './encoder-settings.js';

/** A frozen network that describes images. */
export interface FrozenEncoder extends Encoder {
  /** Size of the images that the network itself takes; others are resized. */
  readonly input: ImageSize;
  /** What was found out of the file, or said: with these options it is opened in the same way. */
  readonly options: EncoderOptions;
  /** The network as a graph, to be put into another file; images of this size go in. */
  graphFor(images: ImageSize): EncoderGraph;
}

/** A graph from uint8 [N, H, W, C] to float32 [N, D], rows of length 1. */
export interface EncoderGraph {
  /** The network's own part. */
  readonly file: GraphFile;
  /** Nodes before it and after it, and their constants. */
  readonly before: readonly OnnxNode[];
  readonly after: readonly OnnxNode[];
  readonly initializers: Tensors;
  /** Name of the images, and of the features. */
  readonly images: string;
  readonly features: string;
  /** A beginning of names that are free. */
  readonly prefix: string;
}

export interface OpenEncoderOptions extends EncoderOptions {
  /** Where it is to run. */
  readonly runtime: Runtime;
  /** One word for it; default: the file's name without its folder and ending. */
  readonly name?: string;
}

/** Pixels of a batch, as the network takes them: larger batches take memory and no less time. */
const pixelsAtATime = 2 ** 19;
/** Images of a batch at most. */
const imagesAtATime = 128;

/** Difference between the features of an image alone and among others, of a length of 1, that rounding may make. */
const batchTolerance = 2e-3;

/**
 * Opens an ONNX network of images as an encoder. What it takes and gives is found out from its graph; options overrule that.
 *
 * Three images are described together and one by one: a network whose answer for an image depends on the others is refused.
 *
 * @param file its name, for messages
 * @example
 * const encoder = await openEncoder('dinov2-small.onnx', bytes, { runtime, pool: 'cls+mean' });
 * const features = await encoder.describe(images);
 * @throws QuarterturnError `data` for a file that is no network of images, is quantised dynamically, or takes one image at
 *   a time; `runtime` if the kernels refuse it
 */
export async function openEncoder(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: OpenEncoderOptions,
): Promise<FrozenEncoder> {
  const { runtime, name = nameOf(file), ...given } = options;
  const whole = readGraphFile(file, bytes);
  const plan = planEncoder(file, whole, given);
  const part = cutAt(whole, plan.output);
  const missing = part.inputs.filter((input) => input.name !== plan.input).map((input) => input.name);
  if (missing.length > 0 || part.inputs.length === 0) {
    throw fault(
      file,
      `${plan.output} to be computed from images alone`,
      part.inputs.length === 0 ? 'a tensor that takes no image' : `one that needs ${missing.join(', ')}, too`,
      'Choose another --encoder-output.',
    );
  }
  const pooling = await findPooling(file, { part, plan, runtime, given });
  const dimensions = pooledLength(plan, pooling);
  const used = { ...usedOptions(plan), pool: pooling.pool };
  const digest = (await sha256(bytes)) ?? `${bytes.length}`;
  const fingerprint = (await sha256(JSON.stringify([1, digest, plan, pooling]))) ?? `${digest} ${name}`;
  const graphFor = (images: ImageSize) => graphOf({ part, plan, pooling }, images);
  const programs = new Map<string, Promise<Program>>();
  const programFor = (size: ImageSize): Promise<Program> => {
    const key = [size.height, size.width, size.channels].join('×');
    const known = programs.get(key) ?? runtime.load(encodeEncoder(graphFor(size), size), file);
    programs.set(key, known);
    return known;
  };
  const release = async (): Promise<void> => {
    const all = [...programs.values()];
    programs.clear();
    for (const program of await Promise.allSettled(all)) {
      if (program.status === 'fulfilled') await program.value.release();
    }
  };
  const input = { height: plan.height, width: plan.width, channels: plan.channels };
  const encoder: FrozenEncoder = {
    ...{ name, title: name, dimensions, fingerprint, input, options: used, graphFor, release },
    async describe(images, options = {}) {
      assertChannels(file, images);
      const program = await programFor(images);
      return describeWith(program, images, { file, plan, dimensions, options });
    },
    [Symbol.asyncDispose]: release,
  };
  try {
    await assertIndependent(file, await programFor(input), input, dimensions);
  } catch (error) {
    await release();
    throw error;
  }
  return encoder;
}

/** `models/dinov2-small.onnx` → `dinov2-small` */
function nameOf(file: string): string {
  return (file.split(/[\\/]/).at(-1) ?? file).replace(/\.onnx$/i, '');
}

function usedOptions({ height, width, layout, mean, std, output }: EncoderPlan): EncoderOptions {
  // What is no square is given by the graph alone.
  const size = height === width ? { size: height } : {};
  return { ...size, layout, mean: [...mean], std: [...std], output };
}

interface Parts {
  readonly part: GraphFile;
  readonly plan: EncoderPlan;
  readonly pooling: Pooling;
}

function graphOf({ part, plan, pooling }: Parts, images: ImageSize): EncoderGraph {
  const prefix = freePrefix(part);
  const [before, after] = [
    new NodeList(`${prefix}/before`, part.opset),
    new NodeList(`${prefix}/after`, part.opset),
  ];
  // What users of the file see, unless the network has a tensor of that name.
  const name = namesIn(part).includes('images') ? `${prefix}/images` : 'images';
  addPreparation(before, plan, name, images);
  const features = addPooling(after, plan, pooling);
  const initializers = { ...before.initializers, ...after.initializers };
  const [nodesBefore, nodesAfter] = [before.nodes, after.nodes];
  return {
    ...{ file: part, before: nodesBefore, after: nodesAfter, initializers, features, prefix },
    images: name,
  };
}

/** The bytes of an encoder alone. */
function encodeEncoder(
  { file, before, after, initializers, images, features }: EncoderGraph,
  { height, width, channels }: ImageSize,
): Uint8Array {
  return encodeGraphFile(file, {
    ...{ before, after, initializers },
    inputs: [{ name: images, dtype: 'uint8', shape: ['N', height, width, channels] }],
    outputs: [{ name: features, dtype: 'float32', shape: ['N', 'D'] }],
  });
}

interface FindPoolingOptions extends Omit<Parts, 'pooling'> {
  readonly runtime: Runtime;
  readonly given: EncoderOptions;
}

/** Runs the network once, to see what its output looks like. */
async function findPooling(
  file: string,
  { part, plan, runtime, given }: FindPoolingOptions,
): Promise<Pooling> {
  const prefix = freePrefix(part);
  const before = new NodeList(prefix, part.opset);
  const size = { height: plan.height, width: plan.width, channels: plan.channels };
  addPreparation(before, plan, `${prefix}/images`, size);
  const after = new NodeList(`${prefix}/shape`, part.opset);
  // The shape as numbers, whatever the type.
  const shapeName = after.add('Shape', [plan.output]);
  const program = await runtime.load(
    encodeGraphFile(part, {
      ...{ before: before.nodes, after: after.nodes, initializers: before.initializers },
      inputs: [
        { name: `${prefix}/images`, dtype: 'uint8', shape: ['N', size.height, size.width, size.channels] },
      ],
      outputs: [{ name: shapeName, dtype: 'int64', shape: ['axes'] }],
    }),
    file,
  );
  try {
    const results = await program.run({ [`${prefix}/images`]: sampleImages(1, size) });
    const shape = Array.from(tensorNamed(results, shapeName).data as BigInt64Array, Number);
    return poolingFor(file, plan, shape, given.pool);
  } catch (cause) {
    if (!(cause instanceof QuarterturnError) || cause.code !== 'runtime') throw cause;
    throw new QuarterturnError(
      'data',
      `${file}: expected a network of images of ${size.height}×${size.width}×${size.channels}. Received: one that fails on one.`,
      { hint: 'Give the size that it was made for with --encoder-size.', cause },
    );
  } finally {
    await program.release();
  }
}

/** Registers that some vision transformers have behind the class token. */
const registers = 4;

const isSquare = (n: number): boolean => n > 0 && Number.isInteger(Math.sqrt(n));

function poolingFor(
  file: string,
  { output }: EncoderPlan,
  shape: readonly number[],
  given: Pooling['pool'] | undefined,
): Pooling {
  const [tokens = 0] = shape.slice(1);
  const what = `${output} [${['N', ...shape.slice(1)].join(', ')}]`;
  if (shape.length < 2 || shape.length > 4 || sizeOf(shape) === 0) {
    throw fault(file, 'an output of rows, of tokens or of maps', what);
  }
  if (shape.length === 2 || given === 'none') {
    if (given !== undefined && given !== 'none')
      throw fault(file, `tokens or maps for --encoder-pool ${given}`, what);
    return { pool: 'none', shape, leading: 0 };
  }
  if (shape.length === 4) {
    if (given !== undefined && given !== 'mean')
      throw fault(file, `tokens for --encoder-pool ${given}`, what);
    return { pool: 'mean', shape, leading: 0 };
  }
  // Patches lie in a square: what is beside them tells whether there is a class token.
  const leading = isSquare(tokens)
    ? 0
    : isSquare(tokens - 1)
      ? 1
      : isSquare(tokens - 1 - registers)
        ? 1 + registers
        : 0;
  return { pool: given ?? (leading > 0 ? 'cls+mean' : 'mean'), shape, leading };
}

/** @throws QuarterturnError `usage` for images that are neither grey nor in colour */
function assertChannels(file: string, { name, channels }: ImageSource): void {
  if (channels === 1 || channels === 3) return;
  throw new QuarterturnError(
    'usage',
    `${file}: expected images of 1 or 3 channels. Received: ${name}, of ${channels}.`,
  );
}

interface DescribeWithOptions {
  readonly file: string;
  readonly plan: EncoderPlan;
  readonly dimensions: number;
  readonly options: ProgressOptions;
}

async function describeWith(
  program: Program,
  images: ImageSource,
  { file, plan, dimensions, options }: DescribeWithOptions,
): Promise<Tensor<'float32'>> {
  const rows = new Float32Array(images.count * dimensions);
  const atATime = Math.floor(pixelsAtATime / (plan.height * plan.width));
  const step = Math.max(1, Math.min(imagesAtATime, atATime));
  const progress = startProgress(options, `features of ${countOf(images.count, 'image')}`, images.count);
  for (let from = 0; from < images.count; from += step) {
    const to = Math.min(from + step, images.count);
    const batch = await readRange(images, from, to);
    rows.set(await featuresOf(file, program, batch, dimensions), from * dimensions);
    await progress(to);
  }
  return tensor('float32', [images.count, dimensions], rows);
}

/** @throws QuarterturnError `data` if the network gives something else than numbers, one row for each image */
async function featuresOf(
  file: string,
  program: Program,
  batch: Tensor<'uint8'>,
  dimensions: number,
): Promise<Float32Array> {
  const [images = ''] = program.inputNames;
  const [features = ''] = program.outputNames;
  const result = tensorNamed(await program.run({ [images]: batch }), features);
  const [count = 0] = batch.shape;
  if (result.dtype !== 'float32' || result.data.length !== count * dimensions) {
    throw fault(
      file,
      `float32 [${count}, ${dimensions}] for ${count} images`,
      `${result.dtype} [${result.shape.join(', ')}]`,
      'It was exported for one number of images: export it with a free batch axis.',
    );
  }
  const data = result.data as Float32Array;
  if (!data.every(Number.isFinite)) {
    throw fault(
      file,
      'numbers',
      'NaN or infinity',
      'Is the scaling right? See --encoder-mean and --encoder-std.',
    );
  }
  return data;
}

/** @throws QuarterturnError `data` for a network whose features of an image depend on the others of its batch */
async function assertIndependent(
  file: string,
  program: Program,
  size: ImageSize,
  dimensions: number,
): Promise<void> {
  const count = 3;
  const images = sampleImages(count, size);
  const oneByOne = async (): Promise<Float32Array> => {
    const rows = new Float32Array(count * dimensions);
    const imageSize = images.data.length / count;
    for (let i = 0; i < count; i++) {
      const one = images.data.slice(i * imageSize, (i + 1) * imageSize);
      const image = tensor('uint8', [1, size.height, size.width, size.channels], one);
      rows.set(await featuresOf(file, program, image, dimensions), i * dimensions);
    }
    return rows;
  };
  const alone = await oneByOne();
  const together = await featuresOf(file, program, images, dimensions).catch((cause: unknown) => {
    if (!(cause instanceof QuarterturnError) || cause.code !== 'runtime') throw cause;
    throw fault(
      file,
      'a network that takes any number of images',
      'one that fails on three',
      'It was exported for one image: export it with a free batch axis.',
    );
  });
  const difference = together.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (alone[i] ?? 0))),
    0,
  );
  if (difference <= batchTolerance) return;
  throw fault(
    file,
    'the same features of an image whatever stands beside it',
    `others in a batch of three, by up to ${difference.toPrecision(2)} of a length of 1`,
    'Export the network for inference (BatchNorm with its moving statistics), in float32.',
  );
}

/** Images of noise in blocks, each of another brightness: not alike for any network. */
function sampleImages(count: number, { height, width, channels }: ImageSize): Tensor<'uint8'> {
  const data = new Uint8Array(count * height * width * channels);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    const image = Math.floor(i / (height * width * channels));
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = 60 * image + ((state >>> 16) % 120);
  }
  return tensor('uint8', [count, height, width, channels], data);
}
