import { countOf } from '../counts.js';
import { firstNames } from '../data/name-list.js';
import type { FoundImage, FoundImages, SkippedFile, Split } from '../data/readers/found-images.js';
import { QuarterturnError } from '../errors.js';
import { looksUnlike } from '../model/abstention.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import type { ProgressEvent } from '../progress.js';
import { type ClassifierEvaluation, EvaluationTally } from '../train/classifier-evaluation.js';
import { classifyPictures, skippedPicture } from './classify-pictures.node.js';

/** Which images of a data set: those of one of its parts, or all that have a label. */
export type EvaluatedPart = Split | 'all';

export interface EvaluateModelOptions {
  /** Default: `test` if labelled images are in it, else `all`. */
  readonly part?: EvaluatedPart | undefined;
  /** Mistakes to keep so that they can be shown, and as many other images; default 0. */
  readonly shown?: number | undefined;
  /** Whether an image that cannot be read ends it; default: it is set aside. */
  readonly strict?: boolean | undefined;
  readonly emit?: ((event: ProgressEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a model did on a data set. */
export interface ModelEvaluation {
  /** Which images were taken, for people: `the 10,000 test images`. */
  readonly part: string;
  readonly evaluation: ClassifierEvaluation;
  /** Images of that part without a label. */
  readonly unlabelled: number;
  /** What could not be read, the files that the reader of the data had left out among them. */
  readonly skipped: readonly SkippedFile[];
}

/**
 * Evaluates a classifier on labelled images, whose classes are matched to its own by their names.
 *
 * Pictures are fitted as the classifier's file says. They are gone through once, a batch at a time, in memory that does not
 * grow with them.
 *
 * @example
 * const found = await openImages('photos.zip');
 * const { evaluation } = await evaluateModel(classifier, found);
 * console.log(evaluation.correct / evaluation.total);
 * await found.close?.();
 * @throws QuarterturnError `data` if no image of the part has a label, or none that the classifier knows; `usage` for a
 *   part that the data does not have; as {@link classifyPictures}; `signal.reason` when the signal says so
 */
export async function evaluateModel(
  classifier: LoadedClassifier,
  found: FoundImages,
  options: EvaluateModelOptions = {},
): Promise<ModelEvaluation> {
  const { strict = false, emit, signal } = options;
  const { images, part, unlabelled } = chooseImages(found, options.part);
  assertCommonClass(classifier, found, images);
  const { abstention } = classifier;
  const tally = new EvaluationTally(classifier.classNames, {
    shown: options.shown ?? 0,
    threshold: abstention?.threshold,
  });
  const skipped = [...found.skipped];
  const began = performance.now();
  let done = 0;
  for await (const batch of classifyPictures(classifier, images, { signal })) {
    for (const outcome of batch) {
      const { name, label = '' } = outcome.picture;
      if ('probabilities' in outcome) {
        const { probabilities, fitted } = outcome;
        const { pixels } = fitted;
        const unlike = abstention && looksUnlike(abstention, { pixels, size: classifier });
        tally.add({ name, label, probabilities, pixels, unlike });
      } else if (strict) throw outcome.error;
      else skipped.push(await skippedPicture(name, outcome.error));
    }
    done += batch.length;
    const etaMs = ((performance.now() - began) / done) * (images.length - done);
    emit?.({ type: 'pass', title: 'images classified', done, total: images.length, etaMs });
  }
  return { part, evaluation: tally.result(), unlabelled, skipped };
}

interface ChosenImages {
  readonly images: readonly FoundImage[];
  readonly part: string;
  readonly unlabelled: number;
}

/** The labelled images of a part; what the data does not divide is to learn from. */
function chooseImages({ images, origin }: FoundImages, wanted: EvaluatedPart | undefined): ChosenImages {
  const isLabelled = ({ label }: FoundImage) => label !== undefined;
  const isIn = (part: Split) => (image: FoundImage) => (image.split ?? 'train') === part;
  const hasTest = images.some((image) => isLabelled(image) && isIn('test')(image));
  const part = wanted ?? (hasTest ? 'test' : 'all');
  const inPart = part === 'all' ? images : images.filter(isIn(part));
  const labelled = inPart.filter(isLabelled);
  const count = labelled.length.toLocaleString('en');
  if (labelled.length === 0) {
    const counts = (['train', 'val', 'test'] as const).map(
      (name) => `${images.filter((image) => isLabelled(image) && isIn(name)(image)).length} in ${name}`,
    );
    const expected = part === 'all' ? 'images with labels' : `images with labels in ${part}`;
    throw new QuarterturnError(
      'data',
      `${origin}: expected ${expected}. Received: ${counts.join(', ')}, of ${countOf(images.length, 'image')}.`,
      {
        hint: images.some(isLabelled)
          ? 'Take one of the parts with labels, or all of them.'
          : 'Put images into a folder for each class, or name a table of files and labels.',
      },
    );
  }
  const names: Readonly<Record<EvaluatedPart, string>> = {
    test: `the ${count} labelled test images`,
    val: `the ${count} labelled validation images`,
    train: `the ${count} labelled training images`,
    all:
      wanted === undefined
        ? `all ${count} labelled images: the data has no test set`
        : `all ${count} labelled images`,
  };
  return { images: labelled, part: names[part], unlabelled: inPart.length - labelled.length };
}

/** @throws QuarterturnError `data` naming the classes of both where they have none in common */
function assertCommonClass(
  { classNames }: LoadedClassifier,
  { origin }: FoundImages,
  images: readonly FoundImage[],
): void {
  const labels = new Set(images.flatMap(({ label }) => (label === undefined ? [] : [label])));
  if (classNames.some((name) => labels.has(name))) return;
  throw new QuarterturnError(
    'data',
    `${origin}: expected images of the model's classes, ${firstNames(classNames)}. Received: images of ${firstNames([...labels])}.`,
    { hint: 'Names are compared as they are written: rename the folders, or the labels of the table.' },
  );
}
