/** Counts as people read them, the same in every message, table and report. */

/** Thousands separated by commas: 998084 -> `998,084`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * A count with its noun.
 * @param many the noun of several; default: with an s, or es behind one
 * @example
 * countOf(1, 'image'); // '1 image'
 * countOf(1507, 'class'); // '1,507 classes'
 * countOf(2, 'entry', 'entries'); // '2 entries'
 */
export function countOf(
  count: number,
  noun: string,
  many = noun + (noun.endsWith('s') ? 'es' : 's'),
): string {
  return `${formatCount(count)} ${byCount(count, noun, many)}`;
}

/** The word that goes with a count: `byCount(files.length, 'holds', 'hold')`. */
export function byCount(count: number, one: string, many: string): string {
  return Math.round(count) === 1 ? one : many;
}
