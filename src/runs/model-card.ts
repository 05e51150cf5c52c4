import { type Abstention, abstentionKey } from '../model/abstention.js';
import type { ModelDescription } from '../model/describe-model.js';
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
import { cardSnippets } from './card-snippets.js';

export interface ModelCardOptions {
  /** What the file is called: `classifier.onnx`. */
  readonly file: string;
  /** SHA-256 of the file, in hexadecimal; default: the card has none. */
  readonly sha256?: string | undefined;
  /** What the pictures are called that it learned from: a folder's name, no path; default: they are not named. */
  readonly data?: string | undefined;
}

/** So many classes are named; of more, a reader looks up the rest. */
const namedClasses = 50;

/**
 * The model card of a classifier, in Markdown: what it is, what it learned from, how good it is and by what evidence, how it is
 * used, and what nobody knows of it. It says what the file says, no time and no path, so that equal files have equal cards.
 *
 * @example
 * const bytes = await readFile('model.onnx');
 * await writeFile('card.md', modelCard(describeModel('model.onnx', bytes), { file: 'model.onnx' }));
 */
export function modelCard(model: ModelDescription, { file, sha256, data }: ModelCardOptions): string {
  const { height, width, channels, classes, classNames, preprocessing, training } = model;
  const colours = channels === 1 ? 'grey' : 'red, green, blue';
  const rows: readonly (readonly [string, string])[] = [
    ['file', `\`${file}\`, ${formatBytes(model.sizeBytes)}, ONNX`],
    ...(sha256 === undefined ? [] : [['SHA-256', `\`${sha256}\``] as const]),
    ['takes', `\`${model.input}\`: uint8 [N, ${height}, ${width}, ${channels}], 0–255, ${colours}; any N`],
    [
      'gives',
      `\`${model.output}\`: float32 [N, ${classes}], a probability for each class, each row of sum 1`,
    ],
    ['weights', `${formatCount(model.parameters)} numbers`],
  ];
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Classes', classLines(classes, classNames)],
    ['What it learned from', training ? learnedFrom(training, data) : ['The file does not say.']],
    ['How good it is', training ? quality(training) : ['The file does not say. Nothing is known of it.']],
    ['How a picture becomes its input', preprocessing ? fitting(preprocessing) : ['The file does not say.']],
    ['How to use it', cardSnippets(model, file)],
    ['Limits', limits(model)],
    [
      'Licence',
      [
        'None is stated here. It is for whoever publishes the file to state one, and to mind that of the pictures it learned from.',
      ],
    ],
  ];
  const title = `# Classifier of ${countOf(classes, 'class')}${data === undefined ? '' : ` of ${plain(data)}`}`;
  return [
    title,
    `An image classifier made by Quarterturn. The file stands alone: normalisation and softmax are inside, and its metadata says what is said here.`,
    ['| | |', '| --- | --- |', ...rows.map(([name, text]) => `| ${name} | ${text} |`)].join('\n'),
    ...sections.flatMap(([heading, paragraphs]) => [`## ${heading}`, ...paragraphs]),
  ]
    .join('\n\n')
    .concat('\n');
}

function classLines(classes: number, classNames: readonly string[] | undefined): readonly string[] {
  if (classNames === undefined) return [`${formatCount(classes)}, without names: 0 to ${classes - 1}.`];
  const shown = classNames.slice(0, namedClasses).map(plain).join(', ');
  const more = classNames.length - namedClasses;
  return [
    `${formatCount(classes)}, in the order of the probabilities: ${shown}${more > 0 ? `, and ${formatCount(more)} more, which the file names` : ''}.`,
  ];
}

function learnedFrom({ preset, seed, stage, images, labels, settings }: TrainingSummary, data?: string) {
  const from = data === undefined ? '' : ` (${plain(data)})`;
  return [
    `${countOf(images, 'image')}${from}, of which ${formatCount(labels)} had a label. Preset \`${preset}\`, seed ${seed}, kept from ${activityOf(stage)}.` +
      (settings === null ? '' : ` SHA-256 of all settings: \`${settings}\`.`),
  ];
}

function quality({ test, estimate, calibration }: TrainingSummary): readonly string[] {
  const share = (value: number) => formatPercent(value, 1);
  return [
    ...(test ? [`**Test:** ${share(test.accuracy)} of ${formatCount(test.images)} test images right.`] : []),
    ...(estimate
      ? [
          `**Estimate:** ${formatWithin(estimate.accuracy, estimate)} right, from ${formatInterval(estimate)} with ${formatPercent(estimate.level, 0)} confidence, by ${formatCount(estimate.heldBack)} labels that were held back (${estimate.method}).`,
        ]
      : []),
    ...(test || estimate ? [] : ['Nobody knows: there was no test set, and no label could be held back.']),
    calibration
      ? `**Calibration:** probabilities were calibrated by a temperature of ${calibration.temperature.toFixed(2)}, from ${formatCount(calibration.heldBack)} held-back labels. Their expected calibration error is ${share(calibration.eceAfter)} (${share(calibration.eceBefore)} before).`
      : '**Calibration:** none. Probabilities are as they came out of training, and may be far too sure.',
  ];
}

/** In the words of the file: what a program in another language has to do alike. */
function fitting({
  fit,
  colour,
  greyWeights,
  background,
  alphaGround,
  height,
  width,
  meanBrightness,
}: Preprocessing) {
  const placed = {
    cover: `It is scaled until it covers ${height}×${width} (rows × columns), and the middle is taken.`,
    contain: `It is scaled to fit whole into ${height}×${width} (rows × columns), in the middle of a frame of ${background}.`,
    stretch: `It is stretched to ${height}×${width} (rows × columns).`,
  }[fit];
  return [
    [
      '1. A picture is turned upright by its EXIF orientation.',
      `2. Transparent parts are laid on ${alphaGround}.`,
      `3. ${placed} Filter: Lanczos.`,
      colour === 'grey'
        ? `4. It is made grey: ${greyWeights.join(', ')} of red, green and blue.`
        : '4. Its colours are red, green and blue, in this order.',
      '5. Values stay bytes from 0 to 255.',
    ].join('\n'),
    ...(meanBrightness === undefined
      ? []
      : [
          `The mean of all values of the training images is ${meanBrightness.toFixed(1)}: a picture whose negative is much closer to that is probably a negative.`,
        ]),
  ];
}

function limits({ training, abstention }: ModelDescription): readonly string[] {
  const unseen = training?.test
    ? 'It was tested on the test images of its own data alone.'
    : training?.estimate
      ? 'It was never tested on images apart from those that it learned from; the estimate holds for pictures that come from where those came from.'
      : 'It was never tested.';
  return [
    [
      `- ${unseen} On pictures of another camera, place, season or source it may be much worse.`,
      '- It knows its classes and nothing else. A picture of anything else is given one of them, at times with a high probability.',
      ...(abstention ? [unsure(abstention)] : []),
      '- It may treat groups of pictures differently. Nobody has looked for that.',
    ].join('\n'),
  ];
}

/** When it is unsure, and of how many pictures of its classes. */
function unsure(abstention: Abstention): string {
  const { threshold, likeness, accepted, heldBack } = abstention;
  const unlike = likeness ? ', and of one that is unlike all that had a label' : '';
  return `- It is unsure of a picture whose largest probability is below ${threshold.toFixed(2)}${unlike} (the file's \`${abstentionKey}\`): it may be of none of the classes. Trials that learned without them were sure of ${formatWithin(accepted, abstention)} of ${formatCount(heldBack)} held-back labels.`;
}

/** A name as text in Markdown: on one line, and no mark-up. */
function plain(name: string): string {
  return name.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|~]/g, '\\$&');
}
