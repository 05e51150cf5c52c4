import type { ImageDataset } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { decodeModel } from '../onnx/decode.js';
import type { OnnxModel } from '../onnx/model.js';
import type { Runtime } from '../runtime/runtime.js';
import { classNamesKey } from './export-model.js';

/** A classifier from an ONNX file, ready to use. */
export interface LoadedClassifier {
  /** Size of the images that it takes. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classNames: readonly string[];
  /**
   * Probability of each class for each image, in batches.
   * @param images of the classifier's size
   * @returns float32 [count, K], row-major
   */
  classify(images: ImageDataset): Promise<Float32Array>;
}

/** Images a forward pass takes at once; memory grows with it, speed hardly. */
const batchSize = 128;

const savedByRun = 'Use the classifier of a run: runs/<run>/models/classifier.onnx';

/**
 * Load what `exportClassifier` made: uint8 images [N, H, W, C] in, float32 probabilities [N, K] out. Without class names
 * in its metadata classes are called by their number.
 * @param name the file, for messages
 * @throws QuarterturnError `data` where it is no ONNX file, or another kind of model
 */
export async function loadClassifier(
  name: string,
  bytes: Uint8Array,
  runtime: Runtime,
): Promise<LoadedClassifier> {
  const model = decodeModel(name, bytes);
  const { input, output, size, classNames } = interfaceOf(name, model);
  const program = await runtime.load(bytes);
  const [height, width, channels] = size;
  return {
    height,
    width,
    channels,
    classNames,
    async classify(images) {
      const imageSize = height * width * channels;
      const probabilities = new Float32Array(images.count * classNames.length);
      for (let from = 0; from < images.count; from += batchSize) {
        const to = Math.min(from + batchSize, images.count);
        // A copy: runtimes want memory that begins with the batch.
        const data = images.images.slice(from * imageSize, to * imageSize) as Uint8Array<ArrayBuffer>;
        const out = await program.run({ [input]: { dtype: 'uint8', shape: [to - from, ...size], data } });
        probabilities.set(out[output]!.data as Float32Array, from * classNames.length);
      }
      return probabilities;
    },
  };
}

interface ModelInterface {
  readonly input: string;
  readonly output: string;
  readonly size: readonly [number, number, number];
  readonly classNames: readonly string[];
}

function interfaceOf(name: string, { inputs, outputs, metadata }: OnnxModel): ModelInterface {
  const [input, output] = [inputs[0], outputs[0]];
  const [, ...size] = input?.shape ?? [];
  const classes = output?.shape[1];
  const fits =
    inputs.length === 1 &&
    input?.dtype === 'uint8' &&
    size.length === 3 &&
    size.every((n) => typeof n === 'number') &&
    output?.dtype === 'float32' &&
    output.shape.length === 2 &&
    typeof classes === 'number';
  if (!fits) {
    const received = inputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`);
    throw new QuarterturnError(
      'data',
      `${name}: expected a classifier with one input, uint8 [N, H, W, C]. Received: ${received.join('; ') || 'no input'}.`,
      { hint: savedByRun },
    );
  }
  const names = classNamesIn(name, metadata[classNamesKey], classes);
  return {
    input: input.name,
    output: output.name,
    size: size as unknown as [number, number, number],
    classNames: names,
  };
}

function classNamesIn(name: string, text: string | undefined, classes: number): readonly string[] {
  if (text === undefined) return Array.from({ length: classes }, (_, k) => String(k));
  const names = parsed(text);
  if (Array.isArray(names) && names.length === classes && names.every((n) => typeof n === 'string')) {
    return names;
  }
  throw new QuarterturnError(
    'data',
    `${name}, metadata ${classNamesKey}: expected ${classes} names as a JSON array. Received: ${text.slice(0, 60)}.`,
    { hint: savedByRun },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
