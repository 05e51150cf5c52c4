import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';
import { type Tensor, tensor, zeros } from '../tensor/tensor.js';
import type { ImageDataset } from './dataset.js';
import { checkedIndex } from './image-source.js';
import { copiesOf, turnsOfCopy } from './rotation.js';

export interface OrderOptions {
  /** Leave out a last batch that is not full; default false, as Keras does. */
  readonly dropLast?: boolean;
}

// Batches are made from indices when they are needed (batch-maker.ts); no epoch is ever materialised.

/**
 * The classes of the images at some indices.
 * @returns int32 [indices.length]
 * @throws QuarterturnError `data` for a dataset without labels, `usage` for an index outside it
 */
export function targetsAt({ images, labels }: ImageDataset, indices: ArrayLike<number>): Tensor<'int32'> {
  if (labels === undefined) {
    throw new QuarterturnError('data', `${images.name}: expected labels. Received: images only.`);
  }
  const targets = Int32Array.from(indices, (index) => labels[checkedIndex(images, index)]!);
  return tensor('int32', [targets.length], targets);
}

/**
 * The quarter turns of rotated copies, 0 … 3: the classes of the pretext task.
 * @param copies numbers `4 * image + turns`, see rotation.ts
 * @returns int32 [copies.length]
 */
export function rotationTargets(copies: ArrayLike<number>): Tensor<'int32'> {
  return tensor('int32', [copies.length], Int32Array.from(copies, turnsOfCopy));
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

/** Columns that kernels work on at once, where these are images: a batch of 17 takes them as long as one of 32. */
const columnsAtOnce = 16;

/**
 * Items in each of as many batches as {@link batchesPerEpoch} says, if they are to be of one size; of a multiple of 16, where this
 * leaves out no more than a sixteenth of them.
 */
export function evenBatchSize(count: number, batchSize: number): number {
  const even = Math.floor(count / batchesPerEpoch(count, batchSize));
  const over = even % columnsAtOnce;
  return over * columnsAtOnce <= even ? even - over : even;
}

/** {@link epochOrder} in batches of {@link evenBatchSize}: what is left over, others in each epoch, is left out. */
export function evenOrder(count: number, batchSize: number, random: Random): Uint32Array[] {
  const windows = epochOrder(count, evenBatchSize(count, batchSize), random);
  return windows.slice(0, batchesPerEpoch(count, batchSize));
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
