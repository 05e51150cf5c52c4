import type { LadderStep } from '../store/run-record.js';
import type { ComparisonRow } from './comparison.js';
import { absent, countOf, formatCount, formatDuration, formatLoss, formatPercent } from './format.js';
import { hanging, padEnd, padStart, shorten, textWidth } from './text-width.js';

/** On a narrower terminal a figure and its name do not fit on one line: tables become lists. */
const minTableColumns = 60;

/** Columns of the figures below a name in a list. */
const listIndent = 2;

/** Below this a label says nothing any more; such a terminal wraps the lines itself. */
const minLabelWidth = 12;

const gap = '  ';

/**
 * The comparison as an aligned plain-text table, one line a row, blank lines between subjects; the notebook has a column
 * where it has a figure.
 *
 * @param options.columns widest line allowed; longer labels are cut with `…`
 * @param options.dense no blank lines but below the head, for few rows a subject
 */
export function comparisonTable(
  rows: readonly ComparisonRow[],
  { columns = 80, dense = false }: { columns?: number; dense?: boolean } = {},
): string {
  const isBeside = hasNotebook(rows);
  if (columns < minTableColumns) {
    return list(
      rows.map((row) => {
        const beside = row.notebook === null ? '' : `, notebook ${theirsText(row)}`;
        return [row.label, oursText(row) + beside];
      }),
      columns,
    );
  }
  const cells = rows.map((row) => [row.label, oursText(row), ...(isBeside ? [theirsText(row)] : [])]);
  const lines = aligned([['', 'this run', ...(isBeside ? ['notebook'] : [])], ...cells], columns);
  const head = lines[0]!;
  const groups = rows.flatMap((row, i) => [
    ...(row.subject === rows[i - 1]?.subject || (dense && i > 0) ? [] : ['']),
    lines[i + 1]!,
  ]);
  return [head, ...groups].join('\n');
}

/** Whether the notebook has a figure to any of ours: else its column would hold nothing. */
export function hasNotebook(rows: readonly ComparisonRow[]): boolean {
  return rows.some(({ notebook }) => notebook !== null);
}

/**
 * The ladder as an aligned plain-text table: what each step brought, what all training up to it took.
 *
 * @param options.columns widest line allowed; longer names are cut with `…`
 */
export function ladderTable(
  ladder: readonly LadderStep[],
  { columns = 80 }: { columns?: number } = {},
): string {
  if (columns < minTableColumns) {
    const rows = ladder.map(({ step, test, durationMs, imagesTrained }): [string, string] => [
      step,
      `${formatPercent(test.accuracy)} of test images right, ${formatDuration(durationMs)}, ${countOf(imagesTrained, 'image')}`,
    ]);
    return ['what each step brought', list(rows, columns)].join('\n');
  }
  const cells = ladder.map(({ step, test, durationMs, imagesTrained }) => [
    step,
    formatPercent(test.accuracy),
    formatPercent(1 - test.accuracy),
    formatDuration(durationMs),
    formatCount(imagesTrained),
  ]);
  return aligned([['what each step brought', 'test', 'error', 'time', 'images'], ...cells], columns).join(
    '\n',
  );
}

/** Names with their figures below them. */
function list(rows: readonly (readonly [name: string, figures: string])[], columns: number): string {
  return rows
    .flatMap(([name, figures]) => [
      hanging('', name, { columns, indent: 0 }),
      hanging('', figures, { columns, indent: listIndent }),
    ])
    .join('\n');
}

/**
 * Rows of cells as lines of equal columns: the first to the left and cut where it must be, the others to the right. Where
 * that is not enough, the last columns go, but for the first figure: they matter least.
 */
export function aligned(rows: readonly (readonly string[])[], columns: number): string[] {
  const widths = rows[0]!.map((_, column) => widest(rows.map((row) => row[column]!)));
  const taken = () => widths.slice(1).reduce((sum, width) => sum + gap.length + width, 0);
  while (widths.length > 2 && Math.min(minLabelWidth, widths[0]!) + taken() > columns) widths.pop();
  const first = Math.min(Math.max(minLabelWidth, columns - taken()), widths[0]!);
  return rows.map(([label, ...cells]) =>
    [
      padEnd(shorten(label ?? '', first), first),
      ...widths.slice(1).map((width, i) => padStart(cells[i] ?? '', width)),
    ].join(gap),
  );
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
  return texts.reduce((width, text) => Math.max(width, textWidth(text)), 0);
}
