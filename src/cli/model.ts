import type { Command } from 'commander';
import type { Abstention } from '../model/abstention.js';
import { describeModel, type ModelDescription } from '../model/describe-model.js';
import type { Preprocessing } from '../model/preprocessing.js';
import type { TrainingSummary } from '../model/training-summary.js';
import { activityOf } from '../recipes/stages/registry.js';
import {
  countOf,
  formatBytes,
  formatCount,
  formatInterval,
  formatPercent,
  formatWithin,
} from '../report/format.js';
import { readModelFile } from './model-file.js';
import { addExamples, addOutputGroup, option } from './options.js';
import { printable } from './paths.js';

interface ModelFlags {
  readonly json?: boolean;
}

/** `quarterturn model`: what a saved classifier is. */
export function addModelCommand(program: Command): void {
  const command = program
    .command('model')
    .summary('what a saved classifier takes and gives')
    .description(
      'Print what the file of a classifier says of itself: size of its images, classes, how pictures are fitted, weights, operators. Nothing is run.',
    )
    .argument('<model>', 'an .onnx file that a run saved, or the folder of the run');
  addOutputGroup(command, [option.json('what the file says')]);
  addExamples(command, [
    ['quarterturn model runs/five', 'the classifier of a run'],
    ['quarterturn model model.onnx --json', 'for programs'],
  ]);
  command.action(async (path: string, { json }: ModelFlags) => {
    const { file, bytes } = await readModelFile(path, { command: 'model' });
    const description = describeModel(file, bytes);
    const text = json
      ? JSON.stringify({ file, ...description }, null, 2)
      : formatModel(file, description, process.stdout.columns);
    process.stdout.write(`${text}\n`);
  });
}

/** Columns that lines are kept within, where the terminal has as many; so many at least. */
const [most, least] = [80, 30];
const labelWidth = 12;

/**
 * What a model is, a line each: label, then words broken within the columns.
 * @param columns of the terminal; more than 80 are not used
 */
export function formatModel(file: string, model: ModelDescription, columns = most): string {
  const { height, width, channels, classes, classNames, preprocessing } = model;
  const kind = channels === 1 ? 'grey' : channels === 3 ? 'colour' : `${channels}-channel`;
  const names = classNames?.map(printable).join(', ') ?? '(without names)';
  const operators = Object.entries(model.operators).map(([name, count]) => `${count} ${name}`);
  const rows: readonly (readonly [string, string])[] = [
    ['Model', `${printable(file)}, ${formatBytes(model.sizeBytes)}`],
    ['Takes', `${model.input}: uint8 [N, ${height}, ${width}, ${channels}], any number of ${kind} images`],
    ['Gives', `${model.output}: float32 [N, ${classes}], a probability for each class`],
    ['Classes', `${formatCount(classes)}: ${names}`],
    ['Pictures', preprocessing ? fittingOf(preprocessing) : 'the file does not say how they are fitted'],
    ...(model.abstention ? [['Unsure', unsureOf(model.abstention)] as const] : []),
    ...(model.training ? [['Training', trainingOf(model.training)] as const] : []),
    ['Weights', `${formatCount(model.parameters)} numbers`],
    ['Operators', operators.join(', ')],
  ];
  const within = Math.max(least, Math.min(most, columns));
  return rows.map(([label, text]) => wrapped(label, text, within)).join('\n');
}

/** How a picture becomes an image of the model's, in words. */
function fittingOf({ fit, colour, background, alphaGround, meanBrightness }: Preprocessing): string {
  return [
    'turned upright by EXIF',
    `laid on ${alphaGround} where transparent`,
    {
      contain: `fitted whole into a frame of ${background}`,
      cover: 'its middle fitted',
      stretch: 'stretched',
    }[fit],
    colour === 'grey' ? 'made grey' : 'red, green, blue',
    ...(meanBrightness === undefined ? [] : [`mean brightness in training ${meanBrightness.toFixed(1)}`]),
  ].join(', ');
}

/** When a model is unsure, in words. */
function unsureOf(abstention: Abstention): string {
  const { threshold, likeness, accepted, heldBack } = abstention;
  return `below a probability of ${threshold.toFixed(2)}${likeness ? ', and where an image is unlike all that had a label' : ''}; not of ${formatWithin(accepted, abstention)} of ${countOf(heldBack, 'held-back label')} (${formatInterval(abstention)} of images of its classes)`;
}

/** What a model learned from and how good it is, in words. */
function trainingOf({
  preset,
  seed,
  stage,
  images,
  labels,
  estimate,
  test,
  calibration,
  settings,
}: TrainingSummary): string {
  return [
    `${countOf(labels, 'label')} of ${countOf(images, 'image')}`,
    `preset ${preset}, seed ${seed}, from ${activityOf(stage)}`,
    ...(test ? [`${formatPercent(test.accuracy)} of ${countOf(test.images, 'test image')} right`] : []),
    ...(estimate
      ? [
          `estimate ${formatWithin(estimate.accuracy, estimate)} (${formatInterval(estimate)}) by ${countOf(estimate.heldBack, 'held-back label')}`,
        ]
      : []),
    ...(calibration
      ? [
          `calibrated by a temperature of ${calibration.temperature.toFixed(2)}: expected calibration error ${formatPercent(calibration.eceAfter, 1)}`,
        ]
      : []),
    ...(settings ? [`settings ${settings.slice(0, 12)}`] : []),
  ].join(', ');
}

function wrapped(label: string, text: string, columns: number): string {
  const room = columns - labelWidth;
  // A word that is longer than a line, such as a path, is broken where the line ends.
  const words = text.split(' ').flatMap((word) => word.match(new RegExp(`.{1,${room}}`, 'gu')) ?? ['']);
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > room) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line, i) => (i === 0 ? label : '').padEnd(labelWidth) + line).join('\n');
}
