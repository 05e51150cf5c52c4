import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import type { DataSource, ImageDataset } from './dataset.js';
import { type IdxArray, readIdx, readIdxLabels } from './idx.js';
import { assignRoles, canonicalNames, type IdxRole, renamingHint } from './idx-names.js';
import { imagesInMemory } from './image-source.js';
import { classNumbers, describeClasses, occurringValues } from './label-values.js';

interface FileContent {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly md5: string;
}

interface ImageFile extends FileContent, IdxArray {}

interface LabelFile extends FileContent {
  /** As the file has them. */
  readonly values: Int32Array;
}

/**
 * Reads a dataset from a folder with the IDX files `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`. Only the first is needed: without the second, the images are
 * an unlabelled pile; without the last two, there is no test set.
 *
 * Each may also be spelled with dots or capitals, with `test` for `t10k`, with the dataset's name in front, be gzipped
 * (`.gz`), and lie in a folder of its own name, as some tools unpack it; the plain file wins if both are present. Images
 * are [count, height, width], one channel. Classes are the labels that occur in training, each named by its label; labels
 * of more than 256 classes are shorts or ints. Checksums are of the files as they are on disk.
 *
 * @param name what to call the dataset; default: the folder's name
 * @throws QuarterturnError `io` if the folder cannot be read; `data` for a missing or damaged file,
 *   counts or sizes that do not match, or a test label that does not occur in training
 */
export async function readIdxFolder(folder: string, name = basename(resolve(folder))): Promise<DataSource> {
  const files = await findFiles(folder);
  const labelsIn = async (file: string | undefined) =>
    file === undefined ? undefined : loadLabels(folder, file);
  const trainImages = await loadImages(folder, files.trainImages);
  const trainLabels = await labelsIn(files.trainLabels);
  const testImages = files.testImages === undefined ? undefined : await loadImages(folder, files.testImages);
  const testLabels = await labelsIn(files.testLabels);

  // Of a pile without labels, the test set beside it knows the classes.
  const classes = occurringValues((trainLabels ?? testLabels)?.values ?? new Int32Array());
  const train = datasetFrom(`${name} train`, trainImages, trainLabels, classes);
  const test = testImages && datasetFrom(`${name} test`, testImages, testLabels, classes);
  if (testImages) requireSameSize(trainImages, testImages);

  const all = [trainImages, trainLabels, testImages, testLabels].filter((file) => file !== undefined);
  const note = describeClasses(classes);
  return {
    train,
    ...(test && { test }),
    origin: folder,
    checksums: Object.fromEntries(all.map(({ file, md5 }) => [file, md5])),
    ...(note !== undefined && { notes: [note] }),
  };
}

type FoundFiles = Readonly<Partial<Record<IdxRole, string>>> & { readonly trainImages: string };

/** The path of each file that the folder has; one error for all that would have to be there. */
async function findFiles(folder: string): Promise<FoundFiles> {
  const paths = await listIdxFiles(folder);
  if (paths === undefined) {
    throw new QuarterturnError('io', `data folder: expected a readable folder. Received: ${folder}.`, {
      hint: 'Name the folder that holds the IDX files.',
    });
  }
  const found = assignRoles(folder, paths);
  const { trainImages, testImages, testLabels } = found;
  const missing: IdxRole[] = trainImages === undefined ? ['trainImages'] : [];
  // Labels may lack, of the images to learn from; half a test set is an accident.
  if (testImages === undefined && testLabels !== undefined) missing.push('testImages');
  if (testImages !== undefined && testLabels === undefined) missing.push('testLabels');
  if (trainImages !== undefined && missing.length === 0) return { ...found, trainImages };
  const nested = Object.keys(found).length === 0 ? await findNestedIdx(folder) : undefined;
  throw new QuarterturnError(
    'data',
    `${folder}: expected IDX files to learn from. Received: a folder without ${missing.map((role) => canonicalNames[role]).join('; without ')}.`,
    {
      hint: nested === undefined ? renamingHint(missing, paths) : `They lie in ${nested}: name that folder.`,
    },
  );
}

/**
 * Files of a folder, and those in folders of their own name (`x/x`, as some tools unpack `x.gz`), with `/`.
 * @returns undefined if it cannot be read
 */
export async function listIdxFiles(folder: string): Promise<string[] | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  const paths = entries?.map(async (entry) => {
    if (!entry.isDirectory()) return [entry.name];
    const inner = await readdir(join(folder, entry.name)).catch(() => []);
    return inner.filter((file) => file === entry.name).map((file) => `${entry.name}/${file}`);
  });
  return paths && (await Promise.all(paths)).flat();
}

/** Folders below that are looked into: `MNIST/raw` is two deep. */
const deepest = 3;

/** The first folder below that holds any of the files. */
export async function findNestedIdx(folder: string, depth = 1): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((each) => each.isDirectory())) {
    const inner = join(folder, entry.name);
    const found = Object.keys(assignRoles(inner, (await listIdxFiles(inner)) ?? [])).length > 0;
    const nested = found ? inner : depth < deepest ? await findNestedIdx(inner, depth + 1) : undefined;
    if (nested !== undefined) return nested;
  }
  return undefined;
}

async function readContent(folder: string, file: string): Promise<FileContent> {
  try {
    const bytes = await readFile(join(folder, file));
    return { file, bytes, md5: createHash('md5').update(bytes).digest('hex') };
  } catch (cause) {
    throw new QuarterturnError(
      'io',
      `${file}: expected a readable file. Received: ${join(folder, file)}, which cannot be read.`,
      { hint: 'Check its permissions.', cause },
    );
  }
}

async function loadImages(folder: string, file: string): Promise<ImageFile> {
  const content = await readContent(folder, file);
  const array = await readIdx(file, content.bytes);
  if (array.shape.length !== 3 || array.data.length === 0) {
    throw new QuarterturnError(
      'data',
      `${file}: expected 3 dimensions, none of them 0. Received: ${array.shape.join(' x ')}.`,
    );
  }
  return { ...content, ...array };
}

async function loadLabels(folder: string, file: string): Promise<LabelFile> {
  const content = await readContent(folder, file);
  return { ...content, values: await readIdxLabels(file, content.bytes) };
}

function datasetFrom(
  name: string,
  images: ImageFile,
  labels: LabelFile | undefined,
  classes: Int32Array,
): ImageDataset {
  const [count, height, width] = images.shape as [number, number, number];
  if (labels && labels.values.length !== count) {
    throw new QuarterturnError(
      'data',
      `${labels.file}: expected one label for each of the ${countOf(count, 'image')} in ${images.file}. Received: ${labels.values.length}.`,
      { hint: 'Do both files come from the same dataset?' },
    );
  }
  return {
    images: imagesInMemory({ name, pixels: images.data, height, width, channels: 1 }),
    ...(labels && { labels: classNumbers(labels.values, classes, labels.file) }),
    classNames: Array.from(classes, String),
  };
}

function requireSameSize(train: ImageFile, test: ImageFile): void {
  const [, height, width] = train.shape;
  const [, testHeight, testWidth] = test.shape;
  if (testHeight !== height || testWidth !== width) {
    throw new QuarterturnError(
      'data',
      `${test.file}: expected images of ${height} x ${width} as in ${train.file}. Received: ${testHeight} x ${testWidth}.`,
    );
  }
}
