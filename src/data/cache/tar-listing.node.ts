import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Listed } from '../readers/tree-listing.js';

/** Where the bytes of a file lie in the unpacked archive. */
export interface TarPlace {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What lies in an archive. */
export interface TarListing extends Listed<TarPlace> {
  readonly notes: readonly string[];
}

/** An archive as it was when it was listed: of another size or time it is listed anew. */
export interface ListedArchive {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

const whole = z.int().nonnegative();
const listingSchema = z.object({
  schema: z.literal('quarterturn-tar-listing'),
  version: z.literal(1),
  path: z.string(),
  sizeBytes: whole,
  modifiedMs: z.number(),
  folders: z.array(z.tuple([z.string(), z.number()])),
  /** Path, size, time, and where the bytes lie. */
  files: z.array(z.tuple([z.string(), whole, z.number(), whole])),
  skipped: z.array(z.object({ name: z.string(), reason: z.string(), hint: z.string().exactOptional() })),
  notes: z.array(z.string()),
});

/**
 * The listing of an archive that was kept; undefined where there is none, or the archive has changed since.
 * @param folder where listings are kept
 */
export async function readTarListing(
  folder: string,
  archive: ListedArchive,
): Promise<TarListing | undefined> {
  const text = await fs.readFile(fileOf(folder, archive), 'utf8').catch(() => undefined);
  const kept = listingSchema.safeParse(parsed(text)).data;
  const { path, sizeBytes, modifiedMs } = archive;
  if (kept?.path !== resolve(path) || kept.sizeBytes !== sizeBytes || kept.modifiedMs !== modifiedMs) {
    return undefined;
  }
  const entries = [
    ...kept.folders.map(
      ([path, time]) => ({ path, kind: 'folder', sizeBytes: 0, modifiedMs: time }) as const,
    ),
    ...kept.files.map(
      ([path, size, time]) => ({ path, kind: 'file', sizeBytes: size, modifiedMs: time }) as const,
    ),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const places = new Map(kept.files.map(([path, size, , offset]) => [path, { offset, sizeBytes: size }]));
  return { entries, places, skipped: kept.skipped, notes: kept.notes };
}

/** Keep the listing of an archive. Where that is not possible, the archive is listed again the next time. */
export async function keepTarListing(
  folder: string,
  archive: ListedArchive,
  { entries, places, skipped, notes }: TarListing,
): Promise<void> {
  const { path, sizeBytes, modifiedMs } = archive;
  const listing: z.infer<typeof listingSchema> = {
    ...({ schema: 'quarterturn-tar-listing', version: 1 } as const),
    ...{ path: resolve(path), sizeBytes, modifiedMs },
    folders: entries.flatMap((entry) => (entry.kind === 'folder' ? [[entry.path, entry.modifiedMs]] : [])),
    files: entries.flatMap((entry) => {
      const place = places.get(entry.path);
      return place ? [[entry.path, entry.sizeBytes, entry.modifiedMs, place.offset]] : [];
    }),
    skipped: [...skipped],
    notes: [...notes],
  };
  const file = fileOf(folder, archive);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await fs.mkdir(folder, { recursive: true });
    await fs.writeFile(temporary, JSON.stringify(listing));
    await fs.rename(temporary, file);
  } catch {
    await fs.rm(temporary, { force: true }).catch(() => {}); // a disk that takes nothing
  }
}

const fileOf = (folder: string, { path }: ListedArchive): string =>
  join(folder, `${createHash('sha256').update(resolve(path)).digest('hex')}.json`);

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // not whole: it is written anew
  }
}
