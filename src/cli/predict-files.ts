import { imagesInMemory } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { formatCount } from '../report/format.js';
import type { Output } from './output.js';
import { readFiles } from './predict-images.js';
import { createWarnings } from './predict-warnings.js';
import { type LabelledPrediction, labelOf, type PredictionFormat } from './prediction-output.js';
import type { Session } from './session.js';
import { formatErrorLine } from './terminal.js';

export interface PredictFilesOptions {
  readonly format: PredictionFormat;
  readonly output: Output;
  /** It trains nothing. */
  readonly session: Omit<Session, 'batchMakerFor'>;
  /** Images to take of each IDX file; default: all. */
  readonly limit?: number | undefined;
  /** Classify the negatives of the images. */
  readonly invert: boolean;
}

/**
 * Images classified and printed at a time: few enough that rows come soon, enough that the kernels are busy. The same
 * images always go together, so that the last digits do not depend on how fast they came.
 */
const batchSize = 32;
/** Shorter work needs no progress. */
const quietMs = 2000;

interface PendingImage {
  readonly file: string;
  readonly index: number;
  readonly several: boolean;
  readonly pixels: Uint8Array;
}

/**
 * Classify files and print a row an image as soon as it is known. A file that cannot be read is named and the others go on.
 * @throws QuarterturnError `data` at the end where files could not be read, `interrupted` if it was stopped
 */
export async function predictFiles(
  classifier: LoadedClassifier,
  files: readonly string[],
  { format, output, session, limit, invert }: PredictFilesOptions,
): Promise<void> {
  const say = session.note;
  const trainingMean = classifier.preprocessing?.meanBrightness;
  const warnings = createWarnings({ size: classifier, trainingMean, invert, say });
  const progress = createFileProgress(files.length, session);
  const print = (text: string): Promise<void> => {
    session.clear();
    return output.write(text);
  };
  let batch: PendingImage[] = [];
  const failures: unknown[] = [];
  let classified = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const rows = await classifyBatch(classifier, batch);
    classified += batch.length;
    batch = [];
    await print(format.rows(rows));
  };
  const isOver = (): boolean => session.signal.aborted || output.isClosed;

  try {
    for await (const read of readFiles(files, classifier, {
      limit,
      invert,
      fit: classifier.preprocessing?.fit,
    })) {
      if (isOver()) break;
      if ('error' in read) {
        failures.push(read.error);
        say(formatErrorLine(read.error));
        progress.advance(1);
        continue;
      }
      const { file, images } = read;
      warnings.look(file, images);
      const imageBytes = images.pixels.length / images.count;
      for (let index = 0; index < images.count && !isOver(); index++) {
        const pixels = images.pixels.subarray(index * imageBytes, (index + 1) * imageBytes);
        batch.push({ file, index, several: images.count > 1, pixels });
        if (batch.length === batchSize) await flush();
        progress.advance(1 / images.count);
      }
      if (images.count === 0) progress.advance(1);
    }
    if (!isOver()) await flush();
  } finally {
    // Also where the model fails: what is printed stays a whole document.
    await print(format.end());
  }
  warnings.end();
  if (session.signal.aborted) {
    throw new QuarterturnError(
      'interrupted',
      `after ${formatCount(classified)} images; their rows are printed.`,
    );
  }
  if (failures.length > 0) {
    const [bad, all] = [failures.length, files.length].map(formatCount);
    throw new QuarterturnError(
      'data',
      `predict: expected readable files only. Received: ${bad} of ${all} unreadable.`,
      {
        hint: 'They are named above; the rows of all others are printed.',
        cause: failures[0],
      },
    );
  }
}

async function classifyBatch(
  classifier: LoadedClassifier,
  batch: readonly PendingImage[],
): Promise<LabelledPrediction[]> {
  const { height, width, channels, classNames } = classifier;
  const imageBytes = height * width * channels;
  const pixels = new Uint8Array(batch.length * imageBytes);
  for (const [i, image] of batch.entries()) pixels.set(image.pixels, i * imageBytes);
  const images = imagesInMemory({ name: 'files', pixels, height, width, channels });
  const labels = batch.map(({ file, index, several }) => labelOf(file, index, several));
  const probabilities = await classifier.classify(images, { titleOf: (i) => labels[i]! });
  return batch.map(({ file, index }, i) => {
    const row = [...probabilities.subarray(i * classNames.length, (i + 1) * classNames.length)];
    const probability = Math.max(...row);
    return {
      label: labels[i]!,
      prediction: {
        file,
        index,
        class: classNames[row.indexOf(probability)]!,
        probability,
        probabilities: Object.fromEntries(row.map((p, k) => [classNames[k]!, p])),
      },
    };
  });
}

/** How far the files are, and how long the others will take. */
function createFileProgress(
  total: number,
  { emit }: Pick<Session, 'emit'>,
): { advance(files: number): void } {
  const startedAt = performance.now();
  let done = 0;
  return {
    advance(files) {
      done += files;
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs < quietMs) return;
      const etaMs = (elapsedMs / done) * (total - done);
      emit({ type: 'pass', title: 'Classifying', done, total, etaMs });
    },
  };
}
