/** What `npm run draws` does with its runs: which there are, their journal, the time that is left, the table. Pure functions. */
import { z } from 'zod';
import { formatPercent } from '../dist/report/format.js';
import { spreadOf } from '../dist/report/statistics.js';
import { estimateSchema, stageNameSchema } from '../dist/store/run-record.js';

/** Ways to give labels: as many to each class, or to images drawn from all. */
export const ways = ['evenly', 'proportionally'];

const share = z.number().min(0).max(1);
const count = z.int().min(0);

/** A line of the journal: one run. */
const rowSchema = z
  .object({
    key: z.string(),
    labels: z.int().min(1),
    /** Images of the largest class for one of the smallest. */
    balance: z.number().min(1),
    given: z.enum(ways),
    draw: count,
    /** Of these, the stage whose classifier was kept. */
    kept: stageNameSchema,
    /** Figures of each stage on the rest of the pile. */
    stages: z.record(stageNameSchema, z.object({ accuracy: share, macroF1: share.nullable().optional() })),
    estimate: estimateSchema.nullable(),
    /** Stage, held-back labels that it found, and of how many. */
    evidence: z.array(z.tuple([stageNameSchema, z.number().min(0), z.int().min(1)])),
    pile: count,
    shares: z.array(share).nullable(),
    seconds: z.number().min(0),
  })
  .refine(({ kept, stages }) => kept in stages, 'expected figures of the stage that was kept');

/**
 * Each number of labels, balance of the classes and way to give labels, once. Of even classes, labels given evenly are in proportion
 * as well, and are given in one way: evenly, unless only the other was asked for.
 */
export function cellsOf({ labels, balance, given }) {
  const waysAt = (each) => (each > 1 ? unique(given) : given.includes('evenly') ? ['evenly'] : [given[0]]);
  return unique(balance).flatMap((each) =>
    waysAt(each).flatMap((way) => unique(labels).map((n) => ({ labels: n, balance: each, given: way }))),
  );
}

const unique = (items) => [...new Set(items)];

/** What a run is called: its folder, and its line in the journal. */
export const keyOf = (data, { labels, balance, given }, draw) =>
  [data, labels, balance, given, draw].join('-');

/**
 * Runs that are finished, by their keys; of two lines of one run the later counts. A line that is none, as a kill cuts one off, is
 * passed over with a note, and its run is made again.
 * @returns `isCut` where the last line has no end, so that the next one must not be joined to it
 */
export function readJournal(name, text) {
  const rows = new Map();
  const notes = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const parsed = rowSchema.safeParse(parsedOrNot(line));
    if (parsed.success) rows.set(parsed.data.key, parsed.data);
    else
      notes.push(
        `${name}, line ${i + 1}: expected a run. Received: ${excerpt(line)}. It is passed over, and its run is made again.`,
      );
  }
  return { rows, notes, isCut: text !== '' && !text.endsWith('\n') };
}

function parsedOrNot(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const excerpt = (line) => (line.length > 60 ? `${line.slice(0, 60)} … (${line.length} characters)` : line);

/**
 * Time until all runs are through, in ms: each as long as runs of its cell took, else as all runs did, else as the present one takes.
 * @param cells of the runs that are left, the present one first
 * @param rows runs that are finished
 * @param present what the present run has taken, in ms, and what is left of it, where that is known
 * @returns undefined where nobody knows
 */
export function remainingMs(cells, rows, { elapsedMs = 0, leftMs } = {}) {
  const all = [...rows];
  const meanMs = (some) =>
    some.length === 0 ? undefined : 1000 * spreadOf(some.map((row) => row.seconds)).mean;
  const presentMs = leftMs === undefined ? undefined : elapsedMs + leftMs;
  const times = cells.map((cell) => meanMs(all.filter((row) => isIn(row, cell))) ?? meanMs(all) ?? presentMs);
  if (times.includes(undefined)) return undefined;
  const [first = 0, ...later] = times;
  return later.reduce((sum, ms) => sum + ms, leftMs ?? Math.max(0, first - elapsedMs));
}

const isIn = (row, cell) => Object.entries(cell).every(([name, value]) => row[name] === value);

/** Points, as a share, within which a classifier is as good as the best: half of what a hundred labels can tell. */
const asGood = 0.005;

/** The stage of a run with the highest accuracy, and that of the classifier that was kept. */
export function keptAndBest({ kept, stages }) {
  const [best] = Object.entries(stages).sort(([, a], [, b]) => b.accuracy - a.accuracy);
  return {
    kept: { stage: kept, ...stages[kept] },
    best: { stage: best[0], ...best[1] },
    behind: best[1].accuracy - stages[kept].accuracy,
  };
}

/**
 * A Markdown table with a line for each cell that has runs, and one for all. Figures are means ± sample standard deviations, in
 * per cent, on the rest of the pile; the best stage is that of each run, the mixture among them.
 */
export function drawsTable(cells, rows) {
  const all = [...rows];
  const lines = cells.flatMap((cell) => {
    const own = all.filter((row) => isIn(row, cell));
    if (own.length === 0) return [];
    return [lineOf([cell.labels, `${cell.balance}:1`, cell.given], own)];
  });
  const shown = all.filter((row) => cells.some((cell) => isIn(row, cell)));
  return [
    cellsText([
      ...['labels', 'balance', 'given', 'draws', 'kept', 'best stage', 'kept ≥ best − 0.5 points'],
      ...['kept − best, lowest', 'macro-F1 of kept', 'kept within its interval'],
    ]),
    '| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
    ...(lines.length > 1 ? [lineOf(['all', '', ''], shown)] : []),
  ].join('\n');
}

function lineOf(names, own) {
  const runs = own.map((row) => ({ ...row, ...keptAndBest(row) }));
  const f1 = runs.flatMap(({ kept }) => kept.macroF1 ?? []);
  const judged = runs.filter(({ estimate }) => estimate !== null);
  const held = judged.filter(
    ({ estimate, kept }) => estimate.low <= kept.accuracy && kept.accuracy <= estimate.high,
  );
  const lowest = Math.max(...runs.map(({ behind }) => behind));
  return cellsText([
    ...names,
    runs.length,
    percents(runs.map(({ kept }) => kept.accuracy)),
    percents(runs.map(({ best }) => best.accuracy)),
    // Accuracies of whole images: what differs by less than the last digit is the same.
    formatPercent(runs.filter(({ behind }) => behind <= asGood + 1e-9).length / runs.length, 0),
    lowest > 0 ? `−${(100 * lowest).toFixed(1)}` : '0.0',
    percents(f1),
    `${held.length} of ${judged.length}`,
  ]);
}

const cellsText = (cells) => `| ${cells.join(' | ')} |`;

function percents(values) {
  const { mean, deviation } = spreadOf(values);
  return Number.isNaN(mean) ? '—' : `${(100 * mean).toFixed(1)} ± ${(100 * deviation).toFixed(1)}`;
}
