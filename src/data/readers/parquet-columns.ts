import type { FileMetaData, SchemaTree } from 'hyparquet';
import { z } from 'zod';
import { QuarterturnError } from '../../errors.js';
import { type ValueType, valueTypes } from './parquet-values.js';

/** A column of values, wherever it lies within structures. */
export interface Leaf {
  /** `image`, `bytes`. */
  readonly path: readonly string[];
  readonly type: ValueType;
  /** How many of the fields of the path may be absent. */
  readonly definitionLevels: number;
  /** Whether bytes are texts. */
  readonly isText: boolean;
}

/** Which columns of a file hold images and their labels. */
export interface ImageColumns {
  /** Files of images: PNG, JPEG, … */
  readonly bytes: Leaf;
  /** Their names, where the file has them. */
  readonly path: Leaf | undefined;
  readonly label: Leaf | undefined;
  /** What whole numbers stand for, where the file says it. */
  readonly classNames: readonly string[] | undefined;
  /** Other columns of classes, which are not read. */
  readonly otherLabels: readonly string[];
}

export interface ParquetColumnOptions {
  /** Default: the column that the metadata calls an image, else the one that is made like one. */
  readonly imageColumn?: string | undefined;
  /** Default: the column that the metadata calls a class label, `label` first, else the one with a usual name. */
  readonly labelColumn?: string | undefined;
}

const imageNames = ['image', 'img', 'images', 'picture', 'photo', 'jpg', 'png'];
const labelNames = ['label', 'labels', 'class', 'category', 'target', 'fine_label', 'species', 'y'];

const featureSchema = z.object({
  _type: z.string().optional(),
  names: z.union([z.array(z.string()), z.record(z.string(), z.string())]).optional(),
});
type Feature = z.infer<typeof featureSchema>;
const metadataSchema = z.object({ info: z.object({ features: z.record(z.string(), z.unknown()) }) });

/** The most of Hugging Face's metadata that is parsed: a thousand class names are 50 kB. */
const maxMetadataChars = 2 ** 24;

/**
 * The columns of images and labels of a Parquet file: as the metadata of Hugging Face's `datasets` says (key `huggingface`),
 * or, without it, by their structure and their usual names.
 *
 * @throws QuarterturnError `data` if there is no column of images, where the one asked for is not there, or has several
 *   labels an image
 */
export function findImageColumns(
  name: string,
  metadata: FileMetaData,
  schema: SchemaTree,
  options: ParquetColumnOptions = {},
): ImageColumns {
  const features = featuresOf(metadata);
  const columns = schema.children.map(({ element }) => element.name);
  const image = imageColumn(name, schema, features, options.imageColumn);
  const bytes = leafOf(name, image, 'bytes') ?? leafOf(name, image);
  if (bytes?.type !== 'BYTE_ARRAY') {
    throw wrong(
      `${name}, column ${image.element.name}`,
      'expected files of images, as bytes',
      bytes?.type ?? 'a structure',
    );
  }
  const classes = columns.filter((column) => features.get(column)?._type === 'ClassLabel');
  const chosen =
    options.labelColumn ?? firstOf(labelNames, classes) ?? classes[0] ?? firstOf(labelNames, columns);
  const label =
    chosen === undefined ? undefined : schema.children.find(({ element }) => element.name === chosen);
  if (chosen !== undefined && label === undefined) {
    throw wrong(name, `expected a column ${JSON.stringify(chosen)} with the labels`, columns.join(', '));
  }
  const names = features.get(chosen ?? '')?.names;
  return {
    bytes,
    path: image.children.some(({ element }) => element.name === 'path')
      ? leafOf(name, image, 'path')
      : undefined,
    label: label && labelLeaf(name, label),
    classNames: names && (Array.isArray(names) ? names : namesByNumber(names)),
    otherLabels: classes.filter((column) => column !== chosen),
  };
}

function imageColumn(
  name: string,
  { children }: SchemaTree,
  features: ReadonlyMap<string, Feature>,
  wanted: string | undefined,
): SchemaTree {
  const columns = children.map(({ element }) => element.name);
  const isBytes = ({ element }: SchemaTree) => element.type === 'BYTE_ARRAY' && !isText(element);
  const holdsBytes = children.filter((column) =>
    column.children.some((child) => child.element.name === 'bytes' && isBytes(child)),
  );
  const said = columns.filter((column) => features.get(column)?._type === 'Image');
  const candidates = holdsBytes.length > 0 ? holdsBytes : children.filter(isBytes);
  const likely = candidates.map(({ element }) => element.name);
  const chosen = wanted ?? firstOf(imageNames, said) ?? said[0] ?? firstOf(imageNames, likely) ?? likely[0];
  const column = children.find(({ element }) => element.name === chosen);
  if (column) return column;
  throw wrong(
    name,
    wanted === undefined
      ? 'expected a column of images'
      : `expected a column ${JSON.stringify(wanted)} with the images`,
    `the columns ${columns.slice(0, 20).join(', ') || 'none'}`,
    'Images lie in a column of bytes, or of { bytes, path } as `datasets` writes them.',
  );
}

/** The value that is a column, or a field of it. */
function leafOf(name: string, column: SchemaTree, field?: string): Leaf | undefined {
  const leaf = field === undefined ? column : column.children.find(({ element }) => element.name === field);
  if (leaf === undefined || leaf.children.length > 0) return undefined;
  const fields = leaf === column ? [column] : [column, leaf];
  const where = `${name}, column ${leaf.path.join('.')}`;
  if (fields.some(({ element }) => element.repetition_type === 'REPEATED')) {
    throw wrong(where, 'expected one value a row', 'a list');
  }
  const type = valueTypes.find((each) => each === leaf.element.type);
  if (type === undefined) throw wrong(where, `expected ${valueTypes.join(', ')}`, String(leaf.element.type));
  return {
    path: leaf.path,
    type,
    definitionLevels: fields.filter(({ element }) => element.repetition_type !== 'REQUIRED').length,
    isText: isText(leaf.element),
  };
}

function labelLeaf(name: string, column: SchemaTree): Leaf {
  const leaf =
    column.children.length > 0 || column.element.repetition_type === 'REPEATED'
      ? undefined
      : leafOf(name, column);
  if (leaf) return leaf;
  throw wrong(
    `${name}, column ${column.element.name}`,
    'expected one label for each image',
    'a list or a structure (multi-label)',
    'Multi-label data cannot be learned: choose one label for each image, or another column.',
  );
}

function isText({ converted_type: converted, logical_type: logical }: SchemaTree['element']): boolean {
  return (
    converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING' || logical?.type === 'ENUM'
  );
}

/** What the metadata says of each column; nothing where it says nothing that can be read. */
function featuresOf({ key_value_metadata: pairs = [] }: FileMetaData): ReadonlyMap<string, Feature> {
  const text = pairs.find(({ key }) => key === 'huggingface')?.value ?? '';
  const parsed = text.length > maxMetadataChars ? undefined : metadataSchema.safeParse(parsedJson(text));
  const entries = Object.entries(parsed?.data?.info.features ?? {}).flatMap(
    ([column, value]): [string, Feature][] => {
      const feature = featureSchema.safeParse(value);
      return feature.success ? [[column, feature.data]] : [];
    },
  );
  return new Map(entries);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function namesByNumber(names: Readonly<Record<string, string>>): string[] | undefined {
  const count = Object.keys(names).length;
  const list = Array.from({ length: count }, (_, k) => names[String(k)]);
  return list.every((name) => name !== undefined) ? list : undefined;
}

function firstOf(wanted: readonly string[], names: readonly string[]): string | undefined {
  return wanted
    .map((each) => names.find((name) => name.toLowerCase() === each))
    .find((name) => name !== undefined);
}

function wrong(where: string, expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('data', `${where}: ${expected}. Received: ${received}.`, { hint });
}
