import { basename, dirname } from 'node:path';
import { byCount } from '../../counts.js';
import { QuarterturnError } from '../../errors.js';
import { classNamesOf } from './array-images.js';
import { splitNamed } from './array-keys.js';
import type { ByteSource } from './byte-source.js';
import { inNaturalOrder } from './class-names.js';
import { openByteSource } from './file-window.node.js';
import type { FoundImage, FoundImages, ImageBytes, Split } from './found-images.js';
import type { ParquetColumnOptions } from './parquet-columns.js';
import { ParquetFile } from './parquet-file.node.js';
import type { ParquetValue } from './parquet-values.js';

/**
 * Images of Parquet files in the layout of Hugging Face's `datasets`: a column `image` of { bytes, path } or of bytes, and a
 * column `label` of whole numbers, whose names the metadata has, or of texts. −1 and nothing are no label.
 *
 * Several files are parts of one data set (`train-00000-of-00002.parquet`); their names, or that of the folder around them,
 * say the split. Images are read when they are asked for, a page at a time: three pages are kept of each of two row groups, a
 * page has a megabyte as writers make them, and 512 MB at most. Labels and names are read when the files are opened.
 *
 * @example
 * const found = await openParquetImages(['data/train-00000-of-00001.parquet', 'data/test-00000-of-00001.parquet']);
 * found.images[0]; // { name: 'train-00000-of-00001.parquet[0]', label: 'airplane', split: 'train', … }
 * @throws QuarterturnError `data` for a file that is damaged, holds no images, or does not belong to the others; `io` for one
 *   that cannot be read
 */
export async function openParquetImages(
  paths: readonly string[],
  options: ParquetColumnOptions = {},
): Promise<FoundImages> {
  const sources: ByteSource[] = [];
  try {
    for (const path of paths) sources.push(await openByteSource(path));
    return await readParquetImages(sources, options);
  } catch (error) {
    await closeAll(sources);
    throw error;
  }
}

interface Part {
  readonly file: ParquetFile;
  readonly split: Split | undefined;
  readonly labels: readonly (string | undefined)[] | undefined;
  readonly paths: readonly (string | undefined)[] | undefined;
}

/** As {@link openParquetImages}, of bytes wherever they lie; closing the result closes them. */
export async function readParquetImages(
  sources: readonly ByteSource[],
  options: ParquetColumnOptions = {},
): Promise<FoundImages> {
  const sorted = [...sources].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const [first] = sorted;
  if (first === undefined)
    throw new QuarterturnError('usage', 'Parquet files: expected at least one. Received: none.');
  const parts: Part[] = [];
  for (const source of sorted) {
    const file = await ParquetFile.open(source, options);
    const { label, path } = file.columns;
    parts.push({
      file,
      split: splitOf(source.name),
      labels: label && labelsOf(file, await file.allValues(label)),
      paths:
        path?.isText || path?.type === 'BYTE_ARRAY' ? (await file.allValues(path)).map(textOf) : undefined,
    });
  }
  const classNames = classNamesIn(parts);
  const images = parts.flatMap(({ file, split, labels }) =>
    Array.from({ length: file.rows }, (_, row) => new ParquetImage(file, row, labels?.[row], split)),
  );
  useOwnNames(images, parts);
  return {
    format: 'parquet',
    origin: sorted.length === 1 ? first.name : dirname(first.name),
    images,
    classNames: classNames ?? classNamesOf(images),
    skipped: [],
    notes: [...missingPartNotes(sorted), ...otherLabelNotes(parts)],
    close: () => closeAll(sources),
  };
}

/** A class, since a hundred thousand closures would weigh more. */
class ParquetImage implements FoundImage {
  name: string;
  declare readonly label?: string;
  declare readonly split?: Split;
  readonly #file: ParquetFile;
  readonly #row: number;

  constructor(file: ParquetFile, row: number, label: string | undefined, split: Split | undefined) {
    this.name = `${basename(file.source.name)}[${row}]`;
    if (label !== undefined) this.label = label;
    if (split !== undefined) this.split = split;
    this.#file = file;
    this.#row = row;
  }

  async read(): Promise<ImageBytes> {
    const value = await this.#file.valueAt(this.#file.columns.bytes, this.#row);
    // A copy: a page is not to be held for one image of it.
    if (value instanceof Uint8Array) return { kind: 'file', bytes: value.slice() };
    throw new QuarterturnError(
      'data',
      `${this.#file.source.name}, row ${this.#row}: expected the bytes of an image. Received: nothing.`,
      {
        hint: 'Only its path was written: write the images themselves, as `push_to_hub` and `embed_table_storage` do.',
      },
    );
  }
}

/** `train-00000-of-00002.parquet`, `plain_text/validation/0000.parquet`, `cifar-test.parquet`: the ends of a name count. */
function splitOf(path: string): Split | undefined {
  const stem = basename(path)
    .replace(/\.parquet$/i, '')
    .replace(/-\d+-of-\d+.*$/, '');
  const words = stem.split(/[-_. ]/);
  const folder = basename(dirname(path));
  // Of a folder the whole name: one called `training data` may hold anything.
  const around = /^[a-z0-9]+$/i.test(folder) ? splitNamed(folder) : undefined;
  return splitNamed(words[0] ?? '') ?? splitNamed(words.at(-1) ?? '') ?? around;
}

function labelsOf(file: ParquetFile, values: readonly (ParquetValue | undefined)[]): (string | undefined)[] {
  const { classNames: names } = file.columns;
  return values.map((value, row) => {
    if (value instanceof Uint8Array) return textOf(value)?.normalize('NFC') || undefined;
    if (value === undefined || value === -1 || Number.isNaN(value)) return undefined;
    if (typeof value === 'boolean') return String(value);
    const label =
      Number.isSafeInteger(value) && value >= 0 ? (names ? names[value] : String(value)) : undefined;
    if (label !== undefined) return label.normalize('NFC');
    const most = names ? `0 to ${names.length - 1}` : '0 on';
    throw new QuarterturnError(
      'data',
      `${file.source.name}, column ${file.columns.label?.path.join('.')}: expected classes from ${most}, or -1 for no label. Received: ${value} in row ${row}.`,
    );
  });
}

function textOf(value: ParquetValue | undefined): string | undefined {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
}

/** The classes that all files say; undefined where none does. */
function classNamesIn(parts: readonly Part[]): string[] | undefined {
  const said = parts.flatMap(({ file }) =>
    file.columns.classNames ? [{ file, names: file.columns.classNames }] : [],
  );
  const [first] = said;
  const other = said.find(({ names }) => names.join('\0') !== first?.names.join('\0'));
  if (first && other) {
    throw new QuarterturnError(
      'data',
      `${other.file.source.name}: expected the classes of ${first.file.source.name}. Received: others.`,
      { hint: 'Put the files of each data set into a folder of its own.' },
    );
  }
  return first && inNaturalOrder(first.names.map((name) => name.normalize('NFC')));
}

/** What can lead nowhere else, and is a name: relative, without `..`, of a length that systems have. */
const isPlainPath = (path: string): boolean =>
  path.length <= 1024 &&
  !/\p{Cc}|\\|^[a-z]:|\ufffd/iu.test(path) &&
  path.split('/').every((part) => !['', '.', '..'].includes(part));

/** Images are called as their files were, where each has a name of its own. */
function useOwnNames(images: readonly ParquetImage[], parts: readonly Part[]): void {
  const paths = parts.flatMap(({ paths: some, file }) => some ?? Array<undefined>(file.rows).fill(undefined));
  const names = paths.filter((path) => path !== undefined && isPlainPath(path));
  if (new Set(names).size < images.length) return;
  for (const [i, image] of images.entries()) image.name = paths[i] ?? image.name;
}

/** A download that was not finished. */
function missingPartNotes(sources: readonly ByteSource[]): string[] {
  const groups = new Map<string, { wanted: number; found: number }>();
  for (const { name } of sources) {
    const match = /^(.*)-\d{5}-of-(\d{5})/.exec(basename(name));
    if (!match) continue;
    const key = `${match[1]}-?????-of-${match[2]}`;
    const group = groups.get(key) ?? { wanted: Number(match[2]), found: 0 };
    groups.set(key, { ...group, found: group.found + 1 });
  }
  return [...groups].flatMap(([name, { wanted, found }]) =>
    found < wanted
      ? [
          `Of the ${wanted} files ${name}.parquet ${found} ${byCount(found, 'is', 'are')} there: the others' images are missing.`,
        ]
      : [],
  );
}

function otherLabelNotes([part]: readonly Part[]): string[] {
  const { label, otherLabels = [] } = part?.file.columns ?? {};
  if (otherLabels.length === 0) return [];
  return [
    `Labels are those of the column ${label?.path[0]}; ${otherLabels.join(', ')} could be read instead.`,
  ];
}

async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  for (const source of sources) await source.close();
}
