import { firstNames } from './name-list.js';
import type { SkippedFile } from './readers/found-images.js';

/**
 * What was set aside, one line a kind, the commonest kind first.
 *
 * @example
 * describeSkipped(skipped); // ['JPEG file that is cut off: 2 (a/1.jpg, b/7.jpg). Copy or download the file again.']
 */
export function describeSkipped(skipped: readonly SkippedFile[]): string[] {
  const kinds = new Map<string, SkippedFile[]>();
  for (const file of skipped) {
    const kind = kinds.get(file.reason);
    if (kind === undefined) kinds.set(file.reason, [file]);
    else kind.push(file);
  }
  const lines = [...kinds.values()].sort((a, b) => b.length - a.length);
  return lines.map((files) => {
    const [{ reason, hint } = { reason: '' }] = files;
    const advice = hint === undefined ? '' : ` ${hint}`;
    return `${reason}: ${files.length} (${firstNames(files.map(({ name }) => name))}).${advice}`;
  });
}

/** All that was set aside as CSV (RFC 4180) with the columns `file,reason,hint`. */
export function skippedCsv(skipped: readonly SkippedFile[]): string {
  const rows = skipped.map(({ name, reason, hint = '' }) => [name, reason, hint]);
  return [['file', 'reason', 'hint'], ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
