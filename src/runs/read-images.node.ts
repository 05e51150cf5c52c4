import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { countOf } from '../counts.js';
import { cacheFolderOf } from '../data/cache/cache-folder.node.js';
import type { DataSource } from '../data/dataset.js';
import type { SamePicture } from '../data/duplicates.js';
import { peekGzip } from '../data/gunzip.node.js';
import { isGzip } from '../data/idx.js';
import { listIdxFiles, readIdxFolder } from '../data/idx-folder.node.js';
import { assignRoles } from '../data/idx-names.js';
import type { ChosenFit } from '../data/image-fit.js';
import type { ImportedImage, ImportedImages, ImportOptions } from '../data/import-images.node.js';
import type { LeftOut } from '../data/left-out.js';
import { shownNames } from '../data/name-list.js';
import { fileError } from '../data/readers/file-window.node.js';
import type { FoundImages, SkippedFile } from '../data/readers/found-images.js';
import type { SourceFormat } from '../data/readers/open-found.node.js';
import { openImages } from '../data/readers/open-images.node.js';
import { kindsOf } from '../data/skipped-files.js';
import { type LabelTableOptions, readLabelTable } from '../labels/label-table.js';
import { type MissingRow, matchLabels } from '../labels/match-labels.js';
import { dataOfImported, type ImportedData } from './imported-data.node.js';

export interface ReadImagesOptions extends ImportOptions {
  /** What it is to be taken for; default: what lies in it decides. */
  readonly format?: SourceFormat | undefined;
  /** A table (CSV, TSV, JSON Lines or JSON) that says which images have which label; all others are pile. */
  readonly labelTable?: string | undefined;
  /** How the table is to be read; default: as it looks. */
  readonly table?: LabelTableOptions | undefined;
}

/** Data as it was read from what somebody named; to be closed. */
export interface ReadImages extends DataSource, AsyncDisposable {
  readonly notes: readonly string[];
  /** How pictures became images; absent where they were images of one size already, in IDX files. */
  readonly fit?: ChosenFit;
  /** The images of each part as they were found; absent as `fit` is. */
  readonly parts?: ImportedData['parts'];
  /** What lies there and was left out. */
  readonly skipped: readonly SkippedFile[];
  /** Rows of the table of labels that name no image; absent without one. */
  readonly unmatched?: readonly SkippedFile[];
  /** Pictures that come more than once; absent as `fit` is. */
  readonly duplicates?: readonly SamePicture[];
  close(): Promise<void>;
}

/**
 * Read data to learn from: folders of pictures, archives of them, IDX, NumPy or Parquet files; with a table of labels where
 * there is one.
 *
 * A folder with the IDX files of MNIST or its like is read as {@link readIdxFolder} does, if nothing else is asked for.
 * All else is decoded, fitted to one size and kept in the cache by {@link importImages}; {@link dataOfImported} says what is
 * learned from it. The checksums are of the names, contents and labels of the images, a folder of each part at a time.
 *
 * @param path a folder, an archive, a file of arrays, or a single picture
 * @returns images of one size, uint8, with their labels; open until it is closed
 * @example
 * await using photos = await readImages('photos.zip', { labelTable: 'labels.csv', size: 64 });
 * const store = await RunFolder.create('runs/photos');
 * const runtime = await createNodeRuntime();
 * await startRun({ settings: settingsFor('quick'), data: photos, runtime, store }).result;
 * @throws QuarterturnError `data` for what is not there, holds no images to learn from, or cannot be read; `io` where a file
 *   or the cache cannot be; `usage` for a size that makes no sense. `signal.reason` when the signal says so.
 */
export async function readImages(path: string, options: ReadImagesOptions = {}): Promise<ReadImages> {
  if (await isIdxFolder(path, options)) {
    const data = await readIdxFolder(path);
    const close = async (): Promise<void> => {};
    return { ...data, notes: data.notes ?? [], skipped: [], close, [Symbol.asyncDispose]: close };
  }
  const { format, labelTable, table, ...importing } = options;
  const found = await openLabelledImages(path, {
    ...{ format, labelTable, table },
    cacheFolder: cacheFolderOf(importing),
  });
  try {
    // Decoders of pictures are loaded for pictures: IDX files as training takes them need none.
    const { importImages } = await import('../data/import-images.node.js');
    const imported = await importImages(found, importing);
    try {
      const { notes, parts, untested, ...data } = dataOfImported(imported, basename(resolve(path)));
      const { fit, skipped, duplicates } = imported;
      const { unmatched } = found;
      return {
        ...data,
        origin: path,
        checksums: checksumsOf(parts, fit),
        notes: [...imported.notes, fitNote(fit), ...notes],
        pictureFit: fit.fit,
        ground: fit.ground,
        ...{ fit, parts, skipped, duplicates, ...(unmatched && { unmatched }) },
        leftOut: {
          ...leftOutOf(found, imported),
          untested,
          ...(labelTable !== undefined && unmatched?.length && { rows: rowsOf(labelTable, unmatched) }),
        },
        close: imported.close,
        [Symbol.asyncDispose]: imported.close,
      };
    } catch (error) {
      await imported.close();
      throw error;
    }
  } finally {
    await found.close?.();
  }
}

/** Images that were found, with the labels of a table where there is one. */
export interface LabelledImages extends FoundImages {
  /** Rows of the table that name no image; absent without one. */
  readonly unmatched?: readonly SkippedFile[];
}

/**
 * Find the images of whatever somebody names, with the labels of a table where there is one; to be closed.
 * @throws QuarterturnError as {@link openImages}, and for a table that cannot be read or names none of the images
 */
export async function openLabelledImages(
  path: string,
  {
    format,
    labelTable,
    table,
    cacheFolder,
  }: Pick<ReadImagesOptions, 'format' | 'labelTable' | 'table' | 'cacheFolder'> = {},
): Promise<LabelledImages> {
  const opened = await openImages(path, { format, cacheFolder });
  if (labelTable === undefined) return opened;
  try {
    return await withLabels(opened, labelTable, table);
  } catch (error) {
    await opened.close?.();
    throw error;
  }
}

const fitNote = ({ why }: ChosenFit): string => `Images become ${why}.`;

/** Whether a folder has the IDX files of grey images, and nothing is asked of them that would change them. */
async function isIdxFolder(
  folder: string,
  { format = 'idx', size, fit, ground, colours, labelTable }: ReadImagesOptions,
): Promise<boolean> {
  if (format !== 'idx' || labelTable !== undefined) return false;
  if ([size, fit, ground, colours].some((asked) => asked !== undefined)) return false;
  const roles = assignRoles(folder, (await listIdxFiles(folder)) ?? []);
  if (Object.keys(roles).length === 0) return false;
  return roles.trainImages === undefined || (await dimensionsOf(join(folder, roles.trainImages))) === 3;
}

/** The fourth byte of an IDX file; whatever else is wrong with it, its reader says. */
async function dimensionsOf(path: string): Promise<number> {
  const handle = await open(path).catch(() => undefined);
  try {
    const { bytesRead, buffer } = (await handle?.read(new Uint8Array(512), 0, 512, 0)) ?? { bytesRead: 0 };
    const start = buffer?.subarray(0, bytesRead) ?? new Uint8Array();
    return (isGzip(start) ? peekGzip(start) : start)[3] ?? 3;
  } finally {
    await handle?.close();
  }
}

async function withLabels(
  found: FoundImages,
  file: string,
  options: LabelTableOptions | undefined,
): Promise<LabelledImages> {
  const bytes = await readFile(file).catch((error) => {
    throw fileError(file, 'a table of labels', error);
  });
  const table = readLabelTable(file, bytes, options);
  const { images, classNames, labelledCount, missing, notes } = matchLabels(table, found.images);
  const { fileColumn, labelColumn } = table.sniffed;
  const told = `${file} gives ${countOf(labelledCount, 'image')} a label (columns ${fileColumn} and ${labelColumn}).`;
  const { classNotes: _, ...source } = found;
  return {
    ...{ ...source, images, classNames, notes: [...found.notes, told, ...table.notes, ...notes] },
    unmatched: missing.map(unmatchedRow),
  };
}

/** A row that names no image, as a line of the list of what was set aside. */
function unmatchedRow({ row, reason, nearest }: MissingRow): SkippedFile {
  const hint = nearest === undefined ? {} : { hint: `Is ${JSON.stringify(nearest)} meant?` };
  return { name: row.file, reason: `named in the table of labels, but: ${reason}`, ...hint };
}

const rowsOf = (table: string, unmatched: readonly SkippedFile[]): NonNullable<LeftOut['rows']> => ({
  table: basename(table),
  count: unmatched.length,
  names: unmatched.slice(0, shownNames).map(({ name }) => name),
});

/** What of the images found is no image of the data. */
function leftOutOf(found: FoundImages, { skipped, images }: ImportedImages): Omit<LeftOut, 'untested'> {
  const unusable = skipped.length - found.skipped.length;
  // What lies beside the files of arrays is no image that could have been one.
  const isFiles = found.format === 'folder';
  return {
    found: found.images.length + (isFiles ? found.skipped.length : 0),
    unit: isFiles ? 'file' : 'image',
    setAside: isFiles ? skipped.length : unusable,
    copies: found.images.length - unusable - images.length,
    kinds: kindsOf(skipped).kinds(),
  };
}

/** Folders of a part that get a checksum each; where there are more, the part alone has one. */
const maxFoldersWithChecksum = 2000;

/**
 * What tells the data from other data: for each part, folder by folder, of the names, contents and labels of its images, in
 * their order, and how they are fitted.
 */
function checksumsOf(parts: ImportedData['parts'], { size, fit, ground }: ChosenFit): Record<string, string> {
  const checksums: Record<string, string> = {
    fit: `${size.height}×${size.width}×${size.channels} ${fit} ${ground}`,
  };
  for (const [part, images] of Object.entries(parts)) {
    if (images.length === 0) continue;
    const folders = new Map<string, ImportedImage[]>();
    for (const image of images) {
      const folder = image.name.slice(0, Math.max(image.name.lastIndexOf('/'), 0));
      const before = folders.get(folder);
      if (before === undefined) folders.set(folder, [image]);
      else before.push(image);
    }
    if (folders.size > 1 && folders.size <= maxFoldersWithChecksum) {
      for (const [folder, some] of folders)
        checksums[`${part}, ${folder || 'flat'}`.slice(0, 1000)] = digestOf(some);
    }
    checksums[part] = digestOf(images);
  }
  return checksums;
}

function digestOf(images: readonly ImportedImage[]): string {
  const digest = createHash('md5');
  for (const { name, hash, label = null } of images)
    digest.update(`${JSON.stringify([name, hash, label])}\n`);
  return digest.digest('hex');
}
