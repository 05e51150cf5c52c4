import { type ImageSize, type ImageSource, readRange } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import type { Program, Runtime } from '../runtime/runtime.js';
import { type Tensor, tensorNamed, zeros } from '../tensor/tensor.js';
import type { Abstention } from './abstention.js';
import { type ClassifierInterface, readClassifierInterface } from './classifier-interface.js';
import type { Preprocessing } from './preprocessing.js';

/**
 * A classifier from an ONNX file, ready to use, and the size of the images that it takes. It holds memory that no garbage
 * collector sees until it is released.
 */
export interface LoadedClassifier extends AsyncDisposable, ImageSize {
  readonly classNames: readonly string[];
  /** How pictures are fitted into that size; undefined if the file does not say. */
  readonly preprocessing: Preprocessing | undefined;
  /** Below which probability of its likeliest class an image is unsure; undefined if the file does not say. */
  readonly abstention: Abstention | undefined;
  /**
   * Probability of each class for each image, in batches.
   * @param images of the classifier's size
   * @returns float32 [count, K], row-major
   * @throws QuarterturnError `usage` for images of another size, `data` if the model gives something other than
   *   probabilities (NaN, for one), `interrupted` if the signal is aborted
   */
  classify(images: ImageSource, options?: ClassifyOptions): Promise<Float32Array>;
  /** Give the memory back. */
  release(): Promise<void>;
}

export interface ClassifyOptions extends ProgressOptions {
  /** What to call an image in errors, by its index; default: `image 3 of <the images' name>`. */
  readonly titleOf?: (index: number) => string;
}

export interface LoadClassifierOptions {
  /** Where it is to run. */
  readonly runtime: Runtime;
}

/** Images a forward pass takes at once; memory grows with it, speed hardly. */
const batchSize = 128;

const exportAgain = 'The file is damaged or says something else than it does: export it again.';

/**
 * Loads a file of `exportClassifier`: uint8 images [N, H, W, C] in, float32 probabilities [N, K] out. Without class names
 * in its metadata, classes are named by their numbers.
 *
 * Two blank images are classified on loading, so that a file whose description is wrong is refused here.
 *
 * @example
 * const classifier = await loadClassifier('model.onnx', await readFile('model.onnx'), { runtime });
 * try {
 *   const images = imagesInMemory({ name: 'digits', pixels, height: 28, width: 28, channels: 1 });
 *   const probabilities = await classifier.classify(images);
 * } finally {
 *   await classifier.release();
 * }
 * @param name the file, for messages
 * @throws QuarterturnError `data` if it is no ONNX file, another kind of model or damaged, `runtime` if the kernel
 *   library refuses it
 */
export async function loadClassifier(
  name: string,
  bytes: Uint8Array,
  { runtime }: LoadClassifierOptions,
): Promise<LoadedClassifier> {
  const found = readClassifierInterface(name, bytes);
  const program = await runtime.load(bytes, name);
  try {
    await classifyBlanks(name, found, program);
  } catch (error) {
    await program.release();
    throw error;
  }
  const { height, width, channels, classes, preprocessing, abstention } = found;
  const release = () => program.release();
  return {
    height,
    width,
    channels,
    classNames: found.classNames ?? Array.from({ length: classes }, (_, k) => String(k)),
    preprocessing,
    abstention,
    async classify(images, options = {}) {
      const { titleOf = (index: number) => `image ${index} of ${images.name}`, emit, signal } = options;
      checkSize(name, found, images);
      const progress = startProgress({ emit, signal }, `classifying ${images.name}`, images.count);
      const probabilities = new Float32Array(images.count * classes);
      for (let from = 0; from < images.count; from += batchSize) {
        const to = Math.min(from + batchSize, images.count);
        const batch = await readRange(images, from, to);
        const rows = await classifyBatch(name, found, program, batch, (index) => titleOf(from + index));
        probabilities.set(rows, from * classes);
        await progress(to);
      }
      return probabilities;
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** @throws QuarterturnError `usage` for images that a classifier does not take */
function checkSize(name: string, { height, width, channels }: ClassifierInterface, given: ImageSource): void {
  if (given.height === height && given.width === width && given.channels === channels) return;
  throw new QuarterturnError(
    'usage',
    `${name}: expected images of ${height}×${width}×${channels}. Received: ${given.name}, ${given.count} of ${given.height}×${given.width}×${given.channels}.`,
  );
}

/** @throws QuarterturnError `data` if the model does not do what its file says */
async function classifyBlanks(name: string, found: ClassifierInterface, program: Program): Promise<void> {
  const { height, width, channels } = found;
  try {
    await classifyBatch(name, found, program, zeros('uint8', [2, height, width, channels]));
  } catch (cause) {
    if (!(cause instanceof QuarterturnError) || cause.code !== 'runtime') throw cause;
    throw new QuarterturnError(
      'data',
      `${name}: expected a classifier of any number of images of ${height}×${width}×${channels}, as the file says. Received: one that fails on two blank ones.`,
      { hint: 'Export it again; for the classifier of a run: quarterturn run --resume runs/<run>', cause },
    );
  }
}

/** Probabilities of a batch, checked. */
async function classifyBatch(
  name: string,
  { input, output, classes }: ClassifierInterface,
  program: Program,
  images: Tensor<'uint8'>,
  titleOf: (index: number) => string = () => 'a blank image',
): Promise<Float32Array> {
  const [count] = images.shape;
  const { dtype, shape, data } = tensorNamed(await program.run({ [input]: images }), output);
  if (dtype !== 'float32' || shape.join() !== [count, classes].join()) {
    throw new QuarterturnError(
      'data',
      `${name}: expected probabilities of ${classes} classes, as the file says: float32 [${count}, ${classes}]. Received: ${dtype} [${shape.join(', ')}].`,
      { hint: exportAgain },
    );
  }
  const rows = data as Float32Array;
  const odd = rows.findIndex((p) => !isProbability(p));
  if (odd >= 0) {
    throw new QuarterturnError(
      'data',
      `${name}: expected probabilities from 0 to 1. Received: ${rows[odd]} for ${titleOf(Math.floor(odd / classes))}.`,
      { hint: exportAgain },
    );
  }
  return rows;
}

/** A sum of rounded numbers may lie a hair above 1. */
const isProbability = (p: number): boolean => p >= 0 && p <= 1 + 1e-4;
