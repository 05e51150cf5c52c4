import { augmentImages } from '../data/augment-images.js';
import { type ImageSource, imagesInMemory } from '../data/image-source.js';
import type { Network } from '../nn/network.js';
import { inChunks, type ProgressOptions, startProgress, yieldToEventLoop } from '../progress.js';
import type { PileMetrics } from '../store/run-record.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import type { Tensors } from '../tensor/tensor.js';
import { computeProbabilities, type PassContext } from '../train/evaluate.js';
import { type RecipeContext, randomFor } from './context.js';

/** Images of the pile that every evaluation uses: enough to measure agreement to half a per cent. */
export const pileSampleSize = 2000;

/** Two distortions of the same P images. */
export type PileViews = readonly [ImageSource, ImageSource];

/** Pixels distorted between two checks of the abort signal: a few milliseconds' work. */
const pixelsAtATime = 2 ** 16;

/** Numbers added up between two turns of the event loop: a few milliseconds' work. */
const numbersAtATime = 2 ** 21;

/**
 * Two distorted views of a sample of the pile. They are made once and kept for the run, so that every evaluation uses the
 * same images.
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function pileViews(
  context: ProgressOptions & Pick<RecipeContext, 'settings' | 'data'>,
  unlabelled: Uint32Array,
): Promise<PileViews> {
  const { images } = context.data.train;
  const { height, width, channels } = images;
  const imageSize = height * width * channels;
  const random = (purpose: string) => randomFor(context, 'pile', purpose);
  const sample = random('sample').shuffle(unlabelled.slice()).slice(0, pileSampleSize);
  const { mild, strong } = context.settings.selfTrain!;
  const progress = startProgress(context, 'views of the unlabelled pile', 2 * sample.length);
  const view = async (name: 'mild' | 'strong', before: number) => {
    const pixels = new Uint8Array(sample.length * imageSize);
    // One stream for all parts: the images are those of a single call.
    const stream = random(name);
    await inChunks(
      sample.length,
      pixelsAtATime / (height * width),
      async (from, to) => {
        const part = await images.read(sample.subarray(from, to));
        pixels.set(augmentImages(part, name === 'mild' ? mild : strong, stream).data, from * imageSize);
      },
      (done) => progress(before + done),
    );
    return imagesInMemory({ name: `${images.name}, ${name} view`, pixels, height, width, channels });
  };
  return [await view('mild', 0), await view('strong', sample.length)];
}

/**
 * Measures how certain a classifier is of unlabelled images, and whether it stays certain when they are distorted.
 *
 * @returns information 0 for a classifier that gives every image one class, however certain it is
 */
export async function measureOnPile(
  network: Network,
  weights: Tensors,
  views: PileViews,
  context: PassContext,
): Promise<PileMetrics> {
  const probabilities = (images: ImageSource) =>
    computeProbabilities(network, weights, { title: 'the unlabelled pile', images }, context);
  return pileMetrics(await probabilities(views[0]), await probabilities(views[1]), network.classes);
}

/**
 * @param a, b class probabilities of two views of the same images, float32 [P, K]
 * @see mutualInformation in nn/losses.ts for the formula
 */
export async function pileMetrics(a: Float32Array, b: Float32Array, classes: number): Promise<PileMetrics> {
  const count = a.length / classes;
  const joint = new Float64Array(classes * classes);
  const given = new Float64Array(classes);
  let same = 0;
  const add = (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const [p, q] = [a, b].map((rows) => rows.subarray(n * classes, (n + 1) * classes)) as [
        Float32Array,
        Float32Array,
      ];
      const [classOfA, classOfB] = [indexOfLargest(p), indexOfLargest(q)];
      same += classOfA === classOfB ? 1 : 0;
      given[classOfA]! += 1;
      for (let i = 0; i < classes; i++)
        for (let j = 0; j < classes; j++)
          joint[i * classes + j]! += (p[i]! * q[j]! + p[j]! * q[i]!) / (2 * count);
    }
  };
  await inChunks(count, numbersAtATime / classes ** 2, add, yieldToEventLoop);
  const marginal = Array.from({ length: classes }, (_, i) =>
    joint.subarray(i * classes, (i + 1) * classes).reduce((sum, p) => sum + p, 0),
  );
  let information = 0;
  joint.forEach((p, at) => {
    if (p > 0)
      information += p * Math.log(p / (marginal[Math.floor(at / classes)]! * marginal[at % classes]!));
  });
  return {
    information: Math.max(0, information),
    agreement: same / count,
    smallestClass: Math.min(...given) / count,
  };
}

/** A class given to fewer than this share of the images that it was to have is lost: the classifier has collapsed. */
const collapsedShare = 0.1;

/**
 * Whether almost no image of the pile gets a certain class any more.
 * @param rarestShare share of the pile that the rarest class was to have, 0–1
 */
export function hasCollapsed(
  { smallestClass }: Pick<PileMetrics, 'smallestClass'>,
  rarestShare: number,
): boolean {
  return smallestClass < collapsedShare * rarestShare;
}
