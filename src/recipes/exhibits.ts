import { gatherImages, rotationBatch } from '../data/batches.js';
import type { ImageDataset } from '../data/dataset.js';
import { copiesOf, turnCount } from '../data/rotation.js';
import { countPerClass } from '../labels/label-selection.js';
import { summary } from '../nn/summary.js';
import type { Random } from '../random/random.js';
import { toBase64 } from '../store/base64.js';
import type { ConfusionMatrix, Exhibits, ImageGrid, Tile } from '../store/run-record.js';
import type { Evaluation } from '../train/evaluate.js';
import { networkFor, type RecipeContext, randomFor } from './context.js';
import { classNamesOf, hasLabels, labelledImages, labelsOf } from './labels.js';
import type { RunSettings } from './settings.js';
import type { RotationEvaluation } from './stages/pretrain.js';
import { finalOf, pretrainedIn, type StageOutcomes } from './stages.js';

/** What each class of the pretext task is called: degrees counter-clockwise. */
export const rotationNames: readonly string[] = ['0°', '90°', '180°', '270°'];

/** Pictures, tables and matrices for the report. Without a test set there is nothing to show of what was predicted. */
export function collectExhibits(context: RecipeContext, outcomes: StageOutcomes): Exhibits {
  const { data } = context;
  const [first] = outcomes.draws;
  const pretrained = pretrainedIn(outcomes);
  const classNames = classNamesOf(context);
  const tested = [...(first?.outcomes.values() ?? [])].flatMap((outcome) => outcome.tested);
  const kept = first && finalOf(first)?.classifier.test;
  const random = (name: string) => randomFor(context, 'exhibits', name);
  return {
    grids: [
      rotatedSamples(data.test ?? data.train),
      ...(pretrained
        ? [rotationGrid('Rotations of validation images', pretrained.val, 6, random('val'))]
        : []),
      ...(pretrained?.test
        ? [rotationGrid('Rotations of test images', pretrained.test, 8, random('test'))]
        : []),
      ...(data.test && kept
        ? [classGrid('Test images', data.test, classNames, kept, 8, random('classes'))]
        : []),
    ],
    layerTables: layerTables(context.settings, data.train, classNames.length),
    confusions: [
      ...(pretrained?.test ? [confusion('Rotations of test images', rotationNames, pretrained.test)] : []),
      ...tested.flatMap(({ when, test }) =>
        test ? [confusion(`Test images, ${when}`, classNames, test)] : [],
      ),
    ],
    classCounts: classCounts(context, classNames),
    trainImages: data.train.count,
  };
}

/** The notebook's three layer tables: pretraining, with blocks frozen, the supervised baseline. */
export function layerTables(
  settings: RunSettings,
  images: Pick<ImageDataset, 'height' | 'width' | 'channels'>,
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
function rotatedSamples(dataset: ImageDataset): ImageGrid {
  const copies = copiesOf(Uint32Array.from({ length: Math.min(4, dataset.count) }, (_, i) => i));
  const { images } = rotationBatch(dataset, copies);
  const tiles = Array.from(copies, (_, i) =>
    tile(images.data, i, dataset, rotationNames[i % turnCount]!, false),
  );
  return grid('What the network sees: every image in four quarter turns', turnCount, dataset, tiles);
}

function rotationGrid(
  subject: string,
  evaluation: RotationEvaluation,
  side: number,
  random: Random,
): ImageGrid {
  const { images, copies } = evaluation;
  const chosen = mistakesFirst(evaluation, side * side, random);
  const { images: pixels } = rotationBatch(
    images,
    chosen.map((i) => copies[i]!),
  );
  const tiles = captioned(pixels.data, images, evaluation, chosen, rotationNames);
  return grid(`${subject}: ${answersShown}`, side, images, tiles);
}

function classGrid(
  subject: string,
  dataset: ImageDataset,
  classNames: readonly string[],
  evaluation: Evaluation,
  side: number,
  random: Random,
): ImageGrid {
  const chosen = mistakesFirst(evaluation, side * side, random);
  const pixels = gatherImages(dataset, chosen);
  const tiles = captioned(pixels.data, dataset, evaluation, chosen, classNames);
  return grid(`${subject}: ${answersShown}`, side, dataset, tiles);
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

function captioned(
  pixels: Uint8Array,
  size: ImageDataset,
  { predictions, targets }: Evaluation,
  chosen: Uint32Array,
  names: readonly string[],
): Tile[] {
  return Array.from(chosen, (item, i) => {
    const [predicted, actual] = [predictions[item]!, targets[item]!];
    return tile(pixels, i, size, `${names[predicted]} (${names[actual]})`, predicted !== actual);
  });
}

function grid(
  title: string,
  columns: number,
  { height, width, channels }: ImageDataset,
  tiles: Tile[],
): ImageGrid {
  return { title, columns, height, width, channels, tiles };
}

function tile(
  pixels: Uint8Array,
  index: number,
  { height, width, channels }: ImageDataset,
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
  const counts = classNames.map(() => new Array<number>(classNames.length).fill(0));
  targets.forEach((actual, i) => {
    counts[actual]![predictions[i]!]! += 1;
  });
  return { title, classNames, counts };
}
