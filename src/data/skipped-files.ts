import { formatCount } from '../counts.js';
import { csvLine } from './csv-line.js';
import { firstNames, shownNames } from './name-list.js';
import type { SkippedFile } from './readers/found-images.js';

/** Counts what was set aside by its kind; of the files themselves it holds the first names alone. */
export class SkippedKinds {
  readonly #kinds = new Map<string, { count: number; readonly names: string[]; readonly hint?: string }>();

  add({ name, reason, hint }: SkippedFile): void {
    const kind = this.#kinds.get(reason) ?? { count: 0, names: [], ...(hint !== undefined && { hint }) };
    kind.count++;
    if (kind.names.length < shownNames) kind.names.push(name);
    this.#kinds.set(reason, kind);
  }

  /** One line a kind, the commonest kind first. */
  lines(): string[] {
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b.count - a.count);
    return kinds.map(([reason, { count, names, hint }]) => {
      const advice = hint === undefined ? '' : ` ${hint}`;
      return `${reason}: ${formatCount(count)} (${firstNames(names, count)}).${advice}`;
    });
  }
}

/**
 * What was set aside, one line a kind, the commonest kind first.
 *
 * @example
 * describeSkipped(skipped); // ['JPEG file that is cut off: 2 (a/1.jpg, b/7.jpg). Copy or download the file again.']
 */
export function describeSkipped(skipped: readonly SkippedFile[]): string[] {
  const kinds = new SkippedKinds();
  for (const file of skipped) kinds.add(file);
  return kinds.lines();
}

/** All that was set aside as CSV (RFC 4180) with the columns `file,reason,hint`. */
export function skippedCsv(skipped: readonly SkippedFile[]): string {
  return skippedCsvHeader + skippedCsvRows(skipped);
}

export const skippedCsvHeader = csvLine(['file', 'reason', 'hint']);

/** Lines behind the header, for whoever writes some at a time. */
export function skippedCsvRows(skipped: readonly SkippedFile[]): string {
  return skipped.map(({ name, reason, hint = '' }) => csvLine([name, reason, hint])).join('');
}
