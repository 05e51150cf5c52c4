import type { ComparisonRow } from './comparison.js';
import { absent, formatLoss, formatPercent } from './format.js';

/** Below this a label says nothing any more; such a terminal wraps the lines itself. */
const leastLabelWidth = 12;

/**
 * The comparison as an aligned plain-text table, one line a row, blank lines between subjects.
 *
 * @param options.columns widest line allowed; longer labels are cut with `…`
 */
export function comparisonTable(
  rows: readonly ComparisonRow[],
  { columns = 80 }: { columns?: number } = {},
): string {
  const cells = rows.map((row) => ({ label: row.label, ours: oursText(row), theirs: theirsText(row) }));
  const head = { label: '', ours: 'this run', theirs: 'notebook' };
  const oursWidth = widest([head, ...cells].map((cell) => cell.ours));
  const theirsWidth = widest([head, ...cells].map((cell) => cell.theirs));
  const room = Math.max(leastLabelWidth, columns - oursWidth - theirsWidth - 4);
  const labelWidth = Math.min(room, widest(cells.map((cell) => cell.label)));
  const line = (cell: typeof head) =>
    `${cut(cell.label, labelWidth).padEnd(labelWidth)}  ${cell.ours.padStart(oursWidth)}  ${cell.theirs.padStart(theirsWidth)}`;

  const lines = [line(head)];
  cells.forEach((cell, i) => {
    if (rows[i]!.subject !== rows[i - 1]?.subject) lines.push('');
    lines.push(line(cell));
  });
  return lines.join('\n');
}

/** Our figure as text: `93.42 %`, `93.42 ± 0.58 %`, `0.2214`, or `—`. */
export function oursText({ ours, deviation, unit }: ComparisonRow): string {
  if (ours === null) return absent;
  if (deviation === undefined) return figureText(ours, unit);
  return unit === 'accuracy'
    ? `${(ours * 100).toFixed(2)} ± ${formatPercent(deviation)}`
    : `${formatLoss(ours)} ± ${formatLoss(deviation)}`;
}

/** The notebook's figure as text. */
export function theirsText({ notebook, unit }: ComparisonRow): string {
  return notebook === null ? absent : figureText(notebook, unit);
}

function figureText(value: number, unit: ComparisonRow['unit']): string {
  return unit === 'accuracy' ? formatPercent(value) : formatLoss(value);
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
