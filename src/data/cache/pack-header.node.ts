import fs from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const count = z.int().min(1);

/** What a pack is of: `pack.json`. */
const headerSchema = z.object({
  schema: z.literal('quarterturn-pack'),
  version: z.literal(1),
  /** Detected format of the source: `folder`, `idx`. */
  format: z.string(),
  /** Absolute path of the source. */
  origin: z.string(),
  height: count,
  width: count,
  channels: z.union([z.literal(1), z.literal(3)]),
  fit: z.enum(['cover', 'contain', 'stretch']),
  ground: z.enum(['black', 'white']),
  /** What decoded it: another release may give other pixels. */
  decoder: z.string(),
});

export type PackHeader = z.infer<typeof headerSchema>;

/** The header of a pack; undefined if there is none that this version can read, which is then no pack. */
export async function readHeader(folder: string): Promise<PackHeader | undefined> {
  try {
    return headerSchema.parse(JSON.parse(await fs.readFile(join(folder, 'pack.json'), 'utf8')));
  } catch {
    return undefined;
  }
}
