import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { basename, join } from 'node:path';
import { newOwnerName } from '../../owner.node.js';
import { cacheError, markUsed, trashPrefix } from './cache-folder.node.js';
import type { PackHeader } from './pack-header.node.js';
import { indexLine, type PackIndex, parseIndex, rowHashes } from './pack-index.js';

/** Where packs of one source with one fit lie in a cache: `photos.3f…9c.1d…07`. */
export interface PackKey {
  readonly root: string;
  /** Of the source; packs with any fit begin with it. */
  readonly source: string;
  /** Of source and fit; packs add what rows they have. */
  readonly name: string;
}

/** A finished pack that this process keeps from being deleted. */
export interface Pack {
  readonly folder: string;
  readonly index: PackIndex;
  readonly count: number;
  release(): Promise<void>;
}

export const imagesName = 'images.u8';
export const indexName = 'index.jsonl';

/** Of the start of a source's name that is kept, for people who look into the cache. */
const longestSlug = 40;

export function packKey(root: string, header: PackHeader): PackKey {
  const { format, origin, ...fit } = header;
  const source = sourceName(format, origin);
  return { root, source, name: `${source}.${shortHash(fit)}` };
}

/** What the names of all packs of a source begin with. */
export function sourceName(format: string, origin: string): string {
  const slug = basename(origin)
    .replace(/[^\w-]+/g, '-')
    .slice(0, longestSlug);
  return `${slug}.${shortHash({ format, origin })}`;
}

function shortHash(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

/** Ends the name of a pack: the same rows in the same order have the same name, and no name ever stands for others. */
export function generationOf(rows: readonly string[]): string {
  return createHash('sha256').update(rows.join('\n')).digest('hex').slice(0, 16);
}

/** The names of finished packs that begin so, the last used one first. */
export async function packsOf(root: string, beginning: string): Promise<string[]> {
  const names = (await fs.readdir(root).catch(() => [])).filter((name) => name.startsWith(`${beginning}.`));
  const used = await Promise.all(
    names.map(
      async (name) => (await fs.stat(join(root, name, 'pack.json')).catch(() => undefined))?.mtimeMs ?? 0,
    ),
  );
  const order = names.map((name, i) => ({ name, used: used[i] ?? 0 })).sort((a, b) => b.used - a.used);
  return order.map(({ name }) => name);
}

/**
 * Open a pack for use; undefined if it is not whole, and so no pack.
 * @param known its index, where it has just been read
 */
export async function openPack(
  folder: string,
  rowBytes: number,
  known?: PackIndex,
): Promise<Pack | undefined> {
  const release = await markUsed(folder);
  if (release === undefined) return undefined;
  const index = known ?? (await readIndex(folder));
  const count = ((await fs.stat(join(folder, imagesName)).catch(() => undefined))?.size ?? 0) / rowBytes;
  const rows = rowHashes(index);
  if (rows.length === count && folder.endsWith(`.${generationOf(rows)}`))
    return { folder, index, count, release };
  await release();
  return undefined;
}

/** The index of a pack, finished or not; empty if there is none. */
export async function readIndex(folder: string): Promise<PackIndex> {
  return parseIndex(await fs.readFile(join(folder, indexName), 'utf8').catch(() => ''));
}

/** Lines that are put together before they are written: some megabytes. */
const linesAtOnce = 20_000;

/** Replace a pack's index in one stroke. */
export async function writeIndex(root: string, folder: string, index: PackIndex): Promise<void> {
  // Beside the packs, where it is cleared away if this process dies.
  const temporary = join(root, `${trashPrefix}${newOwnerName()}`);
  try {
    const file = await fs.open(temporary, 'wx');
    try {
      const entries = [...index.pictures.values(), ...index.names.values()];
      for (let at = 0; at < entries.length; at += linesAtOnce) {
        await file.writeFile(
          entries
            .slice(at, at + linesAtOnce)
            .map(indexLine)
            .join(''),
        );
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, join(folder, indexName));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw cacheError(folder, error);
  }
}
