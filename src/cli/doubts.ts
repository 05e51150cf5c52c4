import type { Command } from 'commander';
import { byCount, countOf, formatCount } from '../counts.js';
import { csvLine } from '../data/csv-line.js';
import { QuarterturnError } from '../errors.js';
import { neighboursName, readDoubts } from '../recipes/doubts.js';
import { stageFacts } from '../recipes/stages/registry.js';
import { formatPercent } from '../report/format.js';
import { titleOf } from '../report/run-facts.js';
import { aligned } from '../report/terminal-table.js';
import { readConfig } from '../runs/finished-run.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import type { LabelDoubt, LabelDoubts } from '../store/label-doubts.js';
import { type LabelRecord, readLabelRecord } from '../store/label-record.js';
import { assertNewFile } from '../store/new-file.node.js';
import { isTableName, writeLabelsFile } from './labels-file.js';
import { openRun } from './named-path.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { printable, shellPath, shownPath } from './paths.js';
import { resumeCommand } from './run-report.js';

interface DoubtsFlags {
  readonly out?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `quarterturn doubts`: labels that the rest of a run contradicts. */
export function addDoubtsCommand(program: Command): void {
  const command = program
    .command('doubts')
    .summary('which labels look wrong')
    .description(
      'List the labels of a run that the rest contradicts: what networks that never saw a label say of its image, and the images that look like it. No data is read and nothing is trained. Look at the images, correct what is wrong, and run again.',
    )
    .argument('<run>', 'folder of a run');
  addGroup(command, 'Where:', [option.doubtsOut(), option.overwrite('an --out that is there')]);
  addOutputGroup(command, [option.json('the doubted labels')]);
  addExamples(command, [
    ['quarterturn doubts runs/five', 'a table'],
    [
      'quarterturn doubts runs/five --out doubts.csv',
      'all labels, the doubted ones first: correct them there',
    ],
  ]);
  command.action(listDoubts);
}

async function listDoubts(path: string, { out, overwrite, json }: DoubtsFlags): Promise<void> {
  const store = await openRun(path, { readOnly: true });
  const { dataFolder } = await readConfig(store);
  const record = await readLabelRecord(store);
  const found = await readDoubts(store);
  if (!record || !found) throw nothingToJudge(path, record);
  if (out !== undefined) {
    // Labels that somebody has corrected there are not to be lost.
    await assertNewFile(out, { overwrite });
    await writeDoubts(out, record, found);
  }
  const shown = json
    ? `${JSON.stringify({ run: path, ...found, out: out ?? null }, null, 2)}\n`
    : formatDoubts(found, {
        columns: process.stdout.columns || 80,
        out,
        data: typeof dataFolder === 'string' ? dataFolder : undefined,
      });
  process.stdout.write(shown);
}

function nothingToJudge(path: string, record: LabelRecord | undefined): QuarterturnError {
  const labelled = record?.draws.some(({ images }) => images.length > 0);
  return new QuarterturnError(
    'checkpoint',
    `${path}: expected labels that were held back while others were learned. Received: ${labelled ? 'none' : 'a run without labels'}.`,
    {
      hint: labelled
        ? `Of a class with one label none can be held back. Where the run is not finished: ${resumeCommand(path)}`
        : 'Give it labels with quarterturn run --labels <file>.',
    },
  );
}

/**
 * Writes all labels of the run's first draw, the doubted ones first, with what the rest says of these: a table, or a labels file
 * where the name ends in anything but `.csv`.
 * @throws QuarterturnError `usage` for a table of images that no file names
 */
async function writeDoubts(out: string, { draws }: LabelRecord, { doubted }: LabelDoubts): Promise<void> {
  const images = draws.find(({ draw }) => draw === 0)?.images ?? [];
  const isDoubted = new Set(doubted.map(({ image }) => image));
  const rest = images.filter(({ image }) => !isDoubted.has(image));
  const all: readonly (Pick<LabelDoubt, 'image' | 'index' | 'file' | 'label'> & Partial<LabelDoubt>)[] = [
    ...doubted,
    ...rest,
  ];
  if (!isTableName(out)) {
    const files = new Map(all.map(({ index, file }) => [index, file]));
    const labels = all.map(({ image, index, label }) => ({ image, index, label }));
    return writeLabelsFile(out, { data: null, images: labels }, (index) => files.get(index));
  }
  const rows = all.map(({ file, label, suggested = '', probability, wrong }) => {
    if (file === undefined) throw withoutFiles(out);
    return csvLine([file, label, suggested, shareCell(probability), shareCell(wrong)]);
  });
  const text = [csvLine(['file', 'label', 'suggested', 'probability', 'wrong']), ...rows].join('');
  // Excel takes text without this mark for that of an old code page.
  return writeFileAtomically(out, (/[^\0-\x7f]/.test(text) ? '\uFEFF' : '') + text);
}

const shareCell = (share: number | undefined): string => share?.toFixed(3) ?? '';

function withoutFiles(out: string): QuarterturnError {
  return new QuarterturnError(
    'usage',
    `--out ${out}: expected a name that ends in .json. Received: a table of files for images of which the run has kept none.`,
    { hint: 'A labels file in JSON names them by their content.' },
  );
}

interface FormatOptions {
  /** Widest line. */
  readonly columns: number;
  readonly out?: string | undefined;
  /** What the run learned from; default: MNIST. */
  readonly data?: string | undefined;
}

/** The doubted labels as a table, with what to make of them. */
export function formatDoubts(
  { doubted, labels, checked, expectedWrong, judges }: LabelDoubts,
  { columns, out, data }: FormatOptions,
): string {
  const hasFiles = doubted.some(({ file }) => file !== undefined);
  const head = [hasFiles ? 'file' : 'image', 'label', 'the rest says', 'how sure', 'label wrong'];
  const rows = doubted.map(({ file, index, label, suggested, probability, wrong }) => [
    file === undefined ? `${hasFiles ? 'image ' : ''}${index}` : printable(file),
    printable(label),
    printable(suggested),
    formatPercent(probability, 0),
    formatPercent(wrong, 0),
  ]);
  const by = judges.map((name) =>
    name === neighboursName ? 'images that look alike' : `“${titleOf(stageFacts, name)}” without the label`,
  );
  const unchecked = labels - checked;
  return [
    '',
    doubted.length === 0
      ? `Of ${countOf(labels, 'label')}, none is contradicted with confidence.`
      : `${doubted.length} of ${countOf(labels, 'label')} ${byCount(doubted.length, 'looks', 'look')} wrong, the likeliest first:`,
    ...(doubted.length === 0 ? [] : ['', ...aligned([head, ...rows], columns)]),
    '',
    `Judged by  ${by.join(', and ')}`,
    `Wrong      about ${Math.round(expectedWrong)} of ${formatCount(checked)} in all, by their estimate`,
    ...(unchecked > 0 ? [`Not asked  ${countOf(unchecked, 'label')}`] : []),
    ...(out === undefined
      ? []
      : [
          `Labels     ${shownPath(out)}: all ${formatCount(labels)}, those above first; correct each label that is wrong`,
          `Next       quarterturn run ${data === undefined ? '' : `${shellPath(data)} `}--labels ${shellPath(out)}`,
        ]),
    '',
  ].join('\n');
}
