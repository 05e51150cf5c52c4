import type { SkippedFile } from '../data/readers/found-images.js';
import { looksUnlike } from '../model/abstention.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import type { ImageSize } from '../tensor/image-size.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import {
  type ClassifyPicturesOptions,
  classifyPictures,
  type PictureOutcome,
  skippedPicture,
} from './classify-pictures.node.js';
import { type InputPicture, PredictionInputs, type Shard } from './prediction-inputs.node.js';
import type { PicturePlace, PredictionRow } from './prediction-row.js';

export interface PredictImagesOptions extends ClassifyPicturesOptions {
  /** Pictures to take of each input that holds several; default: all. */
  readonly limit?: number | undefined;
  /** The part of all pictures that is classified; default: all. */
  readonly shard?: Shard | undefined;
}

/** What a classifier says of a picture, or why the picture cannot be used. */
export type ImagePrediction =
  | (PredictionRow & { readonly probabilities: Float32Array })
  | { readonly file: string; readonly index?: number; readonly skipped: SkippedFile };

/**
 * What a classifier says of every picture in files, folders, ZIP and tar archives, and IDX, NumPy and Parquet files: in the
 * order of the paths, within each by name, in constant memory.
 *
 * How pictures are fitted says the classifier's own file. What cannot be read comes in its place with the reason, and does not
 * stop the others; so does a folder or archive that cannot be opened.
 *
 * @example
 * const model = 'runs/five/models/classifier.onnx';
 * const runtime = await createNodeRuntime();
 * await using classifier = await loadClassifier(model, await readFile(model), { runtime });
 * for await (const picture of predictImages(classifier, ['scan.png', 'photos.zip'])) {
 *   if ('skipped' in picture) console.warn(picture.file, picture.skipped.reason);
 *   else console.log(picture.file, picture.label, picture.probability);
 * }
 * @throws QuarterturnError as `LoadedClassifier.classify`; `signal.reason` when the signal says so
 */
export async function* predictImages(
  classifier: LoadedClassifier,
  paths: readonly string[],
  { limit, shard, ...options }: PredictImagesOptions = {},
): AsyncGenerator<ImagePrediction, void, undefined> {
  const unopened: SkippedFile[] = [];
  const inputs = new PredictionInputs(paths, {
    limit,
    shard,
    size: classifier,
    onOpened: ({ skipped }) => unopened.push(...skipped),
  });
  const skippedAhead = () => unopened.splice(0).map((skipped) => ({ file: skipped.name, skipped }));
  try {
    for await (const { outcomes } of predictBatches(classifier, inputs, options)) {
      yield* skippedAhead();
      for (const outcome of outcomes) yield await predictionOf(classifier, outcome);
    }
    yield* skippedAhead();
  } finally {
    await inputs.close();
  }
}

/** Pictures that were classified together. */
export interface PredictedBatch {
  readonly outcomes: readonly PictureOutcome<InputPicture>[];
  /** Of the picture that comes next: where to go on. */
  readonly next: PicturePlace;
}

/**
 * The pictures of some inputs, a batch at a time; those of a batch are released once the next one is asked for.
 * @throws QuarterturnError as {@link predictImages}
 */
export async function* predictBatches(
  classifier: LoadedClassifier,
  inputs: PredictionInputs,
  options: ClassifyPicturesOptions = {},
): AsyncGenerator<PredictedBatch, void, undefined> {
  for await (const outcomes of classifyPictures(classifier, inputs.pictures(), options)) {
    const last = outcomes.at(-1)?.picture.place;
    if (last) yield { outcomes, next: { input: last.input, item: last.item + 1 } };
    for (const { picture } of outcomes) await inputs.release(picture);
  }
}

async function predictionOf(
  classifier: LoadedClassifier,
  outcome: PictureOutcome<InputPicture>,
): Promise<ImagePrediction> {
  if ('probabilities' in outcome) {
    return { ...rowOf(classifier, outcome), probabilities: outcome.probabilities };
  }
  const { file, index, name } = outcome.picture;
  const skipped = await skippedPicture(name, outcome.error);
  return { file, ...(index !== undefined && { index }), skipped };
}

/** The row of a picture; of two classes that are as likely the first counts. */
export function rowOf(
  classifier: Pick<LoadedClassifier, 'classNames' | 'abstention' | keyof ImageSize>,
  {
    picture: { file, index },
    probabilities,
    fitted,
  }: Extract<PictureOutcome<InputPicture>, { probabilities: Float32Array }>,
): PredictionRow {
  const { classNames, abstention } = classifier;
  const best = indexOfLargest(probabilities);
  return {
    file,
    ...(index !== undefined && { index }),
    label: classNames[best] ?? '',
    probability: probabilities[best] ?? Number.NaN,
    ...(abstention &&
      looksUnlike(abstention, { pixels: fitted.pixels, size: classifier }) && { unlike: true }),
  };
}
