import { absent, formatCount, formatPercent } from './format.js';
import { spreadOf } from './statistics.js';
import { aligned } from './terminal-table.js';

/** One variant of a recipe as it was measured. */
export interface AblationRow {
  readonly variant: string;
  /** For people. */
  readonly title: string;
  /** Test accuracy of each label draw, 0–1. */
  readonly accuracies: readonly number[];
  /** Mean of {@link accuracies}. */
  readonly mean: number;
  /** Their sample standard deviation; null for a single draw. */
  readonly deviation: number | null;
  /** Seconds of training steps for one draw, all stages that it builds on included. */
  readonly trainSeconds: number;
  /** Images, counted each time that a training step saw them, for one draw. */
  readonly imagesTrained: number;
}

/** A row from what was measured. */
export function ablationRow(
  { name, title }: { readonly name: string; readonly title: string },
  accuracies: readonly number[],
  cost: { readonly durationMs: number; readonly imagesTrained: number },
): AblationRow {
  const { mean, deviation } = spreadOf(accuracies);
  return {
    variant: name,
    title,
    accuracies,
    mean,
    deviation: accuracies.length > 1 ? deviation : null,
    trainSeconds: Math.round(cost.durationMs / 100) / 10,
    imagesTrained: Math.round(cost.imagesTrained),
  };
}

const heads = ['', 'test accuracy', 'draws', 'training', 'images'] as const;

const drawsColumn = heads.indexOf('draws');

function cellsOf(row: AblationRow): string[] {
  const { title, mean, deviation, accuracies, trainSeconds, imagesTrained } = row;
  const accuracy =
    deviation === null || !Number.isFinite(mean)
      ? formatPercent(mean)
      : `${(mean * 100).toFixed(2)} ± ${formatPercent(deviation)}`;
  const draws = accuracies.length === 0 ? absent : `${accuracies.length}`;
  return [title, accuracy, draws, `${trainSeconds.toFixed(1)} s`, formatCount(imagesTrained)];
}

/**
 * The table as aligned plain text, one line a variant.
 * @param options.columns widest line allowed; longer titles are cut with `…`
 */
export function ablationTable(
  rows: readonly AblationRow[],
  { columns = 80 }: { readonly columns?: number } = {},
): string {
  // A mean without ± is that of one draw: titles need the room of that column.
  const lines = [[...heads], ...rows.map(cellsOf)].map((cells) => cells.filter((_, i) => i !== drawsColumn));
  return aligned(lines, columns).join('\n');
}

/** The table in Markdown. */
export function ablationMarkdown(rows: readonly AblationRow[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(heads).replace('|  |', '| |'),
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map((row) => line(cellsOf(row).map((cell) => cell.replaceAll('|', '\\|')))),
  ].join('\n');
}
