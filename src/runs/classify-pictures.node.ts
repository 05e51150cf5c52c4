import { availableParallelism } from 'node:os';
import { contrastOf } from '../data/brightness.js';
import type { DecodedImage } from '../data/image-decode.node.js';
import { type ImageSize, imagesInMemory } from '../data/image-source.js';
import type { FoundImage, FoundImages, ImageBytes, SkippedFile } from '../data/readers/found-images.js';
import { QuarterturnError } from '../errors.js';
import type { LoadedClassifier } from '../model/load-classifier.js';

/** A picture on its way to a classifier; a {@link FoundImage} is one. */
export interface Picture {
  /** What to call it in messages. */
  readonly name: string;
  /** @throws QuarterturnError `data` or `io` naming the picture */
  read(): Promise<ImageBytes>;
}

export interface ClassifyPicturesOptions {
  /**
   * Pictures that are classified at a time; default 128, beyond which no kernel gets faster. The same pictures always go
   * together, those that cannot be read counted too, so that the last digits do not depend on how fast they came.
   */
  readonly batchSize?: number | undefined;
  /** Classify the negatives of the pictures: for dark ink on light paper where a model knows light on dark. */
  readonly invert?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A picture in the classifier's size. */
export interface FittedPicture {
  /** uint8 [height, width, channels] */
  readonly pixels: Uint8Array;
  /** Largest difference of two pixels of the picture in the same channel, 0–255. */
  readonly contrast: number;
  /** What was found while it was decoded and fitted; absent where its pixels had the size and were taken as they are. */
  readonly decoded?: DecodedImage;
}

/** What became of a picture: its probabilities, or why it cannot be used. */
export type PictureOutcome<P extends Picture> =
  | {
      readonly picture: P;
      readonly fitted: FittedPicture;
      /** float32 [K], in the order of the classifier's classes. */
      readonly probabilities: Float32Array;
    }
  | { readonly picture: P; readonly error: QuarterturnError };

/** Where a row of a matrix product is long enough; `loadClassifier` takes no more at once either. */
const defaultBatchSize = 128;
/** Pictures that are read and decoded at once: the decoder's threads never wait. */
const leastAhead = 2 * Math.min(Math.max(availableParallelism(), 4), 16);
/** Of small pictures more: the kernels block the event loop for a batch, and threads decode only what was begun before. */
const batchesAhead = 2;
/** Bytes of the files that are held for it. */
const bytesAhead = 64 * 2 ** 20;

/**
 * Classify pictures in their order, a batch at a time, in constant memory: a bounded number is read and decoded ahead.
 *
 * How a picture is fitted says the classifier's own file. A picture that cannot be read does not stop the others.
 *
 * @returns the outcomes of each batch
 * @throws QuarterturnError as `LoadedClassifier.classify`; `signal.reason` when the signal says so
 */
export async function* classifyPictures<P extends Picture>(
  classifier: LoadedClassifier,
  pictures: Iterable<P> | AsyncIterable<P>,
  { batchSize = defaultBatchSize, invert = false, signal }: ClassifyPicturesOptions = {},
): AsyncGenerator<readonly PictureOutcome<P>[], void, undefined> {
  const toSize = fitterFor(classifier, invert);
  let batch: Fitting<P>[] = [];
  for await (const fitting of fittedAhead(pictures, toSize, batchesAhead * batchSize)) {
    signal?.throwIfAborted();
    batch.push(fitting);
    if (batch.length < batchSize) continue;
    yield await classifyBatch(classifier, batch);
    signal?.throwIfAborted();
    batch = [];
  }
  if (batch.length > 0) yield await classifyBatch(classifier, batch);
}

type Fitting<P extends Picture> =
  | { readonly picture: P; readonly fitted: FittedPicture }
  | { readonly picture: P; readonly error: QuarterturnError };

type Fit = (name: string, content: ImageBytes) => Promise<FittedPicture>;

/** How a classifier's file says that pictures are fitted; what it does not say is as this library does it. */
function fitterFor(classifier: LoadedClassifier, invert: boolean): Fit {
  const { height, width, channels, preprocessing } = classifier;
  const size: ImageSize = { height, width, channels };
  const ground = preprocessing?.alphaGround === 255 ? 'white' : 'black';
  const options = { invert, fit: preprocessing?.fit ?? 'contain', ground } as const;
  return async (name, content) => {
    if (content.kind === 'pixels' && isOfSize(content, size)) {
      const pixels = invert ? content.pixels.map((value) => 255 - value) : content.pixels;
      return { pixels, contrast: contrastOf(pixels, channels) };
    }
    // Loaded only now: arrays of the right size need no image library.
    const { decodeContent } = await import('../data/image-facts.node.js');
    const decoded = await decodeContent(name, content, size, options);
    return { pixels: decoded.pixels, contrast: decoded.contrast, decoded };
  };
}

function isOfSize(a: ImageSize, b: ImageSize): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels;
}

/** Pictures read and fitted ahead of their use, in their order; of large ones fewer than `most`. */
async function* fittedAhead<P extends Picture>(
  pictures: Iterable<P> | AsyncIterable<P>,
  toSize: Fit,
  most: number,
): AsyncGenerator<Fitting<P>, void, undefined> {
  let meanBytes = 0;
  const begin = async (picture: P): Promise<Fitting<P>> => {
    try {
      const content = await picture.read();
      const bytes = content.kind === 'file' ? content.bytes : content.pixels;
      meanBytes = meanBytes === 0 ? bytes.length : meanBytes + (bytes.length - meanBytes) / 8;
      return { picture, fitted: await toSize(picture.name, content) };
    } catch (error) {
      if (error instanceof QuarterturnError) return { picture, error };
      throw error;
    }
  };
  const room = (): number =>
    meanBytes === 0 ? leastAhead : Math.min(most, Math.max(leastAhead, bytesAhead / meanBytes));
  const begun: Promise<Fitting<P>>[] = [];
  for await (const picture of pictures) {
    const fitting = begin(picture);
    // Whoever waits for it hears of its failure; until then it is nobody's.
    fitting.catch(() => {});
    begun.push(fitting);
    while (begun.length >= room()) {
      const next = begun.shift();
      if (next) yield next;
    }
  }
  yield* begun;
}

async function classifyBatch<P extends Picture>(
  classifier: LoadedClassifier,
  batch: readonly Fitting<P>[],
): Promise<PictureOutcome<P>[]> {
  const { height, width, channels, classNames } = classifier;
  const imageBytes = height * width * channels;
  const usable = batch.flatMap((each) => ('fitted' in each ? each : []));
  const pixels = new Uint8Array(usable.length * imageBytes);
  for (const [i, { fitted }] of usable.entries()) pixels.set(fitted.pixels, i * imageBytes);
  const images = imagesInMemory({ name: 'pictures', pixels, height, width, channels });
  const titleOf = (i: number) => usable[i]?.picture.name ?? `picture ${i}`;
  const rows = await classifier.classify(images, { titleOf });
  const classes = classNames.length;
  let row = 0;
  return batch.map((each) => {
    if ('error' in each) return each;
    const probabilities = rows.slice(row * classes, ++row * classes);
    return { ...each, probabilities };
  });
}

/** What a classifier says of an image of a data set, or why the image cannot be used. */
export type FoundPrediction = {
  readonly name: string;
  /** Its index in `FoundImages.images`. */
  readonly index: number;
  /** Its class as the data set has it, where it has one. */
  readonly label?: string;
} & (
  | {
      /** float32 [K], in the order of the classifier's classes. */
      readonly probabilities: Float32Array;
    }
  | { readonly skipped: SkippedFile }
);

/**
 * What a classifier says of each image of a data set, in its order and in constant memory.
 *
 * @example
 * const found = await openImages('photos.zip');
 * for await (const each of predictFound(classifier, found)) {
 *   if ('skipped' in each) continue;
 *   console.log(each.name, each.label, each.probabilities);
 * }
 * await found.close?.();
 * @throws QuarterturnError as {@link classifyPictures}; `signal.reason` when the signal says so
 */
export async function* predictFound(
  classifier: LoadedClassifier,
  found: Pick<FoundImages, 'images'>,
  options: ClassifyPicturesOptions = {},
): AsyncGenerator<FoundPrediction, void, undefined> {
  let index = 0;
  for await (const batch of classifyPictures<FoundImage>(classifier, found.images, options)) {
    for (const outcome of batch) {
      const { name, label } = outcome.picture;
      const known = { name, index: index++, ...(label !== undefined && { label }) };
      if ('probabilities' in outcome) yield { ...known, probabilities: outcome.probabilities };
      else yield { ...known, skipped: await skippedPicture(name, outcome.error) };
    }
  }
}

/** A picture that cannot be used, by the kind of its fault. */
export async function skippedPicture(name: string, error: QuarterturnError): Promise<SkippedFile> {
  const { skippedFor } = await import('../data/image-facts.node.js');
  return skippedFor(name, error);
}
