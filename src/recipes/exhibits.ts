import { type ImageSize, type ImageSource, readRange } from '../data/image-source.js';
import { rotatedCopies, turnCount } from '../data/rotation.js';
import { countPerClass } from '../labels/label-selection.js';
import { summary } from '../nn/summary.js';
import type { Random } from '../random/random.js';
import { toBase64 } from '../store/base64.js';
import type { ConfusionMatrix, Exhibits, ImageGrid, Tile } from '../store/run-record.js';
import { at } from '../tensor/elements.js';
import { ConfusionTally } from '../train/class-metrics.js';
import type { Evaluation } from '../train/evaluate.js';
import { networkFor, type RecipeContext, randomFor } from './context.js';
import { classNamesOf, hasLabels, labelledImages, labelsOf } from './labels.js';
import type { RunSettings } from './settings.js';
import { finalOf, pretrainedIn, type StageOutcomes } from './stages.js';

/** What each class of the pretext task is called: degrees counter-clockwise. */
export const rotationNames: readonly string[] = ['0°', '90°', '180°', '270°'];

/** Pictures, tables and matrices for the report. Without a test set there is nothing to show of what was predicted. */
export async function collectExhibits(context: RecipeContext, outcomes: StageOutcomes): Promise<Exhibits> {
  const { data } = context;
  const [first] = outcomes.draws;
  const pretrained = pretrainedIn(outcomes);
  const classNames = classNamesOf(context);
  const tested = [...(first?.outcomes.values() ?? [])].flatMap((outcome) => outcome.tested);
  const kept = first && finalOf(first)?.classifier.test;
  const random = (name: string) => randomFor(context, 'exhibits', name);
  const grids = [await rotatedSamples((data.test ?? data.train).images)];
  if (pretrained) {
    const shown = { evaluation: pretrained.val, names: rotationNames, side: 6, random: random('val') };
    grids.push(await answersGrid('Rotations of validation images', pretrained.val.images, shown));
  }
  if (pretrained?.test) {
    const shown = { evaluation: pretrained.test, names: rotationNames, side: 8, random: random('test') };
    grids.push(await answersGrid('Rotations of test images', pretrained.test.images, shown));
  }
  if (data.test && kept) {
    const shown = { evaluation: kept, names: classNames, side: 8, random: random('classes') };
    grids.push(await answersGrid('Test images', data.test.images, shown));
  }
  return {
    grids,
    layerTables: layerTables(context.settings, data.train.images, classNames.length),
    confusions: [
      ...(pretrained?.test ? [confusion('Rotations of test images', rotationNames, pretrained.test)] : []),
      ...tested.flatMap(({ when, test }) =>
        test ? [confusion(`Test images, ${when}`, classNames, test)] : [],
      ),
    ],
    classCounts: classCounts(context, classNames),
    trainImages: data.train.images.count,
  };
}

/** The notebook's three layer tables: pretraining, with blocks frozen, the supervised baseline. */
export function layerTables(
  settings: RunSettings,
  images: ImageSize,
  classes: number,
): Exhibits['layerTables'] {
  const network = (outputs: number) => networkFor(settings.network, images, outputs);
  const pretrained = network(turnCount);
  const { frozenBlocks } = settings.finetune;
  const frozen = frozenBlocks === 0 ? 'nothing frozen' : `blocks 1–${frozenBlocks} frozen`;
  return [
    summary(pretrained, { title: `${pretrained.title}, pretraining` }),
    summary(pretrained, { title: `${pretrained.title}, ${frozen}`, frozenBlocks }),
    summary(network(classes), { title: 'Supervised baseline' }),
  ];
}

function classCounts(context: RecipeContext, classNames: readonly string[]): Exhibits['classCounts'] {
  const { train } = context.data;
  const all = train.labels && countPerClass(train.labels, classNames.length);
  const labelled = hasLabels(context)
    ? countPerClass(labelsOf(labelledImages(context, 0)), classNames.length)
    : [];
  return classNames.map((name, k) => ({ name, train: all?.[k] ?? null, labelled: labelled[k] ?? 0 }));
}

/** The first images in all four turns, as the notebook shows them: one image a row. */
async function rotatedSamples(images: ImageSource): Promise<ImageGrid> {
  const count = turnCount * Math.min(4, images.count);
  const { data } = await readRange(rotatedCopies(images), 0, count);
  const tiles = Array.from({ length: count }, (_, i) =>
    tile(data, i, images, rotationNames[i % turnCount]!, false),
  );
  return grid('What the network sees: every image in four quarter turns', turnCount, images, tiles);
}

interface Answers {
  /** What was said of the images. */
  readonly evaluation: Evaluation;
  /** Of the classes. */
  readonly names: readonly string[];
  /** Images along each side of the grid. */
  readonly side: number;
  readonly random: Random;
}

/** Some images with the answers that they got. */
async function answersGrid(
  subject: string,
  images: ImageSource,
  { evaluation, names, side, random }: Answers,
): Promise<ImageGrid> {
  const { predictions, targets } = evaluation;
  const chosen = mistakesFirst(evaluation, side * side, random);
  const { data } = await images.read(chosen);
  const tiles = Array.from(chosen, (item, i) => {
    const [predicted, actual] = [predictions[item]!, targets[item]!];
    return tile(data, i, images, `${names[predicted]} (${names[actual]})`, predicted !== actual);
  });
  return grid(`${subject}: ${answersShown}`, side, images, tiles);
}

/** How a grid of answers is made up, and how its captions read. */
const answersShown = 'the surest mistakes first, then a sample; predicted (actual)';

/**
 * Which of the items a grid shows: up to half of it mistakes, of which one learns most, those first that the network
 * was surest of; then others at random.
 */
function mistakesFirst(
  { predictions, targets, confidences }: Evaluation,
  count: number,
  random: Random,
): Uint32Array {
  const wrong = [...predictions.keys()].filter((i) => predictions[i] !== targets[i]);
  const surest = wrong.sort((a, b) => confidences[b]! - confidences[a]!).slice(0, Math.ceil(count / 2));
  const shown = new Set(surest);
  const others = random.permutation(predictions.length).filter((i) => !shown.has(i));
  return Uint32Array.from([...surest, ...others].slice(0, Math.min(count, predictions.length)));
}

function grid(
  title: string,
  columns: number,
  { height, width, channels }: ImageSize,
  tiles: Tile[],
): ImageGrid {
  return { title, columns, height, width, channels, tiles };
}

function tile(
  pixels: Uint8Array,
  index: number,
  { height, width, channels }: ImageSize,
  caption: string,
  wrong: boolean,
): Tile {
  const size = height * width * channels;
  return { pixels: toBase64(pixels.subarray(index * size, (index + 1) * size)), caption, wrong };
}

function confusion(
  title: string,
  classNames: readonly string[],
  { predictions, targets }: Evaluation,
): ConfusionMatrix {
  const tally = new ConfusionTally(classNames);
  targets.forEach((actual, i) => {
    tally.add(actual, at(predictions, i));
  });
  return { title, classNames, cells: tally.cells() };
}
