import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';
import { sizeOf, type Tensor, tensor, zeros } from '../tensor/tensor.js';
import type { ImageDataset } from './dataset.js';
import { copiesOf, imageOfCopy, requireSquare, rotateImage, turnsOfCopy } from './rotation.js';

/** What a training step is fed with. */
export interface Batch {
  /** uint8 [N, H, W, C] */
  readonly images: Tensor<'uint8'>;
  /** Class of each image, int32 [N]. */
  readonly targets: Tensor<'int32'>;
}

export interface OrderOptions {
  /** Leave out a last batch that is not full; default false, as Keras does. */
  readonly dropLast?: boolean;
}

// Batches are made from indices when they are needed; no epoch is ever materialised. Each maker takes
// `into`, buffers of an earlier batch to write over: a smaller batch becomes a view of their beginning.

/** Buffers for batches of up to `batchSize` images. */
export function batchBuffers(dataset: ImageDataset, batchSize: number): Batch {
  const { height, width, channels } = dataset;
  return {
    images: zeros('uint8', [batchSize, height, width, channels]),
    targets: zeros('int32', [batchSize]),
  };
}

/**
 * The images at some indices.
 * @returns uint8 [indices.length, H, W, C]
 * @throws QuarterturnError `usage` for an index outside the dataset; `shape` where `into` is too small
 */
export function gatherImages(
  dataset: ImageDataset,
  indices: ArrayLike<number>,
  into?: Tensor<'uint8'>,
): Tensor<'uint8'> {
  const images = bufferFor('uint8', imageShape(dataset, indices.length), into);
  const imageSize = dataset.height * dataset.width * dataset.channels;
  for (let i = 0; i < indices.length; i++) {
    const from = checkedIndex(dataset, indices[i]!) * imageSize;
    images.data.set(dataset.images.subarray(from, from + imageSize), i * imageSize);
  }
  return images;
}

/**
 * Images with their classes as targets.
 * @throws QuarterturnError as {@link targetsAt} and {@link gatherImages}
 */
export function labelledBatch(dataset: ImageDataset, indices: ArrayLike<number>, into?: Batch): Batch {
  const targets = targetsAt(dataset, indices, into?.targets);
  return { images: gatherImages(dataset, indices, into?.images), targets };
}

/**
 * The classes of the images at some indices.
 * @returns int32 [indices.length]
 * @throws QuarterturnError `data` for a dataset without labels, `usage` for an index outside the dataset
 */
export function targetsAt(
  dataset: ImageDataset,
  indices: ArrayLike<number>,
  into?: Tensor<'int32'>,
): Tensor<'int32'> {
  const { labels } = dataset;
  if (labels === undefined) {
    throw new QuarterturnError('data', `${dataset.name}: expected labels. Received: images only.`);
  }
  const targets = bufferFor('int32', [indices.length], into);
  for (let i = 0; i < indices.length; i++) targets.data[i] = labels[checkedIndex(dataset, indices[i]!)]!;
  return targets;
}

/**
 * Rotated copies with their quarter turns, 0 ... 3, as targets.
 * @param copies numbers `4 * image + turns`, see rotation.ts
 * @throws QuarterturnError `shape` for images that are not square, else as {@link gatherImages}
 */
export function rotationBatch(dataset: ImageDataset, copies: ArrayLike<number>, into?: Batch): Batch {
  requireSquare(dataset);
  const { height, width, channels } = dataset;
  const imageSize = height * width * channels;
  const images = bufferFor('uint8', imageShape(dataset, copies.length), into?.images);
  const targets = bufferFor('int32', [copies.length], into?.targets);
  for (let i = 0; i < copies.length; i++) {
    const turns = turnsOfCopy(copies[i]!);
    const from = checkedIndex(dataset, imageOfCopy(copies[i]!)) * imageSize;
    rotateImage(dataset.images, from, images.data, i * imageSize, height, width, channels, turns);
    targets.data[i] = turns;
  }
  return { images, targets };
}

/** Several batches of images as one. @param parts uint8 [N, H, W, C], equal but for N */
export function stackImages(parts: readonly Tensor<'uint8'>[]): Tensor<'uint8'> {
  const [, ...rest] = parts[0]!.shape;
  const images = zeros('uint8', [parts.reduce((n, { shape }) => n + shape[0]!, 0), ...rest]);
  let at = 0;
  for (const { data } of parts) {
    images.data.set(data, at);
    at += data.length;
  }
  return images;
}

/** The part of a dataset at some indices, as a dataset with memory of its own. */
export function subsetOf(dataset: ImageDataset, indices: ArrayLike<number>, name: string): ImageDataset {
  const { labels } = dataset;
  return {
    ...dataset,
    name,
    images: gatherImages(dataset, indices).data,
    count: indices.length,
    ...(labels && { labels: Int32Array.from(indices, (index) => labels[index]!) }),
  };
}

/** Batches in an epoch: count / batchSize, rounded up, or down where the last is dropped. */
export function batchesPerEpoch(
  count: number,
  batchSize: number,
  { dropLast = false }: OrderOptions = {},
): number {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new QuarterturnError('usage', `batch size: expected a positive integer. Received: ${batchSize}.`);
  }
  return dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
}

/**
 * The items of an epoch in random order, cut into batches; the last may be short.
 *
 * @param items indices or rotated copies to go through, or a count n for 0 ... n - 1; left as they are
 * @returns views of one array: batch e of the epoch is element e
 */
export function epochOrder(
  items: number | ArrayLike<number>,
  batchSize: number,
  random: Random,
  options: OrderOptions = {},
): Uint32Array[] {
  const order =
    typeof items === 'number' ? random.permutation(items) : random.shuffle(Uint32Array.from(items));
  return windowsOf(order, batchSize, options);
}

/**
 * An epoch in which each batch holds all four turns of its images, as RotNet's authors train (Gidaris
 * et al., "Unsupervised Representation Learning by Predicting Image Rotations", 2018, section 3.1).
 *
 * @param images image indices; 32 of them make a batch of 128
 * @returns rotated copies `4 * image + turns`, those of one image side by side
 */
export function groupedOrder(
  images: number | ArrayLike<number>,
  imagesPerBatch: number,
  random: Random,
  options: OrderOptions = {},
): Uint32Array[] {
  return epochOrder(images, imagesPerBatch, random, options).map(copiesOf);
}

/**
 * One endless sequence over `count` items, shuffled anew each time around: any stretch of it, whatever was asked before.
 * @returns items `from` … `from + length − 1` of the sequence
 */
export function endlessOrder(count: number, random: Random): (from: number, length: number) => Uint32Array {
  const passes = new Map<number, Uint32Array>();
  const passOf = (at: number): Uint32Array => {
    const pass = Math.floor(at / count);
    const known = passes.get(pass);
    if (known) return known;
    // Earlier passes are not asked for again but by a resumed run.
    passes.clear();
    const order = random.split('pass', pass).permutation(count);
    passes.set(pass, order);
    return order;
  };
  return (from, length) => Uint32Array.from({ length }, (_, i) => passOf(from + i)[(from + i) % count]!);
}

/** Items cut into batches in the order they have, for evaluation. */
export function windowsOf(items: Uint32Array, batchSize: number, options: OrderOptions = {}): Uint32Array[] {
  return Array.from({ length: batchesPerEpoch(items.length, batchSize, options) }, (_, e) =>
    items.subarray(e * batchSize, (e + 1) * batchSize),
  );
}

/**
 * Items 0 ... count - 1 in as few batches of one size as can be. Batch e takes every n-th item from e on, so that items in
 * the order of their classes are spread over all batches; fewer than n items are left out.
 *
 * @param most items of a batch, at least 2; three items are one batch all the same, since one alone has no variance
 */
export function interleavedBatches(count: number, most: number): Uint32Array[] {
  const batches = Math.max(1, Math.min(Math.ceil(count / most), Math.floor(count / 2)));
  const size = Math.floor(count / batches);
  return Array.from({ length: batches }, (_, e) =>
    Uint32Array.from({ length: size }, (_, i) => i * batches + e),
  );
}

function imageShape({ height, width, channels }: ImageDataset, count: number): readonly number[] {
  return [count, height, width, channels];
}

function checkedIndex(dataset: ImageDataset, index: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.count) {
    throw new QuarterturnError(
      'usage',
      `${dataset.name}: expected image indices from 0 to ${dataset.count - 1}. Received: ${index}.`,
    );
  }
  return index;
}

/** A tensor of this shape: new, or a view of the beginning of `into`. */
function bufferFor<D extends 'uint8' | 'int32'>(
  dtype: D,
  shape: readonly number[],
  into?: Tensor<D>,
): Tensor<D> {
  if (into === undefined) return zeros(dtype, shape);
  const size = sizeOf(shape);
  if (into.data.length < size) {
    throw new QuarterturnError(
      'shape',
      `batch buffer: expected room for ${size} elements of [${shape.join(', ')}]. Received: [${into.shape.join(', ')}].`,
    );
  }
  return tensor(dtype, shape, into.data.subarray(0, size) as Tensor<D>['data']);
}
