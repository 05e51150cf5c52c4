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
    /**
     * Share of the held-back labels whose images are not unsure. The networks that answered for them learned from fewer labels than the
     * classifier, which is unsure of fewer.
     */
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

export interface FitAbstentionOptions {
  /** Calibrated probability of the likeliest class of images without a label, which the classifier itself says; may be empty. */
  readonly pile: ArrayLike<number>;
  /** Of all images with a label. */
  readonly likeness: Likeness;
}

/**
 * Share of images that may be called unsure for their probability, and half as many for their distance. What is refused is looked at
 * by a person: at one in twenty that is little work, and a threshold that refuses fewer lets almost every image of no class pass.
 */
const refused = 0.05;

/**
 * Chooses when a classifier is unsure. It is below the probability that 5 % of the pile are below: where all of the pile is of the
 * known classes, it is unsure of one in twenty of them, and where it is not, of fewer of them and more of the others. Without a pile
 * it is the k-th lowest of n images that were held back, k = max(1, ⌊(n + 1) / 20⌋). With a pile these would give a lower one:
 * the networks that answered for them learned from fewer labels and are less sure than the classifier, which would then lose 1 % of
 * its images, not 5 %, and let nearly all others pass.
 *
 * It is also unsure beyond the k-th largest distance of the images held back, k = max(1, ⌊(n + 1) / 40⌋). An image of the known
 * classes lies beyond with a probability of at most k/(n + 1).
 *
 * @returns undefined where no image was held back
 * @see Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, section 2.2, on k/(n + 1)
 */
export function fitAbstention(
  heldBack: readonly HeldBackImage[],
  { pile, likeness }: FitAbstentionOptions,
): Abstention | undefined {
  const n = heldBack.length;
  if (n === 0) return undefined;
  const rank = (share: number): number => Math.max(1, Math.floor((n + 1) * share));
  const ofHeldBack = Float64Array.from(heldBack, ({ confidence }) => confidence).sort();
  const ofPile = Float64Array.from(pile).sort();
  const threshold = ofPile[Math.floor(ofPile.length * refused)] ?? ofHeldBack[rank(refused) - 1] ?? 0;
  const distances = Float64Array.from(heldBack, ({ distance }) => distance).sort();
  const farthest = distances[n - rank(refused / 2)] ?? 0;
  const accepted = heldBack.filter(
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
 * @param image.pixels uint8 [H, W, C], as the classifier takes them; `image.size` says H, W and C
 * @returns false where nothing is known of how images with a label differ
 * @example
 * looksUnlike(abstention, { pixels, size: classifier });
 */
export function looksUnlike(
  { likeness, farthest }: Abstention,
  { pixels, size }: { readonly pixels: Uint8Array; readonly size: ImageSize },
): boolean {
  if (likeness === undefined || farthest === undefined) return false;
  return distanceFrom(likeness, pictureTraits(pixels, size)) > farthest;
}
