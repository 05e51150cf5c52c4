import { z } from 'zod';
import { pictureTraits } from '../data/picture-traits.js';
import type { ImageSize } from '../tensor/image-size.js';
import { wilsonInterval } from '../train/wilson.js';
import { distanceFrom, type Likeness, likenessSchema } from './likeness.js';

/** Metadata key of when a classifier is unsure, JSON of an `Abstention`. */
export const abstentionKey = 'quarterturn.abstention';

const share = z.number().min(0).max(1);

/** When a classifier is unsure of an image, and what that is known from. */
export const abstentionSchema = z
  .object({
    /** Probability of the likeliest class, 0–1: an image below it is unsure. */
    threshold: share,
    /** Of the images with a label: an image that lies farther from them than `farthest` is unsure, too. Default: none does. */
    likeness: likenessSchema.optional(),
    farthest: z.number().positive().optional(),
    /** Share of the held-back labels whose images are not unsure. */
    accepted: share,
    /** Ends of the interval of that share, and its confidence. */
    low: share,
    high: share,
    level: share,
    heldBack: z.int().min(1),
  })
  .readonly();
export type Abstention = z.infer<typeof abstentionSchema>;

/** An image of a known class that a classifier did not learn from. */
export interface HeldBackImage {
  /** Calibrated probability of its likeliest class, 0–1. */
  readonly confidence: number;
  /** How far it lies from the other images with a label: see `distanceFrom`. */
  readonly distance: number;
}

/**
 * Share of images of the known classes that may be called unsure, half of them for their probability and half for their distance.
 * What is refused is looked at by a person: at one in twenty that is little work, and thresholds that refuse fewer let almost every
 * image of no class pass.
 */
const refused = 0.05;

/**
 * Chooses when a classifier is unsure, from images of its classes that it did not learn from. Of n, it is below the
 *
 *   k-th lowest probability,  or beyond the k-th largest distance,  k = max(1, ⌊(n + 1) / 40⌋),
 *
 * so that an image of the known classes is unsure with a probability of at most 2k/(n + 1): 5 %, or two of so few. How far that
 * may be wrong for these n says Wilson's interval.
 *
 * @param options.likeness of all images with a label
 * @returns undefined of no images
 * @see Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, section 2.2, on k/(n + 1)
 */
export function fitAbstention(
  images: readonly HeldBackImage[],
  { likeness }: { readonly likeness: Likeness },
): Abstention | undefined {
  const n = images.length;
  if (n === 0) return undefined;
  const k = Math.max(1, Math.floor(((n + 1) * refused) / 2));
  const threshold = Float64Array.from(images, ({ confidence }) => confidence).sort()[k - 1] ?? 0;
  const farthest = Float64Array.from(images, ({ distance }) => distance).sort()[n - k] ?? 0;
  const accepted = images.filter(
    ({ confidence, distance }) => confidence >= threshold && distance <= farthest,
  ).length;
  return {
    ...{ threshold, likeness, farthest, accepted: accepted / n },
    ...wilsonInterval(accepted, n),
    ...{ level: 0.95, heldBack: n },
  };
}

/**
 * Whether an image is of another kind than all that had a label: a screenshot among photographs. What it shows does not matter.
 * @param pixels uint8 [H, W, C], as the classifier takes them
 */
export function looksUnlike(
  { likeness, farthest }: Abstention,
  pixels: Uint8Array,
  image: ImageSize,
): boolean {
  if (likeness === undefined || farthest === undefined) return false;
  return distanceFrom(likeness, pictureTraits(pixels, image)) > farthest;
}
