import { countOf } from '../../counts.js';
import { listingFolderOf } from '../cache/cache-folder.node.js';
import type { ByteSource } from './byte-source.js';
import type { FileTree } from './file-tree.js';
import type { FoundImages } from './found-images.js';
import { type IdxPart, idxParts, readIdxImages } from './idx-images.node.js';
import { readNumpyImages } from './numpy-images.node.js';
import { type ArrayFormat, type ArrayReader, openFound, type SourceFormat } from './open-found.node.js';
import { readParquetImages } from './parquet-images.node.js';

export interface OpenImagesOptions {
  /** What it is to be taken for; default: what lies in it decides. */
  readonly format?: SourceFormat | undefined;
  /** Where the listing of a gzipped archive is kept, which is then unpacked only to be read; default: nowhere. */
  readonly cacheFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Find the images of whatever somebody names: a folder, a ZIP or tar archive, IDX, NumPy or Parquet files, a single picture. None
 * of them is read or decoded before it is asked for; what is open has to be closed.
 *
 * @returns the images in an order that depends on their names alone, with their classes where folders or arrays say them
 * @example
 * const found = await openImages('photos.zip');
 * found.notes[0]; // 'Taken for folders of images in a ZIP archive: 3 classes.'
 * const first = await found.images[0]?.read();
 * await found.close?.();
 * @throws QuarterturnError `data` for what is not there, holds no images or is damaged, `io` for what cannot be read;
 *   `signal.reason` when the signal says so
 */
export async function openImages(
  path: string,
  { format, cacheFolder, signal }: OpenImagesOptions = {},
): Promise<FoundImages> {
  return openFound(path, {
    ...(format !== undefined && { format }),
    ...(cacheFolder !== undefined && { listingFolder: listingFolderOf({ cacheFolder }) }),
    ...(signal && { signal }),
    readers: arrayReaders,
  });
}

const arrayReaders: Readonly<Record<ArrayFormat, ArrayReader>> = {
  idx: (tree, paths) =>
    readArrays(tree, 'IDX', async (open) => {
      const parts: readonly IdxPart[] =
        tree.container === 'file'
          ? [{ images: await open(paths[0] ?? tree.origin) }]
          : await idxParts(tree.origin, paths, open);
      return readIdxImages(tree.origin, parts);
    }),
  numpy: (tree, paths) =>
    readArrays(tree, 'NumPy', async (open) => readNumpyImages(await openAll(paths, open))),
  parquet: (tree, paths) =>
    readArrays(tree, 'Parquet', async (open) => readParquetImages(await openAll(paths, open))),
};

type OpenFile = (path: string) => Promise<ByteSource>;

async function openAll(paths: readonly string[], open: OpenFile): Promise<ByteSource[]> {
  const sources: ByteSource[] = [];
  for (const path of paths) sources.push(await open(path));
  return sources;
}

/** Read files of a tree, and say what they were taken for; closing what comes of it closes the tree with them. */
async function readArrays(
  tree: FileTree,
  what: string,
  read: (open: OpenFile) => Promise<FoundImages>,
): Promise<FoundImages> {
  const opened: ByteSource[] = [];
  const open = async (path: string): Promise<ByteSource> => {
    const source = await tree.open(path);
    opened.push(source);
    return source;
  };
  const closeFiles = async (): Promise<void> => {
    for (const source of opened) await source.close();
  };
  const found = await read(open).catch(async (error) => {
    await closeFiles(); // the tree is closed by whoever opened it
    throw error;
  });
  const { images, classNames } = found;
  const labelled = images.filter(({ label }) => label !== undefined).length;
  const rest = labelled < images.length ? ', and images without a label' : '';
  const classes = labelled === 0 ? 'images without a label' : countOf(classNames.length, 'class') + rest;
  return {
    ...found,
    origin: tree.origin,
    skipped: [...tree.skipped, ...found.skipped],
    notes: [`Taken for ${what} files: ${classes}.`, ...tree.notes, ...found.notes],
    async close() {
      await found.close?.();
      await tree.close();
    },
  };
}
