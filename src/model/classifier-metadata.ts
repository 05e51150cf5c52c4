import type { FitMode, Ground } from '../data/image-fit.js';
import type { ImageSize } from '../tensor/image-size.js';
import { type Abstention, abstentionKey } from './abstention.js';
import { preprocessingFor } from './preprocessing.js';
import { type TrainingSummary, trainingKey } from './training-summary.js';

/** Metadata key of the class names, a JSON array of strings in the order of the probabilities. */
export const classNamesKey = 'quarterturn.classNames';

/** Metadata key of how pictures are fitted into the classifier's size, JSON of a `Preprocessing`. */
export const preprocessingKey = 'quarterturn.preprocessing';

/** What a classifier's file says of itself. */
export interface DescribedClassifier {
  /** One name for each class, in the order of the probabilities. */
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
  /** Below which probability it is unsure, see `fitAbstention`; default: the file does not say. */
  readonly abstention?: Abstention | undefined;
  /** What it learned from and how good it is; default: the file does not say. */
  readonly training?: TrainingSummary | undefined;
}

/** The metadata of a classifier of images of one size. */
export function classifierMetadata(
  image: ImageSize,
  { classNames, meanBrightness, pictureFit, ground, abstention, training }: DescribedClassifier,
): Readonly<Record<string, string>> {
  const preprocessing = preprocessingFor(image, { meanBrightness, fit: pictureFit, ground });
  return {
    [classNamesKey]: JSON.stringify(classNames),
    ...(preprocessing && { [preprocessingKey]: JSON.stringify(preprocessing) }),
    ...(abstention && { [abstentionKey]: JSON.stringify(abstention) }),
    ...(training && { [trainingKey]: JSON.stringify(training) }),
  };
}
