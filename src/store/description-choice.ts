import { z } from 'zod';
import { foundAtMost } from './found-of.js';

/** What images may be compared by: a frozen network that was given, oriented gradients, the network that was pretrained on rotations. */
export const descriptionKinds = ['encoder', 'gradients', 'rotations'] as const;
export type DescriptionKind = (typeof descriptionKinds)[number];

/** What the images of the pile are compared by, and what held-back labels say of each description that there was. */
export const descriptionChoiceSchema = z
  .object({
    chosen: z.enum(descriptionKinds),
    /** The usual one first; empty where there was one alone, or where no label could be held back. */
    compared: z
      .array(
        z
          .object({
            kind: z.enum(descriptionKinds),
            /** In a sentence: `oriented gradients`. */
            title: z.string(),
            /** How many of the held-back labels were found again when the others spread over a sample of the pile. */
            found: z.int().min(0),
            of: z.int().min(1),
          })
          .refine(...foundAtMost('of'))
          .readonly(),
      )
      .readonly(),
  })
  .readonly();
export type DescriptionChoice = z.infer<typeof descriptionChoiceSchema>;
