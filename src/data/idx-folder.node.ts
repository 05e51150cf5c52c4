import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { QuarterturnError } from '../errors.js';
import type { DataSource, ImageDataset } from './dataset.js';
import { type IdxArray, readIdx } from './idx.js';

/** The files of MNIST and of the datasets that took over its names: stem and dimension count. */
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
 * Read a dataset from a folder with the IDX files `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`. Only the first is needed: without the second the images are a
 * pile that nothing is known of, without the last two there is no test set.
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
  const read = async (role: Role): Promise<IdxFile | undefined> => {
    const file = files[role];
    return file === undefined ? undefined : load(folder, file, roles[role][1]);
  };
  const trainImages = await load(folder, files.trainImages, roles.trainImages[1]);
  const trainLabels = await read('trainLabels');
  const testImages = await read('testImages');
  const testLabels = await read('testLabels');

  // Of an unlabelled pile, the test set beside it knows the classes.
  const named = trainLabels ?? testLabels;
  const classCount = named ? largest(named.data) + 1 : 0;
  const classNames = Array.from({ length: classCount }, (_, label) => String(label));
  const train = datasetFrom(`${name} train`, trainImages, trainLabels, classNames);
  const test = testImages && testLabels && datasetFrom(`${name} test`, testImages, testLabels, classNames);
  if (test) {
    requireSameSize(train, trainImages.file, test, testImages.file);
    requireKnownClasses(testLabels, classCount);
  }
  const all = [trainImages, trainLabels, testImages, testLabels].filter((file) => file !== undefined);
  return {
    train,
    ...(test && { test }),
    origin: folder,
    checksums: Object.fromEntries(all.map(({ file, md5 }) => [file, md5])),
  };
}

type Role = keyof typeof roles;
type FoundFiles = Readonly<Partial<Record<Role, string>>> & { readonly trainImages: string };

/** The name of each file that the folder has. */
async function findFiles(folder: string): Promise<FoundFiles> {
  let present: Set<string>;
  try {
    present = new Set(await readdir(folder));
  } catch (cause) {
    throw new QuarterturnError('io', `data folder: expected a readable folder. Received: ${folder}.`, {
      hint: 'Name the folder that holds the IDX files.',
      cause,
    });
  }
  const spellingsOf = (role: Role): readonly string[] => {
    const [stem, rank] = roles[role];
    return [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((s) => [s, `${s}.gz`]);
  };
  const find = (role: Role) => spellingsOf(role).find((spelling) => present.has(spelling));
  const require = (role: Role, why: string): string => {
    const file = find(role);
    if (file !== undefined) return file;
    throw new QuarterturnError(
      'data',
      `${folder}: expected ${why}. Received: a folder without ${spellingsOf(role).join(' or ')}.`,
      { hint: 'Put the missing file there, plain or gzipped.' },
    );
  };
  const trainImages = require('trainImages', 'an IDX file of images to learn from');
  const [trainLabels, testImages, testLabels] = [find('trainLabels'), find('testImages'), find('testLabels')];
  if (testImages !== undefined) require('testLabels', `the labels of ${testImages}`);
  if (testLabels !== undefined) require('testImages', `the images of ${testLabels}`);
  return { trainImages, trainLabels, testImages, testLabels };
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
  labels: IdxFile | undefined,
  classNames: readonly string[],
): ImageDataset {
  const [count, height, width] = images.shape as [number, number, number];
  if (labels && labels.data.length !== count) {
    throw new QuarterturnError(
      'data',
      `${labels.file}: expected one label for each of the ${count} images in ${images.file}. Received: ${labels.data.length}.`,
      { hint: 'Do both files come from the same dataset?' },
    );
  }
  return {
    name,
    images: images.data,
    count,
    height,
    width,
    channels: 1,
    classNames,
    ...(labels && { labels: labels.data }),
  };
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
