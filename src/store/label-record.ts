import { z } from 'zod';
import { imageHashPattern } from '../data/image-hash.js';
import type { RunStore } from './checkpoint.js';
import { parseWith } from './json.js';

/**
 * Who says that an image has its class: `given`, a labels file; `own`, the data set's own labels, of an image that a
 * labels file names without a class; `drawn`, the data set's own labels, of an image that was drawn from its class.
 */
export const labelSources = ['given', 'own', 'drawn'] as const;
export type LabelSource = (typeof labelSources)[number];

const labelledImageSchema = z
  .object({
    /** Hash of the image's content, see `hashImage`. */
    image: z.string().regex(imageHashPattern),
    /** In the training set, from 0. */
    index: z.int().min(0),
    /** Its name, as the data lists it; absent where images have none, and in runs of earlier versions. */
    file: z.string().optional(),
    /** Class name. */
    label: z.string(),
    by: z.enum(labelSources),
  })
  .readonly();

/** `labels.json` of a run: which images it learned from as labelled ones. */
export const labelRecordSchema = z
  .object({
    /** All classes, in the order in which a classifier gives their probabilities. */
    classNames: z.array(z.string()).readonly(),
    draws: z
      .array(z.object({ draw: z.int().min(0), images: z.array(labelledImageSchema).readonly() }).readonly())
      .readonly(),
  })
  .readonly();
export type LabelRecord = z.infer<typeof labelRecordSchema>;

/**
 * Reads the labels that a run learned from.
 * @returns undefined if it has kept none: nothing was labelled, or it is of an earlier version
 * @throws QuarterturnError `checkpoint` if the store's document is not one that a run wrote
 */
export async function readLabelRecord(
  store: Pick<RunStore, 'name' | 'readJson'>,
): Promise<LabelRecord | undefined> {
  const value = await store.readJson('labels');
  if (value === undefined) return undefined;
  return parseWith(labelRecordSchema, value, `${store.name}, labels.json`, 'what a run wrote', {
    code: 'checkpoint',
  });
}
