import { byCount } from '../../counts.js';
import { QuarterturnError } from '../../errors.js';
import { classNamesOf, imagesOfRows } from './array-images.js';
import { type ArrayRole, roleOf } from './array-keys.js';
import { inNaturalOrder } from './class-names.js';
import type { FoundImage, Split } from './found-images.js';
import {
  imageLayout,
  type NpyArray,
  npyImages,
  type PixelScale,
  pixelScale,
  rangeOf,
  type ValueRange,
} from './npy-images.js';
import { npyLabels } from './npy-labels.js';
import { textsOf } from './npy-values.js';

/** What some arrays of a file or folder hold. */
export interface NamedImages {
  readonly images: readonly FoundImage[];
  readonly classNames: readonly string[];
  readonly notes: readonly string[];
}

interface Part {
  readonly split: Split | undefined;
  readonly images: NpyArray;
  readonly labels: NpyArray | undefined;
}

/** In this order, whatever the order in the file. */
const splitOrder: readonly (Split | undefined)[] = [undefined, 'train', 'val', 'test'];

/**
 * Images and labels among named arrays: MedMNIST's names (`train_images`, `val_labels`, …), those of Keras (`x_train`,
 * `y_test`), general ones (`images`, `X`, `labels`, `y`, `arr_0`), and, where no name says it, the only array with the shape
 * of images and the only one with as many labels. Texts in `class_names` name the classes.
 *
 * @param where the file or folder, for messages
 * @throws QuarterturnError `data` if it cannot be told which arrays are meant, or one of them cannot be read
 */
export async function imagesOfArrays(where: string, arrays: readonly NpyArray[]): Promise<NamedImages> {
  const roles = new Map(arrays.map((array) => [array, roleOf(array.key)]));
  const nameArray = arrays.find((array) => roles.get(array)?.what === 'classNames' && isText(array));
  const named = splitOrder.flatMap((split) => partOf(where, roles, split));
  const parts = named.length > 0 ? named : [partByShape(where, arrays)];
  const names = nameArray && (await classNamesIn(nameArray));

  const scales = await scalesOf(where, parts);
  const notes = [...new Set(scales.values())].flatMap(({ note }) => (note === undefined ? [] : [note]));
  const images: FoundImage[] = [];
  for (const { split, images: array, labels } of parts) {
    const rows = npyImages(array, scales.get(array) ?? { factor: 1 });
    const found = labels && (await npyLabels(labels, rows.count, names));
    // Not `push(...)`: a million arguments are more than a call takes.
    for (const image of imagesOfRows(rows, found?.labels, split)) images.push(image);
    notes.push(...(found?.notes ?? []), ...layoutNotes(array));
  }
  const used = new Set(parts.flatMap(({ images: array, labels }) => [array, labels]).concat(nameArray));
  const others = arrays.filter((array) => !used.has(array)).map(({ key }) => key);
  if (others.length > 0) notes.push(`Arrays of ${where} that are not read: ${listed(others)}.`);
  return { images, classNames: names ? inNaturalOrder(names) : classNamesOf(images), notes };
}

const isText = ({ header: { kind } }: NpyArray): boolean => kind === 'unicode' || kind === 'bytes';

/** The images of a split and their labels, by their names. */
function partOf(
  where: string,
  roles: ReadonlyMap<NpyArray, ArrayRole | undefined>,
  split: Split | undefined,
): Part[] {
  const only = (what: ArrayRole['what']): NpyArray | undefined => {
    const found = [...roles].filter(([, role]) => role?.what === what && role.split === split);
    const [first, second] = found.map(([array]) => array);
    if (first && second) {
      throw wrong(
        where,
        `expected one array of ${what} ${split ? `for ${split}` : 'without a split'}`,
        `${first.key} and ${second.key}`,
        'Write them into files of their own.',
      );
    }
    return first;
  };
  const [images, labels] = [only('images'), only('labels')];
  if (images) return [{ split, images, labels }];
  if (!labels) return [];
  throw wrong(
    where,
    `expected images beside the labels ${labels.key}`,
    describedArrays([...roles.keys()]),
    namesHint,
  );
}

const namesHint = 'Name the arrays images and labels, or train_images, train_labels, test_images …';

/** `arr_0` and `arr_1`, or any other names: what they are is told by their shapes. */
function partByShape(where: string, arrays: readonly NpyArray[]): Part {
  const numbers = arrays.filter((array) => !isText(array) && array.header.shape.length >= 3);
  const [images, another] = numbers;
  if (images === undefined || another !== undefined) {
    throw wrong(where, 'expected an array of images', describedArrays(arrays), namesHint);
  }
  const [count] = images.header.shape;
  const labels = arrays.filter(
    ({ header: { shape } }) => shape.length >= 1 && shape.length <= 2 && shape[0] === count,
  );
  if (labels.length > 1) {
    throw wrong(where, 'expected one array of labels', labels.map(({ key }) => key).join(' and '), namesHint);
  }
  return { split: undefined, images, labels: labels[0] };
}

/** The values of all splits are of one kind, or one of them would be all black. */
async function scalesOf(where: string, parts: readonly Part[]): Promise<Map<NpyArray, PixelScale>> {
  const ranges = new Map<NpyArray, ValueRange>();
  for (const { images } of parts) {
    imageLayout(images);
    ranges.set(images, await rangeOf(images));
  }
  const scales = new Map([...ranges].map(([array, range]) => [array, pixelScale(array, range)]));
  const floats = [...scales].filter(([{ header }]) => header.kind === 'float');
  const factors = new Set(floats.map(([, { factor }]) => factor));
  if (factors.size > 1) {
    throw wrong(
      where,
      'expected the values of all images from 0 to 1, or of all from 0 to 255',
      floats.map(([array]) => `${array.key} up to ${ranges.get(array)?.max}`).join(', '),
    );
  }
  return scales;
}

function layoutNotes(array: NpyArray): string[] {
  const { channelsFirst, channels } = imageLayout(array);
  return channelsFirst
    ? [
        `${array.key} [${array.header.shape.join(', ')}] is read with its ${byCount(channels, 'channel', `${channels} channels`)} first.`,
      ]
    : [];
}

async function classNamesIn({ header, source }: NpyArray): Promise<string[]> {
  const count = header.shape[0] ?? 0;
  if (header.shape.length !== 1 || count > maxClasses) {
    throw wrong(
      source.name,
      `expected at most ${maxClasses} names of classes, [K]`,
      `[${header.shape.join(', ')}]`,
    );
  }
  const bytes = await source.read(header.dataStart, source.sizeBytes);
  return textsOf(header, bytes, count).map((text) => text.normalize('NFC'));
}

const maxClasses = 100_000;

function describedArrays(arrays: readonly NpyArray[]): string {
  if (arrays.length === 0) return 'no arrays';
  return listed(arrays.map(({ key, header }) => `${key} [${header.shape.slice(0, 8).join(', ')}]`));
}

function listed(items: readonly string[]): string {
  const shown = 10;
  return `${items.slice(0, shown).join(', ')}${items.length > shown ? ` and ${items.length - shown} more` : ''}`;
}

function wrong(where: string, expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('data', `${where}: ${expected}. Received: ${received}.`, { hint });
}
