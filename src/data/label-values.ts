import { byCount, countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';

/**
 * Stands among class numbers for an image that has no class, and nothing else does: −1, which no class has. Among class
 * names it is null.
 */
export const noClass = -1;

/**
 * The classes of labels as a file has them: the values that occur, ascending. EMNIST's letters count from 1, and other
 * sets leave values out: a class for every number up to the largest would have classes that nothing belongs to.
 */
export function occurringValues(values: Int32Array): Int32Array {
  return Int32Array.from(new Set(values)).sort();
}

/**
 * Class numbers, 0 … classes.length − 1, of labels as a file has them.
 *
 * @param classes the value of each class, see {@link occurringValues}
 * @param file what to call the labels in errors
 * @throws QuarterturnError `data` naming the first value that is no class
 */
export function classNumbers(values: Int32Array, classes: Int32Array, file: string): Int32Array {
  const numberOf = new Map(Array.from(classes, (value, k) => [value, k]));
  return values.map((value, i) => {
    const k = numberOf.get(value);
    if (k !== undefined) return k;
    throw new QuarterturnError(
      'data',
      `${file}: expected labels that training has (${rangeOf(classes)}). Received: ${value} at index ${i}.`,
      { hint: 'A class without a training image cannot be learned: add one, or leave its test images out.' },
    );
  });
}

/** What to say of classes that are not simply 0 … n − 1; undefined if they are. */
export function describeClasses(classes: Int32Array): string | undefined {
  if (classes.every((value, k) => value === k)) return undefined;
  return `Classes are the ${countOf(classes.length, 'label')} that ${byCount(classes.length, 'occurs', 'occur')} (${rangeOf(classes)}), each named by its label.`;
}

/** `1 to 26` where no value is left out, else the first few. */
function rangeOf(classes: Int32Array): string {
  const [first, last] = [classes[0]!, classes.at(-1)!];
  if (last - first === classes.length - 1) return classes.length === 1 ? `${first}` : `${first} to ${last}`;
  const shown = 10;
  return `${[...classes.subarray(0, shown)].join(', ')}${classes.length > shown ? ` … ${last}` : ''}`;
}
