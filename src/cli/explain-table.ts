import type { Machine, Work } from '../lower/cost.js';
import type { GraphExplanation, NodeExplanation, OperatorCount } from '../lower/explain.js';
import type { StageGraphName } from '../recipes/plan/stage-graph-names.js';
import { countOf, formatCount, formatPercent, formatRate } from '../report/format.js';
import { shorten } from '../report/text-width.js';

/** What is explained, and on what. */
export interface Subject {
  readonly step: StageGraphName;
  readonly preset: string;
  readonly width: number;
  readonly batchSize: number;
  readonly device: string;
  readonly threads: number;
  /** Kernel library and version. */
  readonly runtime: string;
  /** What predictions are made with. */
  readonly machine: Machine;
}

export interface Explained extends GraphExplanation {
  readonly subject: Subject;
  /** A whole run without the profiler and with it; undefined if nothing was measured. */
  readonly profile: { readonly runMs: number; readonly profiledRunMs: number } | undefined;
}

/** Which nodes are listed, and how. */
export interface Listing {
  /** How many; default: as many as make up {@link usualShare} of the time. */
  readonly top?: number;
  /** All that have operators. */
  readonly all?: boolean;
  readonly order?: 'time' | 'graph';
}

/** Share of the time that a list is expected to explain. */
const usualShare = 0.95;

/** Kinds of work that are added up. */
const families = ['convolutions and products', 'elementwise and sums', 'pooling', 'rest'] as const;
type Family = (typeof families)[number];

function familyOf(op: string): Family {
  if (/^conv|^matMul$/.test(op)) return 'convolutions and products';
  if (/Pool/.test(op)) return 'pooling';
  return /^(add|sub|mul|div|neg|exp|log|sqrt|sigmoid|tanh|erf|relu|reduce|batchNorm|broadcast)/.test(op)
    ? 'elementwise and sums'
    : 'rest';
}

/** The time that counts: measured where it was. */
const timeOf = ({ measuredMs, predictedMs }: NodeExplanation): number => measuredMs ?? predictedMs;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const titles: Readonly<Record<StageGraphName, string>> = {
  train: 'Training step',
  finetune: 'Fine-tuning step',
  selfTrain: 'Self-training step',
  classify: 'Classifier',
};

/** Title and machine, two lines. */
export function formatSubject(subject: Subject): string {
  const { step, preset, width, batchSize, device, threads, runtime, machine } = subject;
  return [
    `${titles[step]}, preset ${preset}, width ${width}, batch ${batchSize}`,
    `On ${device} with ${countOf(threads, 'thread')} of ${runtime}`,
    `Predicted with ${withPrefix(machine.flopsPerSecond, 'FLOP/s')}, ${withPrefix(machine.bytesPerSecond, 'B/s')}, ${significant(machine.callMs * 1000)} µs a call`,
    '\n',
  ].join('\n');
}

/**
 * Nodes, families of nodes, and the whole, as text.
 * @param columns widest line allowed; less than 80 is taken for 80
 */
export function formatExplanation(explained: Explained, listing: Listing, columns = 80): string {
  const { nodes, profile } = explained;
  const listed = listedNodes(nodes, listing);
  const left = nodes.filter((node) => node.operators.length > 0 && !listed.includes(node));
  const share = sum(left.map(timeOf)) / sum(nodes.map(timeOf));
  const count = countOf(left.length, 'more node');
  const more = left.length > 0 ? [`… and ${count}, ${formatPercent(share, 1)} of the time (--all)`] : [];
  return [
    ...nodeTable(listed, explained.subject.machine, profile !== undefined, Math.max(columns, 80)),
    ...more,
    '',
    ...familyTable(explained),
    '',
  ].join('\n');
}

function listedNodes(
  nodes: readonly NodeExplanation[],
  { top, all = false, order = 'time' }: Listing,
): readonly NodeExplanation[] {
  const slowest = nodes.filter((node) => node.operators.length > 0).sort((a, b) => timeOf(b) - timeOf(a));
  const chosen = all ? slowest : slowest.slice(0, top ?? countOfShare(slowest.map(timeOf), usualShare));
  return order === 'time' ? chosen : nodes.filter((node) => chosen.includes(node));
}

/** How many of the falling `times` make up a share of their sum. */
function countOfShare(times: readonly number[], share: number): number {
  const wanted = share * sum(times);
  let reached = 0;
  const last = times.findIndex((time) => {
    reached += time;
    return reached >= wanted;
  });
  return last + 1;
}

/** A column of the table; those with the highest `rank` give way first where the terminal is narrow. */
interface Column {
  readonly head: string;
  readonly cell: (node: NodeExplanation) => string;
  readonly right?: boolean;
  readonly rank: number;
}

/** Room that the last column, the operators, should have, and that it needs to say anything. */
const usualOperatorsWidth = 16;
const minOperatorsWidth = 8;

function nodeTable(
  nodes: readonly NodeExplanation[],
  machine: Machine,
  measured: boolean,
  width: number,
): string[] {
  const all: Column[] = [
    { head: 'layer', cell: ({ node }) => node.scope || '·', rank: 0 },
    { head: 'op', cell: ({ node }) => node.op.name, rank: 0 },
    { head: 'shape', cell: ({ node }) => `[${node.outputs[0]!.shape.join(',')}]`, rank: 1 },
    { head: 'work', cell: ({ work }) => formatWork(work), rank: 2 },
    { head: 'predicted', cell: ({ predictedMs }) => `${significant(predictedMs)} ms`, right: true, rank: 0 },
    { head: 'measured', cell: (node) => formatMeasured(node), right: true, rank: 0 },
    { head: 'speed', cell: (node) => formatSpeed(node, machine), right: true, rank: 0 },
  ];
  let columns = measured ? all : all.slice(0, -2);
  const widthOf = ({ head, cell }: Column) =>
    Math.max(head.length, ...nodes.map((node) => cell(node).length));
  const taken = () => sum(columns.map((column) => widthOf(column) + 2));
  for (const rank of [2, 1]) {
    if (width - taken() < usualOperatorsWidth) columns = columns.filter((column) => column.rank < rank);
  }
  const room = Math.max(width - taken(), minOperatorsWidth);
  const widths = columns.map(widthOf);
  const line = (cells: readonly string[], last: string) =>
    `${cells
      .map((text, i) => (columns[i]!.right ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')}  ${shorten(last, room)}`.trimEnd();
  return [
    line(
      columns.map(({ head }) => head),
      'operators',
    ),
    ...nodes.map((node) =>
      line(
        columns.map(({ cell }) => cell(node)),
        formatOperators(node.operators),
      ),
    ),
  ];
}

function familyTable({ nodes, inserted, profile, subject }: Explained): string[] {
  const rows = families.map((family) => {
    const members = nodes.filter(({ node }) => familyOf(node.op.name) === family);
    return {
      name: family as string,
      predictedMs: sum(members.map((node) => node.predictedMs)),
      measuredMs: sum(members.map((node) => node.measuredMs ?? 0)),
    };
  });
  if (inserted.length > 0) {
    const measuredMs = sum(inserted.map((kernel) => kernel.durationMs));
    rows.push({ name: 'inserted by ONNX Runtime', predictedMs: 0, measuredMs });
  }
  const total = {
    name: 'all nodes',
    predictedMs: sum(rows.map((row) => row.predictedMs)),
    measuredMs: sum(rows.map((row) => row.measuredMs)),
  };
  const shown = profile ? (['predictedMs', 'measuredMs'] as const) : (['predictedMs'] as const);
  const counting = shown.at(-1)!;
  const line = (name: string, ...cells: readonly string[]) =>
    [name.padEnd(26), ...cells.map((cell) => cell.padStart(12))].join('').trimEnd();
  const time = (ms: number) => `${significant(ms)} ms`;
  const run = (name: string, ms: number) =>
    `${line(name, '', time(ms))}  ${formatRate((1000 * subject.batchSize) / ms)}`;
  return [
    line('', ...shown.map((key) => key.slice(0, -2)), 'share'),
    ...[...rows, total].map((row) =>
      line(
        row.name,
        ...shown.map((key) => time(row[key])),
        formatPercent(row[counting] / total[counting], 1),
      ),
    ),
    ...(profile
      ? [run('a whole run, profiled', profile.profiledRunMs), run('a whole run', profile.runMs)]
      : []),
  ];
}

/** `25 Slice, 25 Gemm, Concat`. */
function formatOperators(operators: readonly OperatorCount[]): string {
  return operators.map(({ what, count }) => (count === 1 ? what : `${count} ${what}`)).join(', ');
}

/** `23.1 GFLOP, 29.0 MB`; what only moves numbers has no arithmetic to show. */
function formatWork({ flops, bytes }: Work): string {
  const traffic = withPrefix(bytes, 'B');
  return flops === 0 ? traffic : `${withPrefix(flops, 'FLOP')}, ${traffic}`;
}

/** Nothing ran under its name: the runtime fused it into another node's kernel, or computed it beforehand. */
function formatMeasured({ measuredMs = 0 }: NodeExplanation): string {
  return measuredMs === 0 ? 'fused' : `${significant(measuredMs)} ms`;
}

/** How fast it was on what it was expected to wait for: arithmetic or memory. */
function formatSpeed({ work, measuredMs = 0 }: NodeExplanation, machine: Machine): string {
  if (measuredMs === 0) return '';
  const boundByArithmetic = work.flops / machine.flopsPerSecond >= work.bytes / machine.bytesPerSecond;
  return boundByArithmetic
    ? withPrefix((1000 * work.flops) / measuredMs, 'FLOP/s')
    : withPrefix((1000 * work.bytes) / measuredMs, 'B/s');
}

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** Three significant digits and a decimal prefix: `23.1 GFLOP`, `840 MB`. */
function withPrefix(value: number, unit: string): string {
  // 999.5 and not 1000: `1000 MB` would be a fourth digit.
  const step = prefixes.findIndex((_, i) => value < 999.5 * 1000 ** i);
  const power = step < 0 ? prefixes.length - 1 : step;
  return `${significant(value / 1000 ** power)} ${prefixes[power]}${unit}`;
}

/** Three significant digits, but no more than three decimals: `1,234`, `95.2`, `0.012`. */
function significant(value: number): string {
  if (value >= 99.95) return formatCount(value);
  return value.toFixed(value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3);
}

/** Everything, for programs: milliseconds, FLOP, bytes. */
export function explanationJson({ subject, nodes, inserted, profile }: Explained): object {
  return {
    ...subject,
    runMs: profile?.runMs ?? null,
    profiledRunMs: profile?.profiledRunMs ?? null,
    nodes: nodes.map(({ node, operators, work, predictedMs, measuredMs }) => ({
      layer: node.scope,
      op: node.op.name,
      family: familyOf(node.op.name),
      outputs: node.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
      operators,
      ...work,
      predictedMs,
      measuredMs: measuredMs ?? null,
    })),
    inserted,
  };
}
