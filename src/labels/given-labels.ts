import { z } from 'zod';
import type { DataSource } from '../data/dataset.js';
import { nearestName } from '../data/nearest-name.js';
import { QuarterturnError } from '../errors.js';
import { dataDifference, fingerprintSchema } from '../store/fingerprint.js';
import { whole } from '../store/ranges.js';
import { countPerClass } from './label-selection.js';

/** A path or a name: what is longer was not meant, and would fill the screen when it is spoken of. */
const shortText = z.string().max(1000);

/** A class as JSON has it: people write the digit 7 as a number too. */
const className = z.union([shortText, z.int().transform(String)]);

/** Which images are labelled, and with what: what a labels file holds, and `labels` in the settings. */
export const labelsSchema = z.strictObject({
  /** The data that the indices speak of; null: taken on trust. */
  data: fingerprintSchema.nullable().default(null),
  images: z
    .array(
      z.strictObject({
        /** In the training set, from 0. */
        index: whole(0, 2 ** 32 - 1),
        /** Class name; null: the label that the data set itself has. */
        label: className.nullable(),
      }),
    )
    .min(1),
});

export type GivenLabels = z.infer<typeof labelsSchema>;

/** Labelled images as training takes them. */
export interface ResolvedLabels {
  /** Into the training set, in the order given. */
  readonly indices: Uint32Array;
  /** Class numbers of these. */
  readonly classes: Int32Array;
}

/**
 * The images that labels are given for, or are still wanted for: into the training set, in the order given.
 * @throws QuarterturnError `data` for other data than they were made for, an index outside the training set or given
 *   twice
 */
export function givenIndices(
  { train, checksums }: Pick<DataSource, 'train' | 'checksums'>,
  { data, images }: GivenLabels,
): Uint32Array {
  const difference = dataDifference(data, { checksums });
  if (difference !== undefined) {
    throw wrong(`the data they were made for, ${data?.origin}`, difference, {
      hint: 'Use the data that the labels were given for, or make labels for this data.',
    });
  }
  const outside = images.filter(({ index }) => index >= train.images.count);
  if (outside.length > 0) {
    throw wrong(
      `indices from 0 to ${train.images.count - 1} of ${train.images.name}`,
      listed(outside.map(({ index }) => index)),
    );
  }
  const seen = new Set<number>();
  const twice = images.filter(({ index }) => seen.size === seen.add(index).size);
  if (twice.length > 0) {
    throw wrong('each image once', `${listed(twice.map(({ index }) => index))} more than once`);
  }
  return Uint32Array.from(images, ({ index }) => index);
}

/**
 * The names of the classes, in the order of their numbers: those of the data, or, where the data has none, those that
 * occur in the given labels, in natural order (2 before 10).
 */
export function classNamesFor(
  { classNames }: DataSource['train'],
  { images }: GivenLabels,
): readonly string[] {
  if (classNames.length > 0) return classNames;
  const names = new Set(images.flatMap(({ label }) => (label === null ? [] : [label])));
  return [...names].sort(new Intl.Collator('en', { numeric: true }).compare);
}

/**
 * Given labels against the data that they are for. Classes need not have equally many.
 * @throws QuarterturnError `data` as {@link givenIndices}, and for a class that the data does not have, an image without
 *   any label, a class without any image
 */
export function resolveLabels(
  source: Pick<DataSource, 'train' | 'checksums'>,
  labels: GivenLabels,
): ResolvedLabels {
  const { train } = source;
  const indices = givenIndices(source, labels);
  const classNames = classNamesFor(train, labels);
  const classes = Int32Array.from(classesOf(train, classNames, labels.images));
  const missing = classNames.filter((_, k) => !classes.includes(k));
  if (missing.length > 0) {
    throw wrong('at least one image of every class', `none of ${listed(missing)}`, {
      hint: 'A class that was never seen cannot be learned: label an image of it. `quarterturn suggest --labels <file>` proposes more.',
    });
  }
  return { indices, classes };
}

function classesOf(
  { images: { name }, labels }: DataSource['train'],
  classNames: readonly string[],
  given: GivenLabels['images'],
): number[] {
  const unlabelled = given.filter(({ label }) => label === null);
  if (labels === undefined && unlabelled.length > 0) {
    throw wrong('a class for every image', `null for ${listed(unlabelled.map(({ index }) => index))}`, {
      hint: `${name} has no labels of its own: write the class of each image into the file.`,
    });
  }
  if (labels) countPerClass(labels, classNames.length);
  return given.map(({ index, label }) => {
    if (label === null) return labels![index]!;
    const found = classNames.indexOf(label);
    if (found >= 0) return found;
    throw wrong(`a class of ${name} for image ${index}`, JSON.stringify(label), {
      hint: `Did you mean ${JSON.stringify(nearestName(label, classNames))}? The classes are ${listed(classNames)}.`,
    });
  });
}

function wrong(expected: string, received: string, options: { hint?: string } = {}): QuarterturnError {
  return new QuarterturnError('data', `labels: expected ${expected}. Received: ${received}.`, options);
}

/** The first few of a list, and how many more there are. */
function listed(items: readonly (string | number)[]): string {
  const shown = 10;
  const more = items.length > shown ? ` and ${items.length - shown} more` : '';
  return `${items.slice(0, shown).join(', ')}${more}`;
}
