import { z } from 'zod';

/** Metadata key of what a classifier learned from and how good it is, JSON of a `TrainingSummary`. */
export const trainingKey = 'quarterturn.training';

const count = z.int().min(0);
const share = z.number().min(0).max(1);

/**
 * What a classifier's file says of its training. It names no time and no place, so that the same run gives the same bytes.
 */
export const trainingSummarySchema = z
  .object({
    preset: z.string(),
    seed: count,
    /** The stage that the classifier comes from. */
    stage: z.string(),
    /** Images in training, those with a label among them. */
    images: count,
    labels: count,
    /** By labels that were held back; null if none could be. */
    estimate: z
      .object({
        accuracy: share,
        /** Ends of the interval, and its confidence. */
        low: share,
        high: share,
        level: share,
        heldBack: count,
        /** How it was found, for people. */
        method: z.string(),
      })
      .readonly()
      .nullable(),
    /** On a test set, used once; null if there was none. */
    test: z.object({ accuracy: share, images: count }).readonly().nullable(),
    /** How its probabilities were calibrated; null if no labels could be held back: then as they came out of training. */
    calibration: z
      .object({
        temperature: z.number().positive(),
        heldBack: count,
        eceBefore: share,
        eceAfter: share,
      })
      .readonly()
      .nullable(),
    /** SHA-256 of the settings, in hexadecimal: two files with the same were made by the same recipe; null where nothing could compute it. */
    settings: z.string().nullable(),
  })
  .readonly();
export type TrainingSummary = z.infer<typeof trainingSummarySchema>;
