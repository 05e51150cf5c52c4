import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { QuarterturnError } from '../errors.js';
import type { DataSource, ImageDataset } from './dataset.js';
import { type IdxArray, readIdx } from './idx.js';

/** The four files of MNIST and of the datasets that took over its names: stem and dimension count. */
const roles = {
  trainImages: ['train-images', 3],
  trainLabels: ['train-labels', 1],
  testImages: ['t10k-images', 3],
  testLabels: ['t10k-labels', 1],
} as const;

interface IdxFile extends IdxArray {
  readonly file: string;
  readonly md5: string;
}

/**
 * Read a dataset from a folder with the four IDX files `train-images-idx3-ubyte`,
 * `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`.
 *
 * Each may also be spelled with a dot (`train-images.idx3-ubyte`) and be gzipped (`.gz`); the plain
 * file wins where both lie there. Images are [count, height, width], one channel. Classes are named
 * '0' to the largest training label. Checksums are of the files as they lie there.
 *
 * @param name what to call the dataset; default: the folder's name
 * @throws QuarterturnError `io` where the folder cannot be read; `data` for a missing or damaged file,
 *   counts or sizes that do not match, or a test label that training does not know
 */
export async function readIdxFolder(folder: string, name = basename(resolve(folder))): Promise<DataSource> {
  const files = await findFiles(folder);
  const trainImages = await load(folder, files.trainImages, roles.trainImages[1]);
  const trainLabels = await load(folder, files.trainLabels, roles.trainLabels[1]);
  const testImages = await load(folder, files.testImages, roles.testImages[1]);
  const testLabels = await load(folder, files.testLabels, roles.testLabels[1]);

  const classCount = largest(trainLabels.data) + 1;
  const classNames = Array.from({ length: classCount }, (_, label) => String(label));
  const train = datasetFrom(`${name} train`, trainImages, trainLabels, classNames);
  const test = datasetFrom(`${name} test`, testImages, testLabels, classNames);
  requireSameSize(train, trainImages.file, test, testImages.file);
  requireKnownClasses(testLabels, classCount);

  const all = [trainImages, trainLabels, testImages, testLabels];
  return {
    train,
    test,
    origin: folder,
    checksums: Object.fromEntries(all.map(({ file, md5 }) => [file, md5])),
  };
}

/** The name of each file in the folder; one error for all that are missing. */
async function findFiles(folder: string): Promise<Record<keyof typeof roles, string>> {
  let present: Set<string>;
  try {
    present = new Set(await readdir(folder));
  } catch (cause) {
    throw new QuarterturnError('io', `data folder: expected a readable folder. Received: ${folder}.`, {
      hint: 'Name the folder that holds the four IDX files.',
      cause,
    });
  }
  const missing: string[] = [];
  const found = Object.entries(roles).map(([role, [stem, rank]]) => {
    const spellings = [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((s) => [s, `${s}.gz`]);
    const file = spellings.find((spelling) => present.has(spelling));
    if (file === undefined) missing.push(spellings.join(' or '));
    return [role, file];
  });
  if (missing.length > 0) {
    throw new QuarterturnError(
      'data',
      `${folder}: expected the four IDX files. Received: a folder without ${missing.join('; without ')}.`,
      { hint: 'Put the missing files there, plain or gzipped.' },
    );
  }
  return Object.fromEntries(found);
}

async function load(folder: string, file: string, rank: number): Promise<IdxFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, file));
  } catch (cause) {
    throw new QuarterturnError(
      'io',
      `${file}: expected a readable file. Received: ${join(folder, file)}, which cannot be read.`,
      { hint: 'Check its permissions.', cause },
    );
  }
  const array = await readIdx(file, bytes);
  if (array.shape.length !== rank || array.data.length === 0) {
    throw new QuarterturnError(
      'data',
      `${file}: expected ${rank} ${rank === 1 ? 'dimension' : 'dimensions'}, none of them 0. Received: ${array.shape.join(' x ')}.`,
    );
  }
  return { ...array, file, md5: createHash('md5').update(bytes).digest('hex') };
}

function datasetFrom(
  name: string,
  images: IdxFile,
  labels: IdxFile,
  classNames: readonly string[],
): ImageDataset {
  const [count, height, width] = images.shape as [number, number, number];
  if (labels.data.length !== count) {
    throw new QuarterturnError(
      'data',
      `${labels.file}: expected one label for each of the ${count} images in ${images.file}. Received: ${labels.data.length}.`,
      { hint: 'Do both files come from the same dataset?' },
    );
  }
  return { name, images: images.data, count, height, width, channels: 1, labels: labels.data, classNames };
}

function requireSameSize(train: ImageDataset, trainFile: string, test: ImageDataset, testFile: string): void {
  if (test.height !== train.height || test.width !== train.width) {
    throw new QuarterturnError(
      'data',
      `${testFile}: expected images of ${train.height} x ${train.width} as in ${trainFile}. Received: ${test.height} x ${test.width}.`,
    );
  }
}

function requireKnownClasses(testLabels: IdxFile, classCount: number): void {
  const index = testLabels.data.findIndex((label) => label >= classCount);
  if (index >= 0) {
    throw new QuarterturnError(
      'data',
      `${testLabels.file}: expected labels 0 to ${classCount - 1} as in training. Received: ${testLabels.data[index]} at index ${index}.`,
    );
  }
}

function largest(labels: Uint8Array): number {
  return labels.reduce((max, label) => Math.max(max, label), 0);
}
