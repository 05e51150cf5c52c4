import { type Command, Option } from 'commander';
import { backboneNames } from '../nn/network.js';
import { stageGraphNames } from '../recipes/plan/stage-graph-names.js';
import { type PresetName, presets } from '../recipes/presets.js';
import type { RunSettings } from '../recipes/settings.js';
import { strategies } from '../recipes/suggest.js';
import type { DeviceName } from '../runtime/runtime.js';
import { budget, choice, names, partOfAll, positive, share, wholeNumber, width } from './option-values.js';

/** Kernels that Node has; the runtime says whether the hardware is there. */
const devices: readonly DeviceName[] = ['cpu', 'webgpu'];

const { quick } = presets;

/** What each preset is for. */
const presetNotes: Readonly<Record<PresetName, string>> = {
  quick: 'minutes on 2 cores (the default)',
  best: 'the same with more of everything, up to an hour on 2 cores',
  notebook: 'every figure as in the notebook, hours',
};

/** `quick 6, notebook 20`: a setting in each preset. */
function eachPreset(settingOf: (preset: RunSettings) => number): string {
  return Object.entries(presets)
    .map(([name, preset]) => `${name} ${settingOf(preset)}`)
    .join(', ');
}

/** `train, finetune or classify`: names to choose from. */
function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** The options that commands share, each described with its default and the reason for it. */
export const option = {
  preset: () =>
    new Option(
      '--preset <name>',
      Object.entries(presetNotes)
        .map(([name, note]) => `${name}: ${note}`)
        .join('; '),
    ).argParser(choice('--preset', Object.keys(presets))),
  epochs: (of: 'pretrain' | 'finetune' | 'baseline') =>
    new Option(
      '--epochs <n>',
      `epochs of ${{ pretrain: 'pretraining', finetune: 'fine-tuning', baseline: 'training' }[of]} (default: the preset's, ${eachPreset((preset) => preset[of].epochs)})`,
    ).argParser(wholeNumber('--epochs', { min: 1 })),
  budget: (of = 'the whole run') =>
    new Option(
      '--budget <time>',
      `90s, 10m, 1h30m: as many steps as fit ${of} into it on this machine (default: the preset's steps)`,
    )
      .conflicts('epochs')
      .argParser(budget),
  width: () =>
    new Option(
      '--width <x>',
      `channels of the network, 1 being the notebook's (default: the preset's, ${eachPreset(({ network }) => network.width)}: work grows with the square)`,
    ).argParser(width),
  seed: (byDefault = `${quick.seed}, the notebook's`) =>
    new Option('--seed <n>', `all randomness comes from it (default: ${byDefault})`).argParser(
      wholeNumber('--seed', { min: 0 }),
    ),
  draws: (byDefault = '1, the first of each class as in the notebook') =>
    new Option(
      '--draws <n>',
      `choices of labelled images, for mean ± deviation (default: ${byDefault})`,
    ).argParser(wholeNumber('--draws', { min: 1, max: 100 })),
  labelsPerClass: (
    byDefault = `all of your own images' labels; of MNIST ${quick.labelsPerClass}, as in the notebook`,
  ) =>
    new Option(
      '--labels-per-class <n>',
      `labels of each class to learn from, as if there were no others (default: ${byDefault})`,
    ).argParser(wholeNumber('--labels-per-class', { min: 1 })),
  labels: (
    byDefault = 'all labels of your own images; of MNIST the first of each class, as in the notebook',
    what = 'exactly the images to learn from: a table (CSV, TSV, JSON Lines) with the columns file and label, or the JSON that suggest writes',
  ) => new Option('--labels <file>', `${what} (default: ${byDefault})`),
  config: () =>
    new Option(
      '--config <file>',
      `JSON with any settings, such as network.backbone (${oneOf(backboneNames)}), or the config.json of a run, put over the preset (default: none; flags go over it)`,
    ).conflicts('resume'),
  device: () =>
    new Option('--device <name>', 'cpu or webgpu (default: cpu, which every machine has)').argParser(
      choice('--device', devices),
    ),
  threads: () =>
    new Option(
      '--threads <n>',
      'threads for one operator (default: all cores, nothing else runs beside it)',
    ).argParser(wholeNumber('--threads', { min: 1, max: 1024 })),
  from: () =>
    new Option('--from <folder>', 'run whose pretrained backbone to take (needed, unless resumed)').conflicts(
      'resume',
    ),
  out: () =>
    new Option(
      '--out <folder>',
      'where the run goes (default: runs/<preset>-<date>-<time>, so that none is overwritten)',
    ).conflicts('resume'),
  outOf: (command: string, also: string) =>
    new Option(
      '--out <folder>',
      `where everything goes; ${also} (default: runs/${command}-<date>-<time>)`,
    ).conflicts('resume'),
  variants: () =>
    new Option(
      '--variants <names>',
      'which of them, with commas between (default: all: baseline, statistics, augmentation, frozen, fine-tuned, self-training, self-training-alone, views, fixmatch, suggested)',
    ).argParser(names('--variants')),
  resume: (also: string) =>
    new Option('--resume <folder>', `go on with a stopped run, with the settings it began with${also}`),
  batch: () =>
    new Option('--batch <n>', "images of a batch (default: the preset's; 128 to classify)").argParser(
      wholeNumber('--batch', { min: 1, max: 65536 }),
    ),
  step: () =>
    new Option(
      '--step <name>',
      `${oneOf(stageGraphNames)}: which graph (default: train, that of pretraining)`,
    ).argParser(choice('--step', stageGraphNames)),
  graph: () => new Option('--graph', 'a graph, node by node (default: this, as yet all there is)'),
  peak: () =>
    new Option('--peak <GFLOP/s>', 'speed of arithmetic to predict with (default: measured)').argParser(
      positive('--peak'),
    ),
  bandwidth: () =>
    new Option('--bandwidth <GB/s>', 'speed of memory to predict with (default: measured)').argParser(
      positive('--bandwidth'),
    ),
  top: () =>
    new Option('--top <n>', 'nodes to list (default: those that make up 95 % of the time)').argParser(
      wholeNumber('--top', { min: 1 }),
    ),
  all: () => new Option('--all', 'list every node that has operators').conflicts('top'),
  noProfile: () => new Option('--no-profile', 'predict only (default: run the graph 6 times and measure)'),
  order: () =>
    new Option('--order <name>', 'time or graph (default: time, the slowest first)').argParser(
      choice('--order', ['time', 'graph']),
    ),
  classes: () =>
    new Option('--classes <n>', 'classes of the baseline (default: 10, the digits)').argParser(
      wholeNumber('--classes', { min: 2, max: 65536 }),
    ),
  limit: () =>
    new Option(
      '--limit <n>',
      'pictures to take of each folder, archive or file that holds several (default: all)',
    ).argParser(wholeNumber('--limit', { min: 1 })),
  filesFrom: () =>
    new Option(
      '--files-from <list>',
      'file with names of files, one a line or with zero bytes between; - is standard input (default: none)',
    ),
  invert: () =>
    new Option(
      '--invert',
      'classify the negatives: dark ink on light paper for a model of light on dark (default: images as they are)',
    ),
  predictionsOut: (parts = '; with --shard a part, .part') =>
    new Option(
      '--out <file>',
      `write a table, of the kind that the name ends in: .csv, .jsonl, .json or .parquet${parts}; what was killed is gone on with (default: standard output)`,
    ),
  predictionsFormat: (kinds: readonly string[]) =>
    new Option('--format <kind>', `${oneOf(kinds)} (default: by the ending of --out, else table)`).argParser(
      choice('--format', kinds),
    ),
  probabilities: () =>
    new Option(
      '--probabilities',
      'the probability of every class, not of the likeliest alone (default: off)',
    ),
  unsure: () =>
    new Option(
      '--unsure <p>',
      'mark rows whose probability is below p as unsure; 0: none (default: what the model’s file says)',
    ).argParser(share('--unsure')),
  abstain: () =>
    new Option(
      '--abstain',
      'leave the label of unsure rows empty; with --sort-into their pictures go to the folder unsure (default: off)',
    ),
  sortInto: () =>
    new Option(
      '--sort-into <folder>',
      'copy the pictures into a folder for each class, beside predictions.csv or --out (default: none)',
    ),
  link: () =>
    new Option('--link', 'link the pictures of --sort-into in place of copying them (default: copy)'),
  shard: () =>
    new Option(
      '--shard <i/n>',
      'classify one of n parts of the pictures, told by their names; `merge` puts the parts together (default: all)',
    ).argParser(partOfAll('--shard')),
  overwrite: (what = 'an --out that is there or begun') =>
    new Option('--overwrite', `replace ${what} (default: refuse)`),
  strictPredictions: () =>
    new Option('--strict', 'exit 1 where a picture was set aside (default: 0, they are named)'),
  count: () =>
    new Option('--count <n>', 'images to suggest (default: 20)').argParser(
      wholeNumber('--count', { min: 1 }),
    ),
  strategy: () =>
    new Option(
      '--strategy <name>',
      'typical: images that are like many others; uncertain: images that the classifier cannot tell (default: uncertain where one learned from 10 labels a class, else typical)',
    ).argParser(choice('--strategy', strategies)),
  labelsOut: () =>
    new Option(
      '--out <file>',
      'labels file to write, old labels and new images: JSON, or .csv with the columns file and label; the file of --labels is added to (default: labels.json)',
    ),
  doubtsOut: () =>
    new Option(
      '--out <file>',
      'write all labels, the doubted ones first with what the rest says: .csv names files, .json is a labels file (default: none)',
    ),
  sheet: () =>
    new Option('--sheet <file>', 'PNG of the suggested images, each with its index (default: none)'),
  force: () => new Option('--force', 'write over a file that holds labels (default: refuse)'),
  json: (what: string) => new Option('--json', `${what} as JSON on stdout (default: a table for people)`),
  quiet: () => new Option('--quiet', 'no progress on stderr (default: shown)'),
} as const;

/** Add options under a heading of the help. */
export function addGroup(command: Command, heading: string, options: readonly Option[]): Command {
  command.optionsGroup(heading);
  for (const each of options) command.addOption(each);
  return command;
}

/** The last group of every command: how it speaks. */
export function addOutputGroup(command: Command, options: readonly Option[] = []): Command {
  return addGroup(command, 'Output:', options).helpOption('-h, --help', 'print this help');
}

/** Examples at the end of a help text: what to type, and below it what it does. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const lines = examples.map(([line, what]) => `  ${line}\n      ${what}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
