import { type ImageSize, type ImageSource, readRange, selectImages } from '../data/image-source.js';
import { isolated } from '../data/isolated-name.js';
import { rotatedCopies, turnCount } from '../data/rotation.js';
import { countPerClass, remainingIndices } from '../labels/label-selection.js';
import { probabilitiesAt } from '../model/temperature.js';
import { summary } from '../nn/summary.js';
import type { Random } from '../random/random.js';
import { toBase64 } from '../store/base64.js';
import type { ConfusionMatrix, Exhibits, ImageGrid, Tile } from '../store/exhibits-record.js';
import { at } from '../tensor/elements.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { ConfusionTally } from '../train/class-metrics.js';
import { computeLogits, type Evaluation } from '../train/evaluate.js';
import { networkFor, type RecipeContext, randomFor, silentContext } from './context.js';
import { readDoubts } from './doubts.js';
import { classNamesOf, hasLabels, labelledImages, labelledIndices, labelsOf } from './labels.js';
import type { RunSettings } from './settings.js';
import type { Classifier } from './stages/finetune.js';
import { finalOf, pretrainedIn, type StageOutcomes } from './stages.js';

/** What each class of the pretext task is called: degrees counter-clockwise. */
export const rotationNames: readonly string[] = ['0°', '90°', '180°', '270°'];

/** Pictures, tables and matrices for the report. Without a test set, answers on the pile are shown, which nobody calls right or wrong. */
export async function collectExhibits(context: RecipeContext, outcomes: StageOutcomes): Promise<Exhibits> {
  const { data } = context;
  const [first] = outcomes.draws;
  const pretrained = pretrainedIn(outcomes);
  const classNames = classNamesOf(context);
  const tested = [...(first?.outcomes.values() ?? [])].flatMap((outcome) => outcome.tested);
  const kept = first && finalOf(first)?.classifier;
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
  if (data.test && kept?.test) {
    const shown = { evaluation: kept.test, names: classNames, side: 8, random: random('classes') };
    grids.push(await answersGrid('Test images', data.test.images, shown));
  }
  if (!data.test && kept) {
    const temperature = first?.appraisal?.calibration.temperature ?? 1;
    grids.push(...(await pileGrid(context, kept, { temperature, random: random('pile') })));
  }
  grids.push(...(await doubtedGrid(context)));
  return {
    grids,
    layerTables: trainedTables(context, outcomes, classNames.length),
    confusions: [
      ...(pretrained?.test ? [confusion('Rotations of test images', rotationNames, pretrained.test)] : []),
      ...tested.flatMap(({ when, test }) =>
        test ? [confusion(`Test images, ${when}`, classNames, test)] : [],
      ),
    ],
    classCounts: classCounts(context, classNames, kept && (await pileAnswers(context, kept))),
    trainImages: data.train.images.count,
    ...(data.leftOut && { leftOut: data.leftOut }),
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

/** The tables of networks that were trained, each once. */
function trainedTables(
  { settings, data }: RecipeContext,
  { shared, draws }: StageOutcomes,
  classes: number,
): Exhibits['layerTables'] {
  const [pretext, frozen, supervised] = layerTables(settings, data.train.images, classes);
  const isToldClasses = draws.some(({ outcomes }) => outcomes.size > 0);
  return [
    ...(shared.size > 0 && pretext ? [pretext] : []),
    ...(isToldClasses && settings.finetune.frozenBlocks > 0 && frozen ? [frozen] : []),
    ...(isToldClasses && supervised ? [supervised] : []),
  ];
}

/** Images of the pile whose answers are counted: shares of them are known to 5 points or better, and it takes a second. */
const countedAnswers = 500;

/** How many images of a sample of the pile a classifier takes for each class; undefined without a pile. */
async function pileAnswers(
  context: RecipeContext,
  { network, weights }: Pick<Classifier, 'network' | 'weights'>,
): Promise<Uint32Array | undefined> {
  const { images } = context.data.train;
  const pile = remainingIndices(images.count, labelledIndices(context, 0));
  if (pile.length === 0) return undefined;
  const chosen = randomFor(context, 'exhibits', 'answers').shuffle(pile).slice(0, countedAnswers);
  const set = { title: 'a sample of the pile', images: selectImages(images, chosen) };
  const logits = await computeLogits(network, weights, set, context);
  const counts = new Uint32Array(network.classes);
  for (let i = 0; i < chosen.length; i++) {
    const said = indexOfLargest(logits.subarray(i * network.classes, (i + 1) * network.classes));
    counts[said] = at(counts, said) + 1;
  }
  return counts;
}

function classCounts(
  context: RecipeContext,
  classNames: readonly string[],
  found: Uint32Array | undefined,
): Exhibits['classCounts'] {
  const { train } = context.data;
  const all = train.labels && countPerClass(train.labels, classNames.length);
  const labelled = hasLabels(context)
    ? countPerClass(labelsOf(labelledImages(context, 0)), classNames.length)
    : [];
  return classNames.map((name, k) => ({
    ...{ name, train: all?.[k] ?? null, labelled: labelled[k] ?? 0 },
    ...(found && { found: at(found, k) }),
  }));
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
    return tile(
      data,
      i,
      images,
      `${isolated(at(names, predicted))} (${isolated(at(names, actual))})`,
      predicted !== actual,
    );
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

/** Images along each side of the pile's grid. */
const pileSide = 8;

interface PileGridOptions {
  /** Of the calibration, so that the probabilities are those of the exported file. */
  readonly temperature: number;
  readonly random: Random;
}

/** Some images of the pile with the class that they are given and its probability, those of a class side by side; none without a pile. */
async function pileGrid(
  context: RecipeContext,
  { network, weights }: Pick<Classifier, 'network' | 'weights'>,
  { temperature, random }: PileGridOptions,
): Promise<ImageGrid[]> {
  const { images } = context.data.train;
  const pile = remainingIndices(images.count, labelledIndices(context, 0));
  if (pile.length === 0) return [];
  const chosen = random.shuffle(pile).slice(0, pileSide ** 2);
  const names = classNamesOf(context);
  const set = { title: 'images of the pile to show', images: selectImages(images, chosen) };
  const logits = await computeLogits(network, weights, set, silentContext(context));
  const probabilities = probabilitiesAt(logits, names.length, temperature);
  const { data } = await images.read(chosen);
  const answers = Array.from(chosen, (_, i) => {
    const row = probabilities.subarray(i * names.length, (i + 1) * names.length);
    const predicted = indexOfLargest(row);
    return { i, predicted, probability: at(row, predicted) };
  }).sort((a, b) => a.predicted - b.predicted || b.probability - a.probability);
  const tiles = answers.map(({ i, predicted, probability }) => {
    const caption = `${isolated(at(names, predicted))} ${(100 * probability).toFixed(0)} %`;
    return tile(data, i, images, caption, false);
  });
  return [
    grid(
      'Images of the pile, each with the class that it is given and its probability',
      pileSide,
      images,
      tiles,
    ),
  ];
}

/** Images along the longer side of the grid of doubted labels, and how many it shows at most. */
const [doubtedColumns, mostDoubted] = [8, 40];

/** The images of labels that the rest contradicts; none if there are none. */
async function doubtedGrid({ data, store }: RecipeContext): Promise<ImageGrid[]> {
  const doubted = (await readDoubts(store))?.doubted.slice(0, mostDoubted) ?? [];
  if (doubted.length === 0) return [];
  const { images } = data.train;
  const pixels = await images.read(Uint32Array.from(doubted, ({ index }) => index));
  const tiles = doubted.map(({ label, suggested }, i) =>
    tile(pixels.data, i, images, `${isolated(label)}: ${isolated(suggested)}?`, false),
  );
  return [
    grid('Labels that the rest contradicts, as given: as the rest says', doubtedColumns, images, tiles),
  ];
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
