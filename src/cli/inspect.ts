import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ImageDataset } from '../data/dataset.js';
import { noClass } from '../data/label-values.js';
import { describeSkipped } from '../data/skipped-files.js';
import { countPerClass } from '../labels/label-selection.js';
import { formatCount } from '../report/format.js';
import { ioError } from '../store/atomic-file.node.js';
import { contactSheet, encodePng } from './contact-sheet.js';
import { type DataFlags, readingOptions } from './data-options.js';
import { withLabelTable } from './labels-file.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { printable, shownPath } from './paths.js';
import { type CommandData, placeOf, readData } from './place.js';
import { inSession } from './session.js';

interface InspectFlags extends DataFlags {
  readonly labels?: string;
  readonly sheet?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn inspect`: what data is understood to be, before anything is learned from it. */
export function addInspectCommand(program: Command): void {
  const command = program
    .command('inspect')
    .summary('what a folder or file of images is understood to be')
    .description(
      'Read data as run does, and say what was found: images of each class and part, their sizes and the size that they are fitted to, what was set aside, and pictures that come more than once. Nothing is trained.',
    )
    .argument('<data>', 'a folder, an archive, or a file of arrays');
  addGroup(command, 'What to do:', [
    new Option('--labels <file>', 'a table with the columns file and label (default: the folders’ names)'),
    new Option('--sheet <file>', 'PNG of images spread over all, each with its index (default: none)'),
    ...readingOptions(),
  ]);
  addOutputGroup(command, [option.json('all of it'), option.quiet()]);
  addExamples(command, [
    ['quarterturn inspect photos', 'a folder of class folders, or of images alone'],
    ['quarterturn inspect photos.zip --sheet sheet.png', 'and look at some of them'],
  ]);
  command.action(inspect);
}

async function inspect(path: string, typed: InspectFlags): Promise<void> {
  const flags = await withLabelTable(typed);
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    // What was found is the result here, not a remark beside it.
    const data = await readData(placeOf({ ...flags, data: path }), { ...session, note: () => {} });
    if (flags.sheet !== undefined) await writeSheet(flags.sheet, data.train);
    const found = describe(resolve(path), data);
    return flags.json ? JSON.stringify(found, null, 2) : formatInspection(found);
  });
  process.stdout.write(`${output}\n`);
}

const sheetImages = 60;

async function writeSheet(file: string, { images }: ImageDataset): Promise<void> {
  const count = Math.min(sheetImages, images.count);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * images.count) / count));
  const png = await encodePng(await contactSheet(images, indices));
  await writeFile(file, png).catch((error) => {
    throw ioError('write', file, error);
  });
}

/** What was found, as `--json` gives it. */
function describe(
  path: string,
  { train, test, fit, parts, skipped = [], duplicates = [], notes = [] }: CommandData,
) {
  const { height, width, channels } = train.images;
  const sides = [...(parts?.train ?? []), ...(parts?.test ?? [])].map((image) =>
    Math.min(image.height, image.width),
  );
  sides.sort((a, b) => a - b);
  const [smallest, median, largest] = [sides[0], sides[sides.length >> 1], sides.at(-1)];
  return {
    data: path,
    images: { height, width, channels, ...(fit && { fit: fit.fit, why: fit.why }) },
    /** Of the pictures as they lie in their files. */
    shorterSides: smallest === undefined ? null : { smallest, median, largest },
    train: countsOf(train),
    test: test ? countsOf(test) : null,
    duplicates: duplicates.map(({ images, labels, splits }) => ({
      files: images.map(({ name }) => name),
      labels,
      splits,
    })),
    skipped,
    notes,
  };
}

type Inspection = ReturnType<typeof describe>;

function countsOf({ images, labels, classNames }: ImageDataset) {
  const counts = labels ? countPerClass(labels, classNames.length) : new Uint32Array(classNames.length);
  return {
    count: images.count,
    unlabelled: labels ? labels.filter((label) => label === noClass).length : images.count,
    classes: classNames.map((name, k) => ({ name, count: counts[k] ?? 0 })),
  };
}

/** Classes that are listed one by one; of more, the smallest and the largest are. */
const listedClasses = 30;

function formatInspection({
  data,
  images,
  shorterSides,
  train,
  test,
  duplicates,
  skipped,
  notes,
}: Inspection): string {
  const { height, width, channels, why } = images;
  const kind = channels === 1 ? 'grey' : 'colour';
  const across = duplicates.filter(({ splits }) => splits.length > 1).length;
  return [
    `Data      ${shownPath(data)}`,
    `Images    ${formatCount(train.count)} to learn from, ${test ? `${formatCount(test.count)} to test with` : 'no test set'}`,
    `Size      ${why ?? `${height}×${width} in ${kind}`}`,
    ...(shorterSides
      ? [
          `Pictures  shorter sides from ${shorterSides.smallest} to ${shorterSides.largest} pixels, ${shorterSides.median} in the median`,
        ]
      : []),
    `Copies    ${formatCount(duplicates.length)} pictures come more than once, ${formatCount(across)} of them in several parts`,
    '',
    ...classLines(train, test),
    ...(train.unlabelled > 0 ? [`${formatCount(train.unlabelled)} images have no label.`] : []),
    ...(notes.length > 0 ? ['', ...notes.map(printable)] : []),
    ...(skipped.length > 0
      ? ['', ...describeSkipped(skipped).map((text) => `Set aside  ${printable(text)}`)]
      : []),
  ].join('\n');
}

function classLines(train: Inspection['train'], test: Inspection['test']): string[] {
  const rows = train.classes.map(({ name, count }, k) => ({
    name,
    count,
    tests: test?.classes[k]?.count ?? 0,
  }));
  const isLong = rows.length > listedClasses;
  const bySize = rows.toSorted((a, b) => a.count - b.count);
  const half = listedClasses / 2;
  const shown = isLong ? [...bySize.slice(0, half), ...bySize.slice(-half)] : rows;
  const lines = shown.map(({ name, count, tests }) => {
    const tested = test ? `  ${formatCount(tests).padStart(9)} to test` : '';
    return `${formatCount(count).padStart(9)} to learn${tested}  ${printable(name)}`;
  });
  const more = isLong
    ? [`The ${half} smallest and the ${half} largest of ${formatCount(rows.length)} classes.`]
    : [];
  return [...lines, ...more];
}
