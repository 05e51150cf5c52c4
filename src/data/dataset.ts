import { type ImageSource, imagesInMemory } from './image-source.js';

/** A pile of images in memory, all of one size, with or without labels. */
export interface ImageDataset {
  /** What to call it in messages and reports, e.g. `MNIST train`. */
  readonly name: string;
  /** Pixels, uint8 [count, height, width, channels], row-major. */
  readonly images: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /**
   * Class of each image, 0 … classNames.length − 1; absent where nothing is labelled. Class numbers are int32 everywhere,
   * as training takes them: a byte counts no more than 256 classes.
   */
  readonly labels?: Int32Array;
  /** Of a labelled set, or of the test set beside it; empty where nothing says what the classes are. */
  readonly classNames: readonly string[];
}

/** A training set, and the test set that belongs to it where there is one. */
export interface DataSource {
  readonly train: ImageDataset;
  /** Labelled, of the training set's size and classes; used once, at the end. */
  readonly test?: ImageDataset | undefined;
  /** Where it came from, e.g. a folder, and the MD5 of each file, for `config.json`. */
  readonly origin: string;
  readonly checksums: Readonly<Record<string, string>>;
  /** What a person should know of how it was read, one sentence each, before anything is trained on it. */
  readonly notes?: readonly string[];
}

const sources = new WeakMap<Uint8Array, ImageSource>();

/** The images of a data set as a source; the same one each time. */
export function sourceOf({ name, images, height, width, channels }: ImageDataset): ImageSource {
  const source = sources.get(images) ?? imagesInMemory({ name, pixels: images, height, width, channels });
  sources.set(images, source);
  return source;
}
