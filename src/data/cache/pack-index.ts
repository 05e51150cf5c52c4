import { z } from 'zod';

/**
 * What a pack knows: which picture each content is, and which content each name had when it was last looked at. Labels and
 * splits are none of its business: they may change, and nothing is decoded anew.
 */
export interface PackIndex {
  /** By the SHA-256 of the content. */
  readonly pictures: Map<string, PackedPicture>;
  /** By the name that the source gives it; only of what has a stamp. */
  readonly names: Map<string, StampedName>;
}

export type PackedPicture = z.infer<typeof pictureSchema>;
export type StampedName = z.infer<typeof nameSchema>;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(1);

const pictureSchema = z.object({
  /** SHA-256 of the bytes of its file, or of an array's pixels behind their shape. */
  hash,
  /** Where its pixels lie; null if they are all alike and were not kept. */
  row: z.int().min(0).nullable(),
  /** SHA-256 of those pixels. */
  pixels: hash,
  /** Of the picture as it lies in its file. */
  height: count,
  width: count,
  colour: z.boolean(),
  /** Pictures in its file. */
  pictures: count,
  /** Whether parts of it may be transparent. */
  hasAlpha: z.boolean(),
});

const nameSchema = z.object({ name: z.string(), hash, sizeBytes: z.number().min(0), modifiedMs: z.number() });

export function emptyIndex(): PackIndex {
  return { pictures: new Map(), names: new Map() };
}

/** Lines of JSON, one a picture and one a name. */
export function indexLine(entry: PackedPicture | StampedName): string {
  return `${JSON.stringify(entry)}\n`;
}

/**
 * Read an index as far as it goes: a process that was killed may have left half of its last line. What is lost is decoded
 * again.
 */
export function parseIndex(text: string): PackIndex {
  const index = emptyIndex();
  let from = 0;
  for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
    const value = parseLine(text.slice(from, to));
    from = to + 1;
    const picture = pictureSchema.safeParse(value);
    const name = picture.success ? undefined : nameSchema.safeParse(value).data;
    if (picture.success) index.pictures.set(picture.data.hash, picture.data);
    else if (name !== undefined) index.names.set(name.name, name);
    else break;
  }
  return index;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The hash of the pixels of each row, as far as rows are told without a gap. */
export function rowHashes({ pictures }: PackIndex): string[] {
  const byRow: string[] = [];
  for (const { row, pixels } of pictures.values()) if (row !== null) byRow[row] = pixels;
  const gap = Array.from(byRow).indexOf(undefined as never);
  return gap < 0 ? byRow : byRow.slice(0, gap);
}
