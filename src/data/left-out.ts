import { countOf, formatCount } from '../counts.js';
import type { SkippedKind } from './skipped-files.js';

/** What lies in the data and was not learned from: with the images that were, it comes to all that was found. */
export interface LeftOut {
  /** What was found: files of a folder or an archive, or images of an array. */
  readonly found: number;
  readonly unit: 'file' | 'image';
  /** Of those found, how many could not be used. */
  readonly setAside: number;
  /** Of those found, how many show a picture that is there already. */
  readonly copies: number;
  /** Test images without a label, or of a class that cannot be learned. */
  readonly untested: number;
  /** All that was set aside, by its kind, the commonest first. */
  readonly kinds: readonly SkippedKind[];
  /** Rows of a table of labels that name no image. */
  readonly rows?: { readonly table: string; readonly count: number; readonly names: readonly string[] };
}

/**
 * The counts that lie between what was found and what is used, for a parenthesis behind the latter.
 * @example
 * leftOutText(leftOut); // '4 of 1,507 files set aside, 2 copies'
 */
export function leftOutText({ found, unit, setAside, copies, untested }: LeftOut): string {
  return [
    ...(setAside > 0 ? [`${formatCount(setAside)} of ${countOf(found, unit)} set aside`] : []),
    ...(copies > 0 ? [countOf(copies, 'copy', 'copies')] : []),
    ...(untested > 0 ? [`${countOf(untested, 'test image')} left out`] : []),
  ].join(', ');
}
