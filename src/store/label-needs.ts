import { z } from 'zod';
import { foundAtMost } from './found-of.js';

const share = z.number().min(0).max(1);
const count = z.int().min(0);

/** What more labels of a class would be worth. */
export const classNeedSchema = z
  .object({
    className: z.string(),
    /** Labels that the classifier learned from. */
    labels: count,
    /** Of these, those that were held back once, and those of them that were classified correctly. */
    heldBack: count,
    found: count,
    /** Held-back labels of other classes that were taken for this one. */
    mistaken: count,
    /** Estimated share of the pile, 0–1; null if nobody was asked about the pile. */
    share: share.nullable(),
    /** Estimated share of the classifier's mistakes, 0–1: see `mistakeShares`. */
    mistakes: share,
    /** How often the class is among the first when the held-back labels are drawn anew, 0–1. */
    sure: share,
    /** Whether it is among the first, and more likely to be so than not. */
    standsOut: z.boolean(),
  })
  .refine(...foundAtMost('heldBack'))
  .readonly();
export type ClassNeed = z.infer<typeof classNeedSchema>;

/** Which classes of a run more labels would help most. */
export const labelNeedsSchema = z
  .object({
    /** The stage whose classifier was kept, and whose way of learning was tried without the labels that were held back. */
    stage: z.string(),
    /** Labels that were held back, and those of them that were classified correctly. */
    heldBack: z.int().min(1),
    found: count,
    /** Images of the pile that the shares are estimated from. */
    sample: count,
    /** How many classes count as the first. */
    first: z.int().min(1),
    /** All classes, the one with most mistakes first. */
    classes: z.array(classNeedSchema).readonly(),
  })
  .refine(...foundAtMost('heldBack'))
  .readonly();
export type LabelNeeds = z.infer<typeof labelNeedsSchema>;
