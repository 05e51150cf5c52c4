import { countOf } from '../counts.js';
import { noClass } from '../data/label-values.js';
import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';

/** How many images of which classes are to be chosen. */
export interface SelectionOptions {
  /** In the order of their numbers. */
  readonly classNames: readonly string[];
  /** Images of each class, 1 or more. */
  readonly perClass: number;
}

/**
 * Chooses the first images of each class, as the notebook chooses its 100: the classes in the order in which they appear in
 * the file, the images of a class in file order.
 *
 * @param labels class of each image, 0 … classNames.length − 1, or `noClass`
 * @returns perClass · classNames.length image indices
 * @throws QuarterturnError `data` naming a class that has too few images, or a label outside the classes
 */
export function firstPerClass(labels: Int32Array, options: SelectionOptions): Uint32Array {
  const members = membersOf(labels, options);
  const byAppearance = members.toSorted(([a = 0], [b = 0]) => a - b);
  return Uint32Array.from(byAppearance.flatMap((indices) => indices.slice(0, options.perClass)));
}

/**
 * Chooses images of each class at random, none of them twice; the classes in ascending order.
 *
 * @returns perClass · classNames.length image indices
 * @throws QuarterturnError `data` as {@link firstPerClass}
 */
export function randomPerClass(
  labels: Int32Array,
  { random, ...options }: SelectionOptions & { readonly random: Random },
): Uint32Array {
  const members = membersOf(labels, options);
  return Uint32Array.from(members.flatMap((indices) => random.shuffle(indices).slice(0, options.perClass)));
}

/**
 * The indices 0 … count − 1 without some of them, ascending: the images that are not labelled.
 * @throws QuarterturnError `usage` for an index outside 0 … count − 1
 */
export function remainingIndices(count: number, removed: ArrayLike<number>): Uint32Array {
  const isRemoved = new Uint8Array(count);
  for (let i = 0; i < removed.length; i++) {
    const index = removed[i]!;
    if (!(index in isRemoved)) {
      throw new QuarterturnError(
        'usage',
        `remainingIndices: expected indices from 0 to ${count - 1}. Received: ${index}.`,
      );
    }
    isRemoved[index] = 1;
  }
  return Uint32Array.from({ length: count }, (_, i) => i).filter((i) => isRemoved[i] === 0);
}

/**
 * Counts the images of each class. Images without a class are not counted.
 * @throws QuarterturnError `data` for a label that is neither 0 … classCount − 1 nor `noClass`
 */
export function countPerClass(labels: Int32Array, classCount: number): Uint32Array {
  const counts = new Uint32Array(classCount);
  for (const [i, label] of labels.entries()) {
    if (label === noClass) continue;
    const count = counts[label];
    if (count === undefined) {
      throw new QuarterturnError(
        'data',
        `labels: expected classes 0 to ${classCount - 1}. Received: ${label} at index ${i}.`,
      );
    }
    counts[label] = count + 1;
  }
  return counts;
}

/** The indices of each class's images, in file order. @throws QuarterturnError if a class has fewer than are asked for */
function membersOf(labels: Int32Array, { classNames, perClass }: SelectionOptions): number[][] {
  if (!Number.isInteger(perClass) || perClass < 1) {
    throw new QuarterturnError(
      'usage',
      `labels per class: expected a positive integer. Received: ${perClass}.`,
    );
  }
  const counts = countPerClass(labels, classNames.length);
  const short = counts.findIndex((count) => count < perClass);
  if (short >= 0) {
    throw new QuarterturnError(
      'data',
      `labels per class: expected at least ${countOf(perClass, 'image')} of class ${JSON.stringify(classNames[short])}. Received: ${counts[short]}.`,
      { hint: `Ask for at most ${countOf(Math.min(...counts), 'label')} per class.` },
    );
  }
  const members = classNames.map((): number[] => []);
  for (const [i, label] of labels.entries()) members[label]?.push(i);
  return members;
}
