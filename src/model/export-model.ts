import type { FitMode, Ground } from '../data/image-fit.js';
import { QuarterturnError } from '../errors.js';
import { lowerForAnyBatch } from '../lower/any-batch.js';
import type { Network } from '../nn/network.js';
import { encodeModel } from '../onnx/encode.js';
import type { Tensors } from '../tensor/tensor.js';
import { buildClassifier } from '../train/forward.js';
import { preprocessingFor } from './preprocessing.js';
import { type TrainingSummary, trainingKey } from './training-summary.js';

/** Metadata key of the class names, a JSON array of strings in the order of the probabilities. */
export const classNamesKey = 'quarterturn.classNames';

/** Metadata key of how pictures are fitted into the classifier's size, JSON of a `Preprocessing`. */
export const preprocessingKey = 'quarterturn.preprocessing';

export interface ExportOptions {
  readonly network: Network;
  /** All tensors of the network. */
  readonly weights: Tensors;
  /** One name for each of the network's classes, in their order. */
  readonly classNames: readonly string[];
  /**
   * Mean of all values of the training images, 0–255, by which a user of the file can tell negatives. Default: it is
   * left out.
   */
  readonly meanBrightness?: number | undefined;
  /** How the training pictures were fitted into their size; default: `contain`. */
  readonly pictureFit?: FitMode | undefined;
  /** What transparent pictures were laid on; default: black. */
  readonly ground?: Ground | undefined;
  /** Logits are divided by it before the softmax, see `fitTemperature`; default: 1. The class said stays the same. */
  readonly temperature?: number | undefined;
  /** What it learned from and how good it is; default: the file does not say. */
  readonly training?: TrainingSummary | undefined;
}

/**
 * Writes a classifier as one ONNX file.
 *
 * Input `images` uint8 [N, H, W, C] with any N, output `probabilities` float32 [N, K]; normalisation and softmax are
 * inside; the metadata holds class names, the fit of pictures and what was learned from. The file uses plain ONNX operators in ONNX's own layout,
 * so that other runtimes can use it.
 *
 * @throws QuarterturnError `usage` if names and classes differ in number
 */
export function exportClassifier({
  network,
  weights,
  classNames,
  meanBrightness,
  pictureFit,
  ground,
  temperature,
  training,
}: ExportOptions): Uint8Array {
  if (classNames.length !== network.classes) {
    throw new QuarterturnError(
      'usage',
      `classNames: expected ${network.classes}, one for each class of the network. Received: ${classNames.length}.`,
    );
  }
  const preprocessing = preprocessingFor(network.settings.image, { meanBrightness, fit: pictureFit, ground });
  const classifierOf = (batchSize: number) =>
    buildClassifier(network, weights, { batchSize, output: 'probabilities', temperature });
  const model = lowerForAnyBatch(classifierOf, 'anywhere', {
    name: 'quarterturn classifier',
    metadata: {
      [classNamesKey]: JSON.stringify(classNames),
      ...(preprocessing && { [preprocessingKey]: JSON.stringify(preprocessing) }),
      ...(training && { [trainingKey]: JSON.stringify(training) }),
    },
  });
  return encodeModel(model);
}
