import { z } from 'zod';

/** Whether images may be mirrored, left for right, and why. */
export const mirroringChoiceSchema = z
  .object({
    mirrored: z.boolean(),
    /** Share of a sample of the pile that is more like a mirror image of another image than like any other as it is. */
    share: z.number().min(0).max(1),
    /** What decided: the pile alone, that no label could be held back to confirm what it says, or labels. */
    reason: z.enum(['pile', 'unconfirmed', 'labels']),
    /**
     * How many held-back labels were found again when the others spread over the sample, its images compared as they are and mirrored;
     * null where labels decided nothing.
     */
    labels: z
      .object({ asTheyAre: z.int().min(0), mirrored: z.int().min(0), of: z.int().min(1) })
      .readonly()
      .nullable(),
  })
  .readonly();
export type MirroringChoice = z.infer<typeof mirroringChoiceSchema>;
