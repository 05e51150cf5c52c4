import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { byCount, countOf } from '../counts.js';
import type { DataSource } from '../data/dataset.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { settingsOfConfig } from '../recipes/settings.js';
import { stageFacts } from '../recipes/stages/registry.js';
import { type Suggestion, type Suggestions, type SuggestStrategy, suggest } from '../recipes/suggest.js';
import { formatPercent } from '../report/format.js';
import { classNeedTexts, needsBasis } from '../report/label-needs-text.js';
import { titleOf } from '../report/run-facts.js';
import { padEnd, textWidth } from '../report/text-width.js';
import { readConfig } from '../runs/finished-run.js';
import { readingWith } from '../runs/reading.node.js';
import { ioError } from '../store/atomic-file.node.js';
import type { LabelNeeds } from '../store/label-needs.js';
import { isLabelsOfProject } from '../studio/project/label-files.js';
import { contactSheet, encodePng } from './contact-sheet.js';
import { dataOptions } from './data-options.js';
import { type FileOf, withLabelTable } from './labels-file.js';
import { openRun } from './named-path.js';
import { runCommand } from './next-command.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { printable, shownPath } from './paths.js';
import { type CommandData, type PlaceFlags, placeOf, readData } from './place.js';
import { withLabelsSince } from './project-of-data.js';
import { inSession } from './session.js';
import { assertHasFiles, assertWritable, isTable, labelsSoFar, writeSuggested } from './suggested-labels.js';

interface SuggestFlags extends PlaceFlags {
  readonly count?: number;
  readonly strategy?: SuggestStrategy;
  readonly labels?: string;
  readonly seed?: number;
  readonly out?: string;
  readonly sheet?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `quarterturn suggest`: which images to label next. */
export function addSuggestCommand(program: Command): void {
  const command = program
    .command('suggest')
    .summary('which images to label next')
    .description(
      'Choose the images whose labels would teach most, by what all images look like, and write a labels file for you to fill in and give to run. After a run with labels, say which classes more labels would help most. Labels of the data are never looked at.',
    )
    .argument('<run>', 'folder of a run; a pretrained one is enough');
  addGroup(command, 'What to do:', [
    option.count(),
    option.strategy(),
    option.labels(
      'those that the run’s classifier learned from',
      'images that are labelled already: a table (CSV, TSV, JSON Lines), or the JSON that suggest writes',
    ),
    option.seed("the run's"),
  ]);
  addGroup(command, 'Where:', [
    option.labelsOut(),
    option.sheet(),
    option.force(),
    ...dataOptions(),
    option.device(),
    option.threads(),
  ]);
  addOutputGroup(command, [option.json('the suggestions'), option.quiet()]);
  addExamples(command, [
    ['quarterturn suggest runs/turns --sheet sheet.png', 'look at the sheet, fill in labels.json'],
    ['quarterturn run --labels labels.json', 'then learn from these 20, and from all images like them'],
    ['quarterturn suggest runs/turns --labels labels.json --out labels.json', '20 more in the same file'],
  ]);
  command.action(suggestImages);
}

async function suggestImages(path: string, typed: SuggestFlags): Promise<void> {
  const given = await withLabelTable(typed);
  const { out = 'labels.json', count = 20, strategy } = given;
  const output = await inSession({ quiet: given.quiet, stopping: 'Stopping.' }, async (session) => {
    const store = await openRun(path, { readOnly: true, hint: pretrainFirst });
    const config = await readConfig(store);
    const settings = settingsOfConfig(config, path);
    const flags = await withLabelsSince(given, { config, labels: settings.labels, note: session.note });
    const place = placeOf(flags, config);
    // Labels that are given in a file go before those of the run's table.
    const table = flags.labels === undefined ? place.reading.labelTable : undefined;
    const columns = table === undefined ? undefined : place.reading.table;
    const places = { out, file: flags.labels, table, columns, force: flags.force };
    await assertWritable(places);
    const { createNodeRuntime } = await import('../runtime/node.js');
    const runtime = await createNodeRuntime(place);
    const { encoderOfSettings } = await import('./open-encoder.js');
    const cacheFolder = flags.cache;
    const encoder = await encoderOfSettings(settings.encoder, { runtime, session, cacheFolder });
    const data = await readData({ ...place, largestSide: encoder?.input.height }, session, config);
    const fileOf = fileNames(data);
    assertHasFiles(fileOf, places, data);
    const soFar = await labelsSoFar(places, data);
    // A table in which no image of training has a label, or waits for one, says that none has.
    const none = soFar?.images.length === 0 ? { labelled: new Uint32Array() } : {};
    const labels = soFar === undefined ? settings.labels : soFar.images.length === 0 ? null : soFar;
    const context = {
      encoder,
      settings: { ...settings, seed: flags.seed ?? settings.seed, labels },
      data,
      runtime,
      store,
      ...session,
    };
    const located = await withLocatedLabels(context);
    const suggestions = await suggest(located, { count, strategy, ...none });
    const keepsColumns = await writeSuggested(places, { located, suggestions, fileOf });
    if (flags.sheet !== undefined) await writeSheet(flags.sheet, data, suggestions.images);
    if (flags.json) {
      const images = suggestions.images.map((image) => ({ file: fileOf(image.index), ...image }));
      const sheet = flags.sheet ?? null;
      const { strategy, needs = null } = suggestions;
      return `${JSON.stringify({ run: path, strategy, labels: out, sheet, images, needs }, null, 2)}\n`;
    }
    const reading = data.fit ? readingWith(place.reading, data.fit) : place.reading;
    // A table says all that is labelled: it takes the place of the one that there was. So does any file of what a project had.
    const { labelTable, table: said, ...bare } = reading;
    const isOfProject = labelTable !== undefined && isLabelsOfProject(labelTable);
    const withoutTable = { ...bare, ...(keepsColumns && { table: said }) };
    const next = runCommand(out, {
      ...{ path, config, settings },
      place: { ...place, reading: isTable(places) || isOfProject ? withoutTable : reading },
    });
    return formatSuggestions(suggestions, {
      ...{ count, out, sheet: flags.sheet, next, fileOf },
      inTable: isTable(places),
      hasLabels: data.train.labels !== undefined && !isOfProject,
    });
  });
  process.stdout.write(output);
}

const pretrainFirst =
  'Name a run. One that knows what your images look like, without a label: quarterturn pretrain <images>';

/** Files of the images; IDX files of grey images, and MNIST, are arrays, whose images have none. */
function fileNames({ parts }: CommandData): FileOf {
  return (index) => parts?.train[index]?.name;
}

async function writeSheet(path: string, { train }: DataSource, images: readonly Suggestion[]): Promise<void> {
  const png = await encodePng(
    await contactSheet(
      train.images,
      images.map(({ index }) => index),
    ),
  );
  await writeFile(path, png).catch((error) => {
    throw ioError('write', path, error);
  });
}

/** Longer names do not push the reasons of all others to the right. */
const maxFileWidth = 40;

/** One line for each image, then what to do next. */
function formatSuggestions(
  { strategy, images, needs }: Suggestions,
  about: {
    readonly count: number;
    readonly out: string;
    readonly sheet: string | undefined;
    readonly next: string;
    readonly fileOf: FileOf;
    /** Whether the labels are in a table. */
    readonly inTable: boolean;
    /** Whether the data has any. */
    readonly hasLabels: boolean;
  },
): string {
  const { count, out, sheet, next, fileOf, inTable, hasLabels } = about;
  const why = {
    typical: 'each typical of many others',
    uncertain: 'those whose class the classifier cannot tell',
  };
  const rest = images.length < count ? `, all that are left of ${count}` : '';
  const width = Math.max(...images.map(({ index }) => `${index}`.length), 5);
  const files = images.map(({ index }) => printable(fileOf(index) ?? ''));
  const widestFile = Math.max(...files.map(({ length }) => length));
  const fileWidth = Math.min(maxFileWidth, Math.max('file'.length, widestFile));
  const fileCell = (text: string) => (widestFile === 0 ? '' : `${text.padEnd(fileWidth)}  `);
  const lines = images.map(
    (image, i) => `${`${image.index}`.padStart(width)}  ${fileCell(files[i] ?? '')}${reasonOf(image)}`,
  );
  const fill = inTable
    ? ['write the class of each image behind its file;', 'an image left without one stays in the pile']
    : [
        'replace each null by the class of its image;',
        hasLabels
          ? 'an image left at null keeps the label that the data has for it, if any'
          : 'an image left at null stays in the pile',
      ];
  return [
    '',
    `${countOf(images.length, 'image')} to label${rest}, ${why[strategy]}:`,
    '',
    `${'index'.padStart(width)}  ${fileCell('file')}${strategy === 'typical' ? 'stands for' : 'looks like'}`,
    ...lines,
    '',
    ...needLines(needs),
    `Labels  ${shownPath(out)}: ${fill[0]}`,
    `        ${fill[1]}`,
    ...(sheet === undefined ? [] : [`Sheet   ${shownPath(sheet)}: the images, to look at`]),
    `Next    ${next}`,
    '',
  ].join('\n');
}

/** The classes that more labels would help most, and by what that is known; nothing where none stands out. */
function needLines(needs: LabelNeeds | undefined): string[] {
  const texts = needs ? classNeedTexts(needs) : [];
  if (needs === undefined || texts.length === 0) return [];
  const table = texts.map(({ className, why }) => [`  ${className}`, why]);
  const among = needs.first === 1 ? 'the first' : `one of the first ${needs.first}`;
  return [
    `Labels of ${byCount(texts.length, 'this class', 'these classes')} would probably help most:`,
    ...table.map(
      ([name = '', why]) =>
        `${padEnd(name, Math.max(...table.map(([each = '']) => textWidth(each))))}  ${why}`,
    ),
    ...needsBasis(needs, titleOf(stageFacts, needs.stage)).map(
      (text, i) => `  ${i === 0 ? 'by ' : 'and'}   ${text}`,
    ),
    `  sure  how often it stays ${among} if the labels are drawn anew`,
    '',
  ];
}

function reasonOf({ share, between }: Suggestion): string {
  if (share !== undefined) return `${formatPercent(share, 1)} of the pile`;
  return (between ?? [])
    .map(({ className, probability }) => `${className} (${formatPercent(probability, 0)})`)
    .join(' or ');
}
