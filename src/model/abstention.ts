import { z } from 'zod';
import { wilsonInterval } from '../train/wilson.js';

/** Metadata key of the probability below which a classifier is unsure, JSON of an `Abstention`. */
export const abstentionKey = 'quarterturn.abstention';

const share = z.number().min(0).max(1);

/** Below which probability of its likeliest class a classifier is unsure of an image, and what that is known from. */
export const abstentionSchema = z
  .object({
    /** Probability of the likeliest class, 0–1: an image below it is unsure. */
    threshold: share,
    /** Share of the held-back labels whose images are not below it. */
    accepted: share,
    /** Ends of the interval of that share, and its confidence. */
    low: share,
    high: share,
    level: share,
    heldBack: z.int().min(1),
  })
  .readonly();
export type Abstention = z.infer<typeof abstentionSchema>;

/**
 * Share of images of the known classes that may be called unsure. What is refused is looked at by a person: at one in twenty that is
 * little work, and a threshold that refuses fewer lets almost every image of no class pass.
 */
const refused = 0.05;

/**
 * Chooses the probability below which a classifier is unsure, from images of its classes that it did not learn from. Of n, it is the
 *
 *   k-th lowest,  k = max(1, ⌊(n + 1) / 20⌋),
 *
 * so that an image of the known classes lies below it with a probability of at most k/(n + 1): 5 %, or one of so few. How far that
 * may be wrong for these n says Wilson's interval.
 *
 * @param confidences calibrated probability of the likeliest class of each image, 0–1
 * @returns undefined of no images
 * @see Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, section 2.2, on k/(n + 1)
 * @example
 * const { threshold } = fitAbstention([0.9, 0.99, 0.4, 0.8])!; // 0.4
 */
export function fitAbstention(confidences: ArrayLike<number>): Abstention | undefined {
  const n = confidences.length;
  const sorted = Float64Array.from(confidences).sort();
  const threshold = sorted[Math.max(1, Math.floor((n + 1) * refused)) - 1];
  if (threshold === undefined) return undefined;
  const accepted = sorted.filter((confidence) => confidence >= threshold).length;
  return { threshold, accepted: accepted / n, ...wilsonInterval(accepted, n), level: 0.95, heldBack: n };
}
