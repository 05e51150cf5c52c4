import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { countOf } from '../counts.js';
import type { DataSource } from '../data/dataset.js';
import type { GivenLabels } from '../labels/given-labels.js';
import { blankLabels } from '../labels/locate-labels.js';
import type { RecipeContext } from '../recipes/context.js';
import { withLocatedLabels } from '../recipes/labels.js';
import { settingsOfConfig } from '../recipes/settings.js';
import { type Suggestion, type Suggestions, type SuggestStrategy, suggest } from '../recipes/suggest.js';
import { formatPercent } from '../report/format.js';
import { readConfig } from '../runs/finished-run.js';
import { ioError } from '../store/atomic-file.node.js';
import { RunFolder } from '../store/run-folder.node.js';
import { contactSheet, encodePng } from './contact-sheet.js';
import { dataOptions, readingWith } from './data-options.js';
import {
  assertHoldsNoLabels,
  labelsInData,
  readLabelsFile,
  withLabelTable,
  writeLabelsFile,
} from './labels-file.js';
import { runCommand } from './next-command.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { shownPath } from './paths.js';
import { type PlaceFlags, placeOf, readData } from './place.js';
import { inSession } from './session.js';

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
      'Choose the images whose labels would teach most, by what all images look like, and write a labels file for you to fill in and give to run. Labels are never looked at.',
    )
    .argument('<run>', 'folder of a run; a pretrained one is enough');
  addGroup(command, 'What to do:', [
    option.count(),
    option.strategy(),
    option.labels(
      'those that the run’s classifier learned from',
      'labels file of images that are labelled already',
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
    ['quarterturn suggest runs/turns --labels labels.json --out more.json', '20 more beside them'],
  ]);
  command.action(suggestImages);
}

async function suggestImages(path: string, typed: SuggestFlags): Promise<void> {
  const flags = await withLabelTable(typed);
  const { out = 'labels.json', count = 20, strategy } = flags;
  const output = await inSession({ quiet: flags.quiet, stopping: 'Stopping.' }, async (session) => {
    // A file that is added to keeps the labels that it has.
    const adding = flags.labels !== undefined && resolve(flags.labels) === resolve(out);
    if (!flags.force && !adding) await assertHoldsNoLabels(out);
    const store = await RunFolder.open(path, { readOnly: true });
    const config = await readConfig(store);
    const settings = settingsOfConfig(config, path);
    const place = placeOf(flags, config);
    const { createNodeRuntime } = await import('../runtime/node.js');
    const runtime = await createNodeRuntime(place);
    const { encoderOfSettings } = await import('./open-encoder.js');
    const cacheFolder = flags.cache;
    const encoder = await encoderOfSettings(settings.encoder, { runtime, session, cacheFolder });
    const data = await readData(place, session, config);
    const given =
      flags.labels !== undefined
        ? await readLabelsFile(flags.labels)
        : data.isPartlyLabelled && flags.labelTable !== undefined
          ? labelsInData(data.train)
          : undefined;
    const context = {
      encoder,
      settings: { ...settings, seed: flags.seed ?? settings.seed, labels: given ?? settings.labels },
      data,
      runtime,
      store,
      ...session,
    };
    const reading = data.fit ? readingWith(place.reading, data.fit) : place.reading;
    const located = await withLocatedLabels(context);
    const suggestions = await suggest(located, { count, strategy });
    await writeLabelsFile(out, await extended(located, suggestions));
    if (flags.sheet !== undefined) await writeSheet(flags.sheet, data, suggestions.images);
    const { images } = suggestions;
    if (flags.json) {
      const sheet = flags.sheet ?? null;
      return `${JSON.stringify({ run: path, strategy: suggestions.strategy, labels: out, sheet, images }, null, 2)}\n`;
    }
    const next = runCommand(out, { path, config, settings, place: { ...place, reading } });
    return formatSuggestions(suggestions, { count, out, sheet: flags.sheet, next });
  });
  process.stdout.write(output);
}

/** The labels that there were, and the suggested images, still without a label. */
async function extended(
  { settings, data }: Pick<RecipeContext, 'settings' | 'data'>,
  { labelled, images }: Suggestions,
): Promise<GivenLabels> {
  const old = settings.labels?.images ?? (await blankLabels(data.train.images, labelled));
  const added = images.map(({ image, index }) => ({ image, index, label: null }));
  return { data: null, images: [...old, ...added] };
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

/** One line for each image, then what to do next. */
function formatSuggestions(
  { strategy, images }: Suggestions,
  about: {
    readonly count: number;
    readonly out: string;
    readonly sheet: string | undefined;
    readonly next: string;
  },
): string {
  const { count, out, sheet, next } = about;
  const why = {
    typical: 'each typical of many others',
    uncertain: 'those whose class the classifier cannot tell',
  };
  const rest = images.length < count ? `, all that are left of ${count}` : '';
  const width = Math.max(...images.map(({ index }) => `${index}`.length), 5);
  const lines = images.map((image) => `${`${image.index}`.padStart(width)}  ${reasonOf(image)}`);
  return [
    '',
    `${countOf(images.length, 'image')} to label${rest}, ${why[strategy]}:`,
    '',
    `${'index'.padStart(width)}  ${strategy === 'typical' ? 'stands for' : 'looks like'}`,
    ...lines,
    '',
    `Labels  ${shownPath(out)}: replace each null by the class of its image;`,
    '        an image left at null keeps the label that the data has for it',
    ...(sheet === undefined ? [] : [`Sheet   ${shownPath(sheet)}: the images, to look at`]),
    `Next    ${next}`,
    '',
  ].join('\n');
}

function reasonOf({ share, between }: Suggestion): string {
  if (share !== undefined) return `${formatPercent(share, 1)} of the pile`;
  return (between ?? [])
    .map(({ className, probability }) => `${className} (${formatPercent(probability, 0)})`)
    .join(' or ');
}
