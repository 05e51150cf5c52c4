import { z } from 'zod';
import { byCount, formatCount } from '../counts.js';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { imageHashPattern } from '../data/image-hash.js';
import { type ImageSource, selectImages } from '../data/image-source.js';
import { noClass } from '../data/label-values.js';
import { nearestName } from '../data/nearest-name.js';
import { inNaturalOrder } from '../data/readers/class-names.js';
import { QuarterturnError } from '../errors.js';
import { dataDifference, fingerprintSchema } from '../store/fingerprint.js';
import { integerBetween } from '../store/ranges.js';
import { countPerClass } from './label-selection.js';

/** A path or a name: what is longer was not meant, and would fill the screen when it is spoken of. */
const shortText = z.string().max(1000);

/** A class as JSON has it: people write the digit 7 as a number too. */
const className = z.union([shortText, z.int().transform(String)]);

const labelSchema = z
  .strictObject({
    /** Hash of the image's content (see `hashImage`): the label is that image's wherever it lies. */
    image: z.string().regex(imageHashPattern, 'expected 32 hexadecimal digits').optional(),
    /** Where the image lies in the training set, from 0: a hint beside a hash, else all that is known of the image. */
    index: integerBetween(0, 2 ** 32 - 1).optional(),
    /** Class name; null: the label that the data set itself has. */
    label: className.nullable(),
    /** Name of the image's file, for the person who fills the list in; nothing is found by it. */
    file: z.string().max(10_000).optional(),
  })
  .refine(({ image, index }) => image !== undefined || index !== undefined, {
    error: 'expected the hash of an image or its index',
  })
  .transform(({ file: _, ...label }) => label);

/** Which images are labelled, and with what: what a labels file holds, and `labels` in the settings. */
export const labelsSchema = z.strictObject({
  /** The data that indices without a hash speak of; null: taken on trust. */
  data: fingerprintSchema.nullable().default(null),
  /**
   * All classes, in the order of their numbers: then the labels bring their own, and what the data says of classes plays no part.
   * Default: the classes of the data, or, where that names none, those that occur.
   */
  classNames: z.array(shortText).min(1).optional(),
  images: z.array(labelSchema).min(1),
});

export type GivenLabels = z.infer<typeof labelsSchema>;
export type GivenLabel = GivenLabels['images'][number];

/** A label whose image has been found. */
export interface PlacedLabel {
  /** Of the image, in the training set. */
  readonly index: number;
  /** Class name; null: the label that the data set itself has. */
  readonly label: string | null;
}

/** Labelled images as training takes them. */
export interface ResolvedLabels {
  /** Into the training set, in the order given, each image once. */
  readonly indices: Uint32Array;
  /** Class numbers of these. */
  readonly classes: Int32Array;
}

/**
 * Labels that give indices and no hashes, at the places that they name.
 * @throws QuarterturnError `data` for other data than they were made for, an index outside the training set, two labels
 *   for one image; `usage` for a label with a hash, whose image has to be looked up (`locateLabels`)
 */
export function placesByIndex(
  { train, checksums }: Pick<DataSource, 'train' | 'checksums'>,
  { data, images }: GivenLabels,
): readonly PlacedLabel[] {
  const places = images.map(({ image, index, label }): PlacedLabel => {
    if (image === undefined && index !== undefined) return { index, label };
    throw new QuarterturnError('usage', `labels: expected located labels. Received: the hash ${image}.`, {
      hint: 'Find the images first: context = await withLocatedLabels(context).',
    });
  });
  assertIndices({ images: train.images, checksums }, data, places);
  return distinct(places, ({ index }) => index);
}

/**
 * Refuse indices that cannot be trusted.
 * @throws QuarterturnError `data` for other data than they were made for, or an index outside the training set
 */
export function assertIndices(
  {
    images,
    checksums,
  }: Pick<DataSource, 'checksums'> & { readonly images: Pick<ImageSource, 'name' | 'count'> },
  data: GivenLabels['data'],
  places: readonly Pick<PlacedLabel, 'index'>[],
): void {
  if (places.length === 0) return;
  const difference = dataDifference(data, { checksums });
  if (difference !== undefined) {
    throw labelsError(`the data they were made for, ${data?.origin}`, difference, {
      hint: 'Use the data that the labels were given for, or make labels for this data.',
    });
  }
  const outside = places.filter(({ index }) => index >= images.count);
  if (outside.length === 0) return;
  throw labelsError(
    `indices from 0 to ${images.count - 1} of ${images.name}`,
    firstFew(outside.map(({ index }) => index)),
  );
}

/**
 * Labels, each image once, where it was named first.
 * @param keyOf what tells images apart
 * @throws QuarterturnError `data` naming both labels of an image that has two
 */
export function distinct<T extends Partial<GivenLabel> & Pick<GivenLabel, 'label'>>(
  labels: readonly T[],
  keyOf: (label: T) => string | number,
): readonly T[] {
  const first = new Map<string | number, T>();
  for (const label of labels) {
    const before = first.get(keyOf(label));
    if (before === undefined) first.set(keyOf(label), label);
    else if (before.label !== label.label) {
      throw labelsError(
        'one label for each image',
        `${described(before)} and ${described(label)}, the same image`,
      );
    }
  }
  return [...first.values()];
}

/** `"cat" for image 12`. */
function described({ image, index, label }: Partial<GivenLabel>): string {
  const place = index === undefined ? image : image === undefined ? index : `${image} (index ${index})`;
  return `${JSON.stringify(label)} for image ${place}`;
}

/**
 * The names of the classes, in the order of their numbers: those that the labels bring, else those of the data, or, where the
 * data has none, those that occur in the given labels, in natural order (2 before 10).
 */
export function classNamesIn(
  { classNames }: Pick<ImageDataset, 'classNames'>,
  { images, classNames: brought }: GivenLabels,
): readonly string[] {
  if (brought) return brought;
  if (classNames.length > 0) return classNames;
  const names = new Set(images.flatMap(({ label }) => (label === null ? [] : [label])));
  return inNaturalOrder(names);
}

/**
 * The data as labels see it that bring their own classes: of its own labels nothing is left but test images of classes with the
 * same names. As it is where they bring none.
 */
export function dataUnderLabels<T extends Pick<DataSource, 'train' | 'test'>>(
  data: T,
  { classNames }: Pick<GivenLabels, 'classNames'>,
): T {
  if (classNames === undefined) return data;
  const { labels: _, ...train } = data.train;
  return { ...data, train: { ...train, classNames }, test: data.test && renumbered(data.test, classNames) };
}

/** The images whose class is among those named, numbered as these are; undefined where none is. */
function renumbered(test: ImageDataset, classNames: readonly string[]): ImageDataset | undefined {
  const numbers = test.classNames.map((name) => classNames.indexOf(name));
  const numberAt = (index: number): number => numbers[test.labels?.[index] ?? noClass] ?? noClass;
  const indices = Uint32Array.from({ length: test.images.count }, (_, index) => index).filter(
    (index) => numberAt(index) !== noClass,
  );
  if (indices.length === 0) return undefined;
  const images = selectImages(test.images, indices, { name: test.images.name });
  return { images, labels: Int32Array.from(indices, numberAt), classNames };
}

/**
 * The places that have a class: from the file, or, where it says null, from the data. All others are still to be labelled, and
 * belong to the pile.
 * @throws QuarterturnError `data` if none has
 */
export function labelledPlaces(
  { images: { name }, labels }: ImageDataset,
  places: readonly PlacedLabel[],
): readonly PlacedLabel[] {
  const labelled = places.filter(
    ({ index, label }) => label !== null || (labels?.[index] ?? noClass) !== noClass,
  );
  if (labelled.length > 0 || places.length === 0) return labelled;
  throw labelsError('the class of an image', `null for ${firstFew(places.map(({ index }) => index))}`, {
    hint: `${name} has no label of its own for ${byCount(places.length, 'this image', 'these images')}: write the classes into the file.`,
  });
}

/**
 * Placed labels with class numbers. Classes need not have equally many.
 * @param classNames in the order of their numbers, see {@link classNamesIn}
 * @param options.places those that have a class, see {@link labelledPlaces}
 * @throws QuarterturnError `data` for a class that the data does not have, or a class without any image
 */
export function resolveLabels(
  train: ImageDataset,
  { places, classNames }: { readonly places: readonly PlacedLabel[]; readonly classNames: readonly string[] },
): ResolvedLabels {
  const classes = Int32Array.from(classesOf(train, classNames, places));
  const missing = classNames.filter((_, k) => !classes.includes(k));
  if (missing.length > 0) {
    throw labelsError('at least one image of every class', `none of ${firstFew(missing)}`, {
      hint: 'A class that was never seen cannot be learned: label an image of it. `quarterturn suggest --labels <file>` proposes more.',
    });
  }
  return { indices: Uint32Array.from(places, ({ index }) => index), classes };
}

function classesOf(
  { images: { name }, labels }: ImageDataset,
  classNames: readonly string[],
  places: readonly PlacedLabel[],
): number[] {
  const ownClass = (index: number): number => labels?.[index] ?? noClass;
  if (labels) countPerClass(labels, classNames.length);
  return places.map(({ index, label }) => {
    if (label === null) return ownClass(index);
    const found = classNames.indexOf(label);
    if (found >= 0) return found;
    throw labelsError(`a class of ${name} for image ${index}`, JSON.stringify(label), {
      hint: `Did you mean ${JSON.stringify(nearestName(label, classNames))}? The classes are ${firstFew(classNames)}.`,
    });
  });
}

/** An error about labels, in the words of all others. */
export function labelsError(
  expected: string,
  received: string,
  options: { readonly hint?: string } = {},
): QuarterturnError {
  return new QuarterturnError('data', `labels: expected ${expected}. Received: ${received}.`, options);
}

/** The first items of a list, and how many more there are. */
function firstFew(items: readonly (string | number)[]): string {
  const shown = 10;
  const more = items.length > shown ? ` and ${formatCount(items.length - shown)} more` : '';
  return `${items.slice(0, shown).join(', ')}${more}`;
}
