import type { FitMode, Ground } from './image-fit.js';
import { type ImageSource, type SelectOptions, selectImages } from './image-source.js';
import type { LeftOut } from './left-out.js';

/** Images, with the class of each if it is known. */
export interface ImageDataset {
  /** The images themselves, what they are called, how many there are and of what size. */
  readonly images: ImageSource;
  /**
   * Class of each image, 0 … classNames.length − 1; absent if nothing is labelled. Class numbers are int32 everywhere,
   * as training takes them: a byte counts no more than 256 classes.
   */
  readonly labels?: Int32Array;
  /** Of a labelled set, or of the test set beside it; empty if nothing says what the classes are. */
  readonly classNames: readonly string[];
  /** Name of the file of an image, as the data lists it; absent where images are items of an array. */
  readonly fileOf?: (index: number) => string | undefined;
}

/** A training set, and the test set that belongs to it if there is one. */
export interface DataSource {
  readonly train: ImageDataset;
  /** Labelled, of the training set's size and classes; used once, at the end. */
  readonly test?: ImageDataset | undefined;
  /** Where it came from, e.g. a folder, and the MD5 of each file, for `config.json`. */
  readonly origin: string;
  readonly checksums: Readonly<Record<string, string>>;
  /** Notes for a person on how it was read, one sentence each, before training. */
  readonly notes?: readonly string[];
  /**
   * Whether training images were found both with a label and without: those labels are all there are, and are what is
   * learned from. Where every image has one, a number of each class stands for the few that somebody would have.
   */
  readonly isPartlyLabelled?: boolean;
  /** What lies there and was not learned from; absent where nobody counted. */
  readonly leftOut?: LeftOut;
  /** How pictures of other proportions were fitted into the size, which a classifier has to be given alike; default: `contain`. */
  readonly pictureFit?: FitMode;
  /** What transparent pictures were laid on; default: black. */
  readonly ground?: Ground;
}

/** The part of a dataset at some indices, in their order, with its labels. No image is copied. */
export function subsetOf(
  { images, labels, classNames }: ImageDataset,
  indices: Uint32Array,
  options?: SelectOptions,
): ImageDataset {
  return {
    images: selectImages(images, indices, options),
    ...(labels && { labels: Int32Array.from(indices, (index) => labels[index]!) }),
    classNames,
  };
}
