/** The benchmark: reads the command line, measures row by row, prints. Progress goes to stderr, figures to stdout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuarterturnError } from '../src/errors.js';
import { Fixtures } from './fixtures.js';
import { describeMachine, findPyTorches, findSearchers, loadAverage } from './machine.js';
import {
  type Bench,
  hopeless,
  jobsOf,
  measurePeak,
  measureRow,
  peakSize,
  threadCountsOf,
} from './measure.js';
import { neighboursName } from './neighbours-row.js';
import { type BenchOptions, helpText, parseOptions } from './options.js';
import { Progress } from './progress.js';
import { asMarkdown, asText, driftSentence, overview, rowTable, type Table } from './render.js';
import { isFaulty, type RowResult, rowJson } from './results.js';
import { allRows, type Row } from './rows.js';

/** All that was found out, and on what. */
interface Results {
  readonly rows: readonly RowResult[];
  /** Lines on the machine, the versions and the circumstances. */
  readonly facts: readonly string[];
}

async function measure(
  rows: readonly Row[],
  options: BenchOptions,
  notes: readonly string[],
): Promise<Results> {
  const scratch = mkdtempSync(join(tmpdir(), 'quarterturn-bench-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  // Without a listener a signal would leave this process's files and the running contender behind.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const bench: Bench = {
    ...options,
    fixtures: new Fixtures(scratch),
    progress: new Progress(jobsOf(rows, options.rounds)),
    versions: new Set(),
  };
  for (const note of notes) bench.progress.note(note);
  const peaks = new Map<number, number>();
  for (const threads of threadCountsOf(rows)) peaks.set(threads, await measurePeak(bench, threads));
  const results: RowResult[] = [];
  for (const row of rows) results.push(await measureRow(bench, row, peaks.get(row.threads)!));
  const facts = [
    `Machine: ${describeMachine()}.`,
    ...[...peaks].map(
      ([threads, flops]) =>
        `Practical peak, threads: ${threads}: ${(flops / 1e9).toFixed(0)} GFLOP/s ` +
        `(${peakSize}³ float32 matrix product on ONNX Runtime, the best of several).`,
    ),
    `Versions: Node ${process.version}, ${[...bench.versions].filter((v) => !v.startsWith('Node')).join(', ')}.`,
    `Method: ${options.rounds} rounds, contenders in turn, ${options.steps} timed steps each after ` +
      `${options.warmup} others (slow contenders fewer), at most ${options.limitSeconds} s a turn; a peer that is ` +
      `${hopeless} times slower than the fastest after a turn has no other. Medians of all rounds; memory is the largest ` +
      'resident set.',
    ...notes,
  ];
  return { rows: results, facts };
}

function rendered(
  { rows, facts }: Results,
  show: (table: Table) => string,
  heading: (row: RowResult) => string,
) {
  return [
    facts.map((fact) => `- ${fact}`).join('\n'),
    show(overview(rows)),
    ...rows.flatMap((row) => {
      const drift = driftSentence(row);
      return [heading(row), ...(drift === undefined ? [] : [drift]), show(rowTable(row))];
    }),
  ];
}

function textOf(results: Results): string {
  return `${rendered(results, asText, ({ name, title }) => `${name}: ${title}`).join('\n\n')}\n`;
}

function markdownOf(results: Results, commandLine: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const intro = `# Results of the benchmark\n\nWritten on ${date} by \`${commandLine}\`; see \`npm run bench -- --help\`.`;
  const parts = rendered(results, asMarkdown, ({ name, title }) => `## ${name}\n\n${title}`);
  return `${[intro, ...parts].join('\n\n')}\n`;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const names = allRows({ threads: 1, pytorches: [] }).map(({ name }) => name);
  const options = parseOptions(args, names);
  if (options.help) {
    process.stdout.write(helpText(allRows({ ...options, pytorches: [] })));
    return;
  }
  const load = loadAverage();
  const { pytorches, notes: searchNotes } = findPyTorches();
  const { searchers, notes: searcherNotes } = options.only.includes(neighboursName)
    ? findSearchers()
    : { searchers: [], notes: [] };
  const notes = [
    ...searchNotes,
    ...searcherNotes,
    ...(load > 0.3 ? [`The machine was not idle at the start: load average ${load.toFixed(1)}.`] : []),
  ];
  const all = allRows({ ...options, pytorches, searchers });
  const rows = all.filter(({ name }) => options.only.includes(name));
  const results = await measure(rows, options, notes);
  const json = Object.fromEntries(results.rows.map((row) => [row.name, rowJson(row)]));
  process.stdout.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : textOf(results));
  if (options.write) {
    const path = fileURLToPath(new URL('../../../bench/RESULTS.md', import.meta.url));
    writeFileSync(path, markdownOf(results, ['npm run bench --', ...args].join(' ')));
  }
  // A figure that is missing or wrong must not pass unnoticed.
  if (results.rows.some(isFaulty)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof QuarterturnError)) throw error;
  process.stderr.write(`bench: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
