import type { Neighbours } from './neighbours.js';

/**
 * Share of images, changed, to which another image is as near as to the image as it is, from which on a pile is closed under the change. In a
 * pile to which the change makes no difference it is a half. Mirrored, it is 0.50 of CIFAR-10's training images (0.46 to 0.55 of each
 * class), 0.20 of Fashion-MNIST's, where shoes point to the left, and 0.03 of MNIST's; in other tones 0.49, 0.33 and 0.32.
 */
const closed = 0.4;

/** Whether changed images are as much at home in a pile as its images are. No label is needed for it. */
export function isClosed(share: number): boolean {
  return share >= closed;
}

/**
 * Share of rows that are more like the mirror image of another row than like any other row as it is, 0–1.
 *
 * @param asTheyAre the nearest rows of each row
 * @param mirrored the same where the other row may be mirrored
 */
export function mirroredShare(asTheyAre: Neighbours, mirrored: Neighbours): number {
  const { count, similarities } = asTheyAre;
  const rows = similarities.length / count;
  let nearer = 0;
  for (let row = 0; row < rows; row++) {
    if ((mirrored.similarities[row * count] ?? 0) > (similarities[row * count] ?? 0)) nearer++;
  }
  return rows === 0 ? 0 : nearer / rows;
}

/** Rows of numbers that are compared one by one. */
export interface Rows {
  /** float32 [count, length]. */
  readonly data: Float32Array;
  readonly length: number;
}

/** The other row of a matrix that is nearest to a row, which stands at a place of its own in it, and the square of the distance. */
export interface Nearest {
  readonly row: number;
  readonly squared: number;
}

/**
 * The nearest of some rows of a matrix to a row that belongs to one of them, which is left out.
 *
 *   argmin over j ≠ own of Σₖ (row[k] − rows[j, k])²
 *
 * @param among indices of the rows to look at
 */
export function nearestOther(
  row: Float32Array,
  { data, length }: Rows,
  own: number,
  among: Iterable<number>,
): Nearest {
  let nearest: Nearest = { row: own, squared: Number.POSITIVE_INFINITY };
  for (const j of among) {
    if (j === own) continue;
    let squared = 0;
    for (let k = 0; k < length && squared < nearest.squared; k++) {
      const difference = (row[k] ?? 0) - (data[j * length + k] ?? 0);
      squared += difference * difference;
    }
    if (squared < nearest.squared) nearest = { row: j, squared };
  }
  return nearest;
}
