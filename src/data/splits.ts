import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';
import { copiesOf, turnCount } from './rotation.js';

/** Two disjoint lists of indices that together cover everything. */
export interface Split {
  readonly train: Uint32Array;
  readonly val: Uint32Array;
}

/**
 * Split rotated copies as the notebook does: stratified by turn, shuffled, whatever image they show.
 *
 * **This leaks.** One turn of an image may train while another turn of the same image validates, so
 * that validation accuracy is partly memory. It is kept for the faithful preset alone; elsewhere
 * {@link splitByImage} is right.
 *
 * @param valFraction share of the copies that validate, 0 <= valFraction < 1; where their number does
 *   not divide by four, the first turns get one more
 * @returns copies `4 * image + turns` (see rotation.ts), in random order
 */
export function splitByCopy(imageCount: number, valFraction: number, random: Random): Split {
  const valCount = countVal(imageCount * turnCount, valFraction);
  const train: number[] = [];
  const val: number[] = [];
  for (let turns = 0; turns < turnCount; turns++) {
    const valOfTurn = Math.floor((valCount + turnCount - 1 - turns) / turnCount);
    const copies = random.permutation(imageCount).map((image) => image * turnCount + turns);
    for (const [i, copy] of copies.entries()) (i < valOfTurn ? val : train).push(copy);
  }
  return { train: random.shuffle(Uint32Array.from(train)), val: random.shuffle(Uint32Array.from(val)) };
}

/**
 * Split rotated copies so that all four turns of an image lie on one side: nothing leaks, and both
 * sides hold each turn equally often.
 *
 * @param valFraction share of the images that validate, 0 <= valFraction < 1
 * @returns copies `4 * image + turns`, in random order
 */
export function splitByImage(imageCount: number, valFraction: number, random: Random): Split {
  const { train, val } = splitImages(imageCount, valFraction, random);
  return { train: random.shuffle(copiesOf(train)), val: random.shuffle(copiesOf(val)) };
}

/**
 * Split images themselves.
 *
 * @param valFraction share of the images that validate, 0 <= valFraction < 1, rounded to whole images
 * @returns image indices, in random order
 * @throws QuarterturnError `usage` for another fraction
 */
export function splitImages(imageCount: number, valFraction: number, random: Random): Split {
  const valCount = countVal(imageCount, valFraction);
  const order = random.permutation(imageCount);
  return { train: order.slice(valCount), val: order.slice(0, valCount) };
}

function countVal(count: number, valFraction: number): number {
  if (!(valFraction >= 0 && valFraction < 1)) {
    throw new QuarterturnError(
      'usage',
      `validation fraction: expected a number from 0 to below 1. Received: ${valFraction}.`,
      { hint: 'Use 0.2 to validate on a fifth of the data.' },
    );
  }
  return Math.round(count * valFraction);
}
