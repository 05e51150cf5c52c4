import { z } from 'zod';
import type { ChosenFit, FitMode, Ground } from '../data/image-fit.js';
import type { SourceFormat } from '../data/readers/open-found.node.js';

export const sourceFormats = ['folder', 'idx', 'numpy', 'parquet'] as const satisfies readonly SourceFormat[];
export const grounds = ['black', 'white'] as const satisfies readonly Ground[];
export const fitModes = ['cover', 'contain', 'stretch'] as const satisfies readonly FitMode[];

const column = z.union([z.string(), z.int().min(1)]);

/** How data is read, as `config.json` keeps it: what was asked for, and what was chosen from the data. */
const readingSchema = z.object({
  format: z.enum(sourceFormats).optional(),
  size: z.int().min(8).max(1024).optional(),
  fit: z.enum(fitModes).optional(),
  ground: z.enum(grounds).optional(),
  colours: z.enum(['grey', 'rgb']).optional(),
  /** Absolute path of a table of labels. */
  labelTable: z.string().optional(),
  /** Which of its columns are read, where that was said. */
  table: z.object({ fileColumn: column.optional(), labelColumn: column.optional() }).optional(),
});

export type Reading = z.infer<typeof readingSchema>;

/** How a run's data was read, as its `config.json` says; nothing where that says nothing. */
export function readingIn({ reading }: Readonly<Record<string, unknown>>): Reading {
  return readingSchema.safeParse(reading).data ?? {};
}

/** How data was read, with what was chosen from it. */
export function readingWith(
  reading: Reading,
  { size, fit, ground }: Pick<ChosenFit, 'size' | 'fit' | 'ground'>,
): Reading {
  return { ...reading, size: size.height, fit, ground, colours: size.channels === 1 ? 'grey' : 'rgb' };
}
