import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { countOf } from '../../counts.js';
import { QuarterturnError } from '../../errors.js';
import { idxSizeFault, isGzip, maxIdxHeaderBytes, parseIdxHeader, readIdx, readIdxLabels } from '../idx.js';
import { findNestedIdx, listIdxFiles } from '../idx-folder.node.js';
import { assignRoles, renamingHint } from '../idx-names.js';
import { classNumbers, describeClasses, occurringValues } from '../label-values.js';
import { type ImageRows, imagesOfRows } from './array-images.js';
import { channelsLast, layoutOf } from './array-layout.js';
import { type ByteSource, inBlocks } from './byte-source.js';
import { openByteSource } from './file-window.node.js';
import type { FoundImages, Split } from './found-images.js';

/** Files of one split. */
export interface IdxPart {
  readonly split?: Split;
  readonly images: ByteSource;
  /** Absent if nothing says what is on the images. */
  readonly labels?: ByteSource;
}

/** More labels than any machine trains on. */
const maxLabelBytes = 2 ** 28;

/**
 * Images of IDX files: a folder with the four of MNIST, or a data set that took over their names, or a single file.
 *
 * Names may have dots for dashes, capitals, `test` for `t10k`, the data set's name in front (`emnist-letters-…`) and `.gz`
 * behind. Any of the four may be missing, but not the images that labels are for. Images are [N, H, W], [N, H, W, C] or
 * [N, C, H, W]. A plain file is read where it lies, an image at a time; a gzipped one is unpacked and held, at most 2 GiB.
 *
 * @throws QuarterturnError `data` for a missing or damaged file, counts that do not match, or a test label that training
 *   does not know; `io` for what cannot be read
 */
export async function openIdxImages(path: string): Promise<FoundImages> {
  const opened: ByteSource[] = [];
  const openFile = async (file: string): Promise<ByteSource> => {
    const source = await openByteSource(file);
    opened.push(source);
    return source;
  };
  try {
    const stats = await stat(path).catch(() => undefined);
    // What is not there is refused when it is opened.
    if (!stats?.isDirectory()) return await readIdxImages(path, [{ images: await openFile(path) }]);
    return await readIdxImages(path, await partsOf(path, openFile));
  } catch (error) {
    for (const source of opened) await source.close();
    throw error;
  }
}

async function partsOf(folder: string, openFile: (file: string) => Promise<ByteSource>): Promise<IdxPart[]> {
  const paths = (await listIdxFiles(folder)) ?? [];
  const parts = await idxParts(folder, paths, (path) => openFile(join(folder, path)));
  if (parts.length > 0) return parts;
  const nested = await findNestedIdx(folder);
  throw wrong(
    folder,
    'expected IDX files',
    'a folder without any',
    nested === undefined ? renamingHint(['trainImages'], paths) : `They lie in ${nested}: name that folder.`,
  );
}

/**
 * Which IDX files, of one data set, are which part of it; none where no name is that of one.
 * @param paths of files, with `/`
 * @throws QuarterturnError `data` for labels without their images, and for files of several data sets
 */
export async function idxParts(
  where: string,
  paths: readonly string[],
  openFile: (path: string) => Promise<ByteSource>,
): Promise<IdxPart[]> {
  const { trainImages, trainLabels, testImages, testLabels } = assignRoles(where, paths);
  const parts: IdxPart[] = [];
  for (const [split, images, labels] of [
    ['train', trainImages, trainLabels],
    ['test', testImages, testLabels],
  ] as const) {
    if (images === undefined && labels !== undefined) {
      throw wrong(
        where,
        `expected images beside ${labels}`,
        'a folder without them',
        renamingHint([`${split}Images`], paths),
      );
    }
    if (images === undefined) continue;
    parts.push({
      split,
      images: await openFile(images),
      ...(labels !== undefined && { labels: await openFile(labels) }),
    });
  }
  return parts;
}

/** As {@link openIdxImages}, of bytes wherever they lie; closing the result closes them. */
export async function readIdxImages(origin: string, parts: readonly IdxPart[]): Promise<FoundImages> {
  const read = [];
  for (const { split, images, labels } of parts) {
    const rows = await idxRows(images);
    read.push({ split, rows, values: labels && (await labelValues(labels, rows, images)), labels });
  }
  // Of a pile without labels, the test set beside it knows the classes.
  const classes = occurringValues(
    read.find(({ values }) => values !== undefined)?.values ?? new Int32Array(),
  );
  const images = read.flatMap(({ split, rows, values, labels }) => {
    const numbers = values && classNumbers(values, classes, labels?.name ?? rows.name);
    return imagesOfRows(rows, numbers && Array.from(numbers, (k) => String(classes[k])), split);
  });
  const note = describeClasses(classes);
  return {
    format: 'idx',
    origin,
    images,
    classNames: Array.from(classes, String),
    skipped: [],
    notes: note === undefined ? [] : [note],
    async close() {
      for (const { images: source, labels } of parts) {
        await source.close();
        await labels?.close();
      }
    },
  };
}

async function idxRows(source: ByteSource): Promise<ImageRows> {
  const { name } = source;
  const start = await source.read(0, Math.min(maxIdxHeaderBytes, source.sizeBytes));
  const { shape, read } = isGzip(start) ? await unpacked(source) : inPlace(source, start);
  const { count, height, width, channels, channelsFirst } = layoutOf(name, shape);
  const size = height * width * channels;
  return {
    name: basename(name).replace(/\.gz$/i, ''),
    ...{ count, height, width, channels },
    async readRow(index) {
      const pixels = await read(index * size, (index + 1) * size);
      return channelsFirst ? channelsLast(pixels, channels) : pixels;
    },
  };
}

interface IdxElements {
  readonly shape: readonly number[];
  read(start: number, end: number): Promise<Uint8Array>;
}

function inPlace(source: ByteSource, start: Uint8Array): IdxElements {
  const { shape, headerBytes } = parseIdxHeader(source.name, start, ['ubyte']);
  const size = shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, 1);
  const received = source.sizeBytes - headerBytes;
  if (received !== size) {
    throw idxSizeFault(
      source.name,
      shape,
      size,
      `${received} (${received < size ? 'truncated' : 'too long'})`,
    );
  }
  const rows = inBlocks(source);
  return { shape, read: (from, to) => rows.read(headerBytes + from, headerBytes + to) };
}

/** A gzip stream cannot be read from the middle. */
async function unpacked(source: ByteSource): Promise<IdxElements> {
  const { shape, data } = await readIdx(source.name, await source.read(0, source.sizeBytes));
  return { shape, read: async (from, to) => data.slice(from, to) };
}

async function labelValues(source: ByteSource, rows: ImageRows, images: ByteSource): Promise<Int32Array> {
  const { name, sizeBytes } = source;
  if (sizeBytes > maxLabelBytes) {
    throw wrong(name, `expected labels of at most ${maxLabelBytes} bytes`, String(sizeBytes));
  }
  const values = await readIdxLabels(name, await source.read(0, sizeBytes));
  if (values.length === rows.count) return values;
  throw wrong(
    name,
    `expected one label for each of the ${countOf(rows.count, 'image')} in ${basename(images.name)}`,
    String(values.length),
    'Do both files come from the same dataset?',
  );
}

function wrong(where: string, expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('data', `${where}: ${expected}. Received: ${received}.`, { hint });
}
