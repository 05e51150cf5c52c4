import { z } from 'zod';

/** Changes of an image that may leave its class as it is: left for right; lighter or darker, with more contrast or less. */
export const invarianceNames = ['mirroring', 'tones'] as const;
export type InvarianceName = (typeof invarianceNames)[number];

/** Whether images keep their class under a change, so that it is made to learn from, and why. */
export const invarianceSchema = z
  .object({
    change: z.enum(invarianceNames),
    holds: z.boolean(),
    /** Share of a sample of the pile to which, changed, another image is as near as to the image as it is. */
    share: z.number().min(0).max(1),
    /** What decided: the pile alone, that no label could confirm what it says, or labels. */
    reason: z.enum(['pile', 'unconfirmed', 'labels']),
    /** How many labels were found by the others, of images as they are and changed; null where labels decided nothing. */
    labels: z
      .object({ asTheyAre: z.int().min(0), changed: z.int().min(0), of: z.int().min(1) })
      .readonly()
      .nullable(),
  })
  .readonly();
export type Invariance = z.infer<typeof invarianceSchema>;
