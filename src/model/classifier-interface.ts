import { z } from 'zod';
import { QuarterturnError } from '../errors.js';
import { decodeInterface } from '../onnx/decode.js';
import { recogniseForeignFile } from '../onnx/foreign-file.js';
import type { ImageSize } from '../tensor/image-size.js';
import { type Abstention, abstentionKey, abstentionSchema } from './abstention.js';
import { classNamesKey, preprocessingKey } from './export-model.js';
import { type Preprocessing, preprocessingSchema } from './preprocessing.js';
import { type TrainingSummary, trainingKey, trainingSummarySchema } from './training-summary.js';

/** Inputs and outputs that a classifier's file declares; running it shows whether that is true. */
export interface ClassifierInterface {
  /** Names of its input and output. */
  readonly input: string;
  readonly output: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Number of classes. */
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  readonly preprocessing: Preprocessing | undefined;
  readonly abstention: Abstention | undefined;
  readonly training: TrainingSummary | undefined;
}

const savedByRun = 'Use the classifier of a run: runs/<run>/models/classifier.onnx';

/** Bytes of the largest image that a classifier may ask for: those of 4096×4096 pixels in four channels. */
const largestImage = 2 ** 26;

/**
 * Read what an ONNX file says of itself, and refuse what is no classifier of images.
 * @param name the file, for messages
 * @throws QuarterturnError `data` naming the file and what it is instead
 */
export function readClassifierInterface(name: string, bytes: Uint8Array): ClassifierInterface {
  const foreign = recogniseForeignFile(bytes);
  if (foreign) {
    throw new QuarterturnError('data', `${name}: expected an ONNX model. Received: ${foreign.what}.`, {
      hint: foreign.hint,
    });
  }
  const { inputs, outputs, metadata } = decodeInterface(name, bytes);
  const [input, output] = [inputs[0], outputs[0]];
  const size = z.tuple([z.int(), z.int(), z.int()]).safeParse(input?.shape.slice(1)).data;
  const classes = output?.shape[1];
  const fits =
    inputs.length === 1 &&
    input?.dtype === 'uint8' &&
    size !== undefined &&
    output?.dtype === 'float32' &&
    output.shape.length === 2 &&
    typeof classes === 'number';
  if (!fits) {
    const [taken, given] = [inputs, outputs].map((values) =>
      values.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`).join('; '),
    );
    throw new QuarterturnError(
      'data',
      `${name}: expected a classifier that makes float32 [N, K] of one uint8 [N, H, W, C], all but N of a fixed size. Received: ${given || 'nothing'} of ${taken || 'nothing'}.`,
      { hint: savedByRun },
    );
  }
  const [height, width, channels] = size;
  const imageBytes = height * width * channels;
  if (imageBytes < 1 || imageBytes > largestImage) {
    throw new QuarterturnError(
      'data',
      `${name}: expected a classifier of images of 1 to ${largestImage} values. Received: one of images of ${height}×${width}×${channels}.`,
      { hint: savedByRun },
    );
  }
  return {
    input: input.name,
    output: output.name,
    height,
    width,
    channels,
    classes,
    classNames: classNamesIn(name, metadata, classes),
    preprocessing: preprocessingIn(name, metadata, { height, width, channels }),
    abstention: abstentionIn(name, metadata),
    training: trainingIn(name, metadata),
  };
}

type Metadata = Readonly<Record<string, string>>;

function classNamesIn(name: string, metadata: Metadata, classes: number): readonly string[] | undefined {
  const text = metadata[classNamesKey];
  if (text === undefined) return undefined;
  const names = z.array(z.string()).safeParse(parsed(text)).data;
  if (names?.length === classes) return names;
  throw badMetadata(name, classNamesKey, `${classes} names as a JSON array`, text);
}

function preprocessingIn(name: string, metadata: Metadata, size: ImageSize): Preprocessing | undefined {
  const text = metadata[preprocessingKey];
  if (text === undefined) return undefined;
  const found = preprocessingSchema.safeParse(parsed(text)).data;
  const { height, width, channels } = size;
  if (found?.height === height && found.width === width && found.channels === channels) return found;
  throw badMetadata(
    name,
    preprocessingKey,
    `how pictures are fitted into ${height}×${width}×${channels}, as JSON`,
    text,
  );
}

function abstentionIn(name: string, metadata: Metadata): Abstention | undefined {
  const text = metadata[abstentionKey];
  if (text === undefined) return undefined;
  const found = abstentionSchema.safeParse(parsed(text)).data;
  if (found) return found;
  throw badMetadata(name, abstentionKey, 'below which probability the classifier is unsure, as JSON', text);
}

function trainingIn(name: string, metadata: Metadata): TrainingSummary | undefined {
  const text = metadata[trainingKey];
  if (text === undefined) return undefined;
  const found = trainingSummarySchema.safeParse(parsed(text)).data;
  if (found) return found;
  throw badMetadata(name, trainingKey, 'what the classifier learned from, as JSON', text);
}

function badMetadata(name: string, key: string, expected: string, text: string): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${name}, metadata ${key}: expected ${expected}. Received: ${text.slice(0, 60)}.`,
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
