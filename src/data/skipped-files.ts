import { formatCount } from '../counts.js';
import { csvLine } from './csv-line.js';
import { firstNames, shownNames } from './name-list.js';
import type { SkippedFile } from './readers/found-images.js';

/** Files that were set aside for one reason. */
export interface SkippedKind {
  readonly reason: string;
  readonly count: number;
  /** The first of them. */
  readonly names: readonly string[];
  /** What to do about it, where something can be done. */
  readonly hint?: string;
}

/** Counts what was set aside by its kind; of the files themselves it holds the first names alone. */
export class SkippedKinds {
  readonly #kinds = new Map<string, { count: number; readonly names: string[]; readonly hint?: string }>();

  add({ name, reason, hint }: SkippedFile): void {
    const kind = this.#kinds.get(reason) ?? { count: 0, names: [], ...(hint !== undefined && { hint }) };
    kind.count++;
    if (kind.names.length < shownNames) kind.names.push(name);
    this.#kinds.set(reason, kind);
  }

  /** The commonest kind first. */
  kinds(): SkippedKind[] {
    return [...this.#kinds].map(([reason, kind]) => ({ reason, ...kind })).sort((a, b) => b.count - a.count);
  }

  /** One line a kind, the commonest kind first. */
  lines(): string[] {
    return this.kinds().map(({ reason, count, names, hint }) => {
      const advice = hint === undefined ? '' : ` ${hint}`;
      return `${reason}: ${formatCount(count)} (${firstNames(names, count)}).${advice}`;
    });
  }
}

/** What was set aside by its kind, the commonest kind first. */
export function kindsOf(skipped: readonly SkippedFile[]): SkippedKinds {
  const kinds = new SkippedKinds();
  for (const file of skipped) kinds.add(file);
  return kinds;
}

/**
 * What was set aside, one line a kind, the commonest kind first.
 *
 * @example
 * describeSkipped(skipped); // ['JPEG file that is cut off: 2 (a/1.jpg, b/7.jpg). Copy or download the file again.']
 */
export function describeSkipped(skipped: readonly SkippedFile[]): string[] {
  return kindsOf(skipped).lines();
}

/** What the list of what was set aside is called in the folder of a run. */
export const skippedName = 'skipped.csv';

/** All that was set aside as CSV (RFC 4180) with the columns `file,reason,hint`. */
export function skippedCsv(skipped: readonly SkippedFile[]): string {
  return skippedCsvHeader + skippedCsvRows(skipped);
}

export const skippedCsvHeader = csvLine(['file', 'reason', 'hint']);

/** Lines behind the header, for whoever writes some at a time. */
export function skippedCsvRows(skipped: readonly SkippedFile[]): string {
  return skipped.map(({ name, reason, hint = '' }) => csvLine([name, reason, hint])).join('');
}
