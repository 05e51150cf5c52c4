import { absent, formatBytes, formatPercent } from '../src/report/format.js';
import { bestPeerOf, type ContenderResult, oursOf, type RowResult, type Speed } from './results.js';

/** A table as cells: a row of headings, then the lines. The first column is text, the others are figures. */
export type Table = readonly (readonly string[])[];

/** One line a row of the benchmark: who is how fast. */
export function overview(rows: readonly RowResult[]): Table {
  return [
    ['row', 'ours', 'best peer', 'ours / best peer', 'share of peak'],
    ...rows.map((row) => {
      const ours = oursOf(row);
      const best = bestPeerOf(row);
      return [
        row.name,
        ours ? figure(row, ours) : absent,
        best ? `${figure(row, best.speed)} (${best.name})` : absent,
        ours && best ? ratio(ours, best.speed) : absent,
        ours?.shareOfPeak === undefined ? absent : formatPercent(ours.shareOfPeak, 0),
      ];
    }),
  ];
}

/** One line a contender. */
export function rowTable(row: RowResult): Table {
  return [
    ['', row.unit, 'step (fastest – slowest)', 'ours is', 'share of peak', 'peak memory', ''],
    ...row.contenders.map((contender) => [contender.name, ...contenderCells(row, contender)]),
  ];
}

/** How far losses are from float64's, as a sentence; undefined for a row without a gate. */
export function driftSentence({ drift }: RowResult): string | undefined {
  if (!drift) return undefined;
  const { steps, largest, unjudged } = drift;
  const distances = Object.entries(largest).map(([name, distance]) => `${name} ${distance.toExponential(1)}`);
  return [
    ...(distances.length > 0
      ? [`Largest distance of ${steps} losses from float64’s: ${distances.join(', ')}.`]
      : []),
    ...(unjudged === undefined ? [] : [`No losses were judged: ${unjudged}.`]),
  ].join(' ');
}

function contenderCells(row: RowResult, contender: ContenderResult): string[] {
  const { speed, fault, note, role } = contender;
  const ours = oursOf(row);
  const isBest = contender === bestPeerOf(row);
  const remark = [isBest && 'best peer', fault?.text ?? note].filter(Boolean).join(', ');
  if (!speed) return [absent, absent, absent, absent, absent, remark];
  return [
    figure(row, speed),
    `${milliseconds(speed.medianMs)} (${milliseconds(speed.fastestMs)} – ${milliseconds(speed.slowestMs)})`,
    // Against other peers than the best one nothing is claimed.
    ours && (isBest || role === 'yardstick') ? `× ${ratio(ours, speed)}` : '',
    speed.shareOfPeak === undefined ? absent : formatPercent(speed.shareOfPeak, 0),
    formatBytes(speed.peakMemoryBytes),
    remark,
  ];
}

function figure({ unit }: RowResult, { imagesPerSecond, medianMs }: Speed): string {
  return unit === 's' ? `${(medianMs / 1000).toFixed(2)} s` : threeDigits(imagesPerSecond);
}

const ratio = (ours: Speed, other: Speed) => (ours.imagesPerSecond / other.imagesPerSecond).toFixed(2);

const milliseconds = (ms: number) => `${threeDigits(ms)} ms`;

/** At least three significant digits, no exponent: `0.312`, `3.12`, `1234`. */
function threeDigits(value: number): string {
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(Math.abs(value) || 1)), 0), 6);
  return value.toFixed(decimals);
}

/** Aligned columns for a terminal. */
export function asText(table: Table): string {
  const head = table[0]!;
  const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const aligned = (cell: string, column: number) =>
    isText(head, column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return table.map((line) => line.map(aligned).join('  ').trimEnd()).join('\n');
}

/** A table of GitHub's Markdown. */
export function asMarkdown(table: Table): string {
  const [head, ...lines] = table;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head!.map((_, column) => (isText(head!, column) ? '---' : '---:'));
  return [head!, rule, ...lines].map(line).join('\n');
}

/** The first column says who, one without a heading remarks on it. */
function isText(head: readonly string[], column: number): boolean {
  return column === 0 || head[column] === '';
}
