import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';

/**
 * The first n images of each class, as the notebook picks its 100: classes in order of their first
 * appearance in the file, file order within a class.
 *
 * @param labels class of each image, 0 ... classCount - 1
 * @returns n * classCount image indices
 * @throws QuarterturnError `data` naming a class that has fewer than n images, or a label outside the classes
 */
export function firstPerClass(labels: Int32Array, classCount: number, n: number): Uint32Array {
  const members = membersOf(labels, classCount, n);
  const byAppearance = members.toSorted((a, b) => a[0]! - b[0]!);
  return Uint32Array.from(byAppearance.flatMap((indices) => indices.slice(0, n)));
}

/**
 * A random n images of each class, without repetition; classes in ascending order.
 *
 * @returns n * classCount image indices
 * @throws QuarterturnError `data` as {@link firstPerClass}
 */
export function randomPerClass(
  labels: Int32Array,
  classCount: number,
  n: number,
  random: Random,
): Uint32Array {
  const members = membersOf(labels, classCount, n);
  return Uint32Array.from(members.flatMap((indices) => random.shuffle(indices).slice(0, n)));
}

/**
 * What is left of 0 ... count - 1, in order: the unlabelled rest.
 * @throws QuarterturnError `usage` for an index outside 0 ... count - 1
 */
export function withoutIndices(count: number, removed: ArrayLike<number>): Uint32Array {
  const isRemoved = new Uint8Array(count);
  for (let i = 0; i < removed.length; i++) {
    const index = removed[i]!;
    if (!(index in isRemoved)) {
      throw new QuarterturnError(
        'usage',
        `withoutIndices: expected indices from 0 to ${count - 1}. Received: ${index}.`,
      );
    }
    isRemoved[index] = 1;
  }
  return Uint32Array.from({ length: count }, (_, i) => i).filter((i) => isRemoved[i] === 0);
}

/**
 * How many images each class has.
 * @throws QuarterturnError `data` for a label outside 0 ... classCount - 1
 */
export function countPerClass(labels: Int32Array, classCount: number): Uint32Array {
  const counts = new Uint32Array(classCount);
  for (const [i, label] of labels.entries()) {
    if (label >= classCount) {
      throw new QuarterturnError(
        'data',
        `labels: expected classes 0 to ${classCount - 1}. Received: ${label} at index ${i}.`,
      );
    }
    counts[label]!++;
  }
  return counts;
}

/** Image indices of each class, in file order, at least n (a positive integer) each. */
function membersOf(labels: Int32Array, classCount: number, n: number): number[][] {
  if (!Number.isInteger(n) || n < 1) {
    throw new QuarterturnError('usage', `labels per class: expected a positive integer. Received: ${n}.`);
  }
  const counts = countPerClass(labels, classCount);
  const short = counts.findIndex((count) => count < n);
  if (short >= 0) {
    throw new QuarterturnError(
      'data',
      `labels per class: expected at least ${n} images of class ${short}. Received: ${counts[short]}.`,
      { hint: `Ask for at most ${Math.min(...counts)} labels per class.` },
    );
  }
  const members: number[][] = Array.from({ length: classCount }, () => []);
  for (const [i, label] of labels.entries()) members[label]!.push(i);
  return members;
}
