import { QuarterturnError } from '../errors.js';
import { Random, type RandomState } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { augmentImages } from './augment-images.js';
import type { AugmentationStrength } from './augmentation-policy.js';
import { stackImages } from './batches.js';
import type { ImageSource } from './image-source.js';

/** Some images of a source, and what is done to them. */
export interface BatchPart {
  /** In the order that the batch has; an index may come twice. */
  readonly indices: Uint32Array;
  /** Default: they are left as they are. */
  readonly augmentation?: PartAugmentation | undefined;
}

/** Augmentation of the images of a part: its strength, and the state of its random stream. */
export interface PartAugmentation {
  readonly strength: AugmentationStrength;
  readonly random: RandomState;
}

/**
 * The images of a batch, described: its parts, one after the other. It is plain data, which structured clone carries to
 * another thread, and it always describes the same images, wherever and whenever they are made.
 */
export type BatchRequest = readonly BatchPart[];

/** Makes batches of the images of one source. */
export interface BatchMaker {
  /**
   * How many of the batches that come next are worth asking for before the step that goes on meanwhile: 0 where making
   * them would hold that step up.
   */
  readonly ahead: number;
  /**
   * @returns uint8 [N, height, width, channels], the caller's own
   * @throws QuarterturnError as {@link makeBatch}; `runtime` if the thread that makes batches has ended
   */
  make(request: BatchRequest): Promise<Tensor<'uint8'>>;
  /** Nothing more is asked of it. What was asked for and is not made yet need not be made. */
  release(): Promise<void>;
}

/** Gives the maker for a source: here, or on another thread. */
export type BatchMakerFor = (source: ImageSource) => BatchMaker;

/** Makes batches on the thread that asks for them, when it asks. */
export const makeBatchesHere: BatchMakerFor = (source) => ({
  ahead: 0,
  make: (request) => makeBatch(source, request),
  async release() {},
});

/**
 * The images that a request describes.
 *
 * @returns uint8 [N, height, width, channels], N being the images of all parts
 * @throws QuarterturnError `usage` for a request without parts or an index outside the source
 */
export async function makeBatch(source: ImageSource, request: BatchRequest): Promise<Tensor<'uint8'>> {
  const parts = await Promise.all(request.map((part) => makePart(source, part)));
  const [first, ...others] = parts;
  if (first === undefined) {
    throw new QuarterturnError('usage', `${source.name}: expected a batch of some parts. Received: none.`);
  }
  return others.length === 0 ? first : stackImages(parts);
}

async function makePart(source: ImageSource, { indices, augmentation }: BatchPart): Promise<Tensor<'uint8'>> {
  const images = await source.read(indices);
  return augmentation
    ? augmentImages(images, augmentation.strength, Random.fromState(augmentation.random))
    : images;
}
