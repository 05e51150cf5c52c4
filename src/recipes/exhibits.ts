import { gatherImages, rotationBatch } from '../data/batches.js';
import type { ImageDataset } from '../data/dataset.js';
import { countPerClass } from '../data/label-selection.js';
import { copiesOf, turnCount } from '../data/rotation.js';
import { summary } from '../nn/summary.js';
import type { Random } from '../random/random.js';
import type { Evaluation } from '../train/evaluate.js';
import type { ConfusionMatrix, Exhibits, ImageGrid, Tile } from '../train/run-record.js';
import { networkFor, type RecipeContext, randomFor } from './context.js';
import { labelledImages, labelsOf } from './labels.js';
import type { RotationEvaluation } from './pretrain.js';
import type { RunSettings } from './settings.js';
import type { StageOutcomes } from './stages.js';

/** What each class of the pretext task is called: degrees counter-clockwise. */
export const rotationNames: readonly string[] = ['0°', '90°', '180°', '270°'];

/** Pictures, tables and matrices for the report. */
export function collectExhibits(context: RecipeContext, { pretrained, draws }: StageOutcomes): Exhibits {
  const { data } = context;
  const [first] = draws;
  const baseline = first?.baseline;
  const classifiers = first
    ? [
        ['after fine-tuning', first.classifier] as const,
        ['after self-training', first.selfTrained] as const,
      ].flatMap(([when, classifier]) => (classifier ? [{ when, classifier }] : []))
    : [];
  const last = classifiers.at(-1);
  const random = (name: string) => randomFor(context, 'exhibits', name);
  const digits = data.train.classNames;
  return {
    grids: [
      rotatedSamples(data.test),
      ...(pretrained
        ? [
            rotationGrid(
              'Rotations of validation images: predicted (actual)',
              pretrained.val,
              6,
              random('val'),
            ),
            rotationGrid('Rotations of test images: predicted (actual)', pretrained.test, 8, random('test')),
          ]
        : []),
      ...(last
        ? [
            classGrid(
              `Test images ${last.when}: predicted (actual)`,
              data.test,
              last.classifier.test,
              8,
              random('classes'),
            ),
          ]
        : []),
    ],
    layerTables: layerTables(context.settings, data.train, digits.length),
    confusions: [
      ...(pretrained ? [confusion('Rotations of test images', rotationNames, pretrained.test)] : []),
      ...classifiers.map(({ when, classifier }) => confusion(`Test images ${when}`, digits, classifier.test)),
      ...(baseline
        ? [
            confusion('Test images, supervised baseline', digits, baseline.test),
            confusion('Test images, baseline with re-estimated statistics', digits, baseline.testReestimated),
          ]
        : []),
    ],
    classCounts: classCounts(context),
  };
}

/** The notebook's three layer tables: pretraining, with blocks frozen, the supervised baseline. */
export function layerTables(
  settings: RunSettings,
  images: Pick<ImageDataset, 'height' | 'width' | 'channels'>,
  classes: number,
): Exhibits['layerTables'] {
  const network = (outputs: number) => networkFor(settings.network, images, outputs, 0);
  const { frozenBlocks } = settings.finetune;
  const frozen = frozenBlocks === 0 ? 'nothing frozen' : `blocks 1–${frozenBlocks} frozen`;
  return [
    summary(network(turnCount), { title: 'RotNet, pretraining' }),
    summary(network(turnCount), { title: `RotNet, ${frozen}`, frozenBlocks }),
    summary(network(classes), { title: 'Supervised baseline' }),
  ];
}

function classCounts(context: RecipeContext): Exhibits['classCounts'] {
  const { train } = context.data;
  const all = countPerClass(labelsOf(train), train.classNames.length);
  const labelled = countPerClass(labelsOf(labelledImages(context, 0)), train.classNames.length);
  return train.classNames.map((name, k) => ({ name, train: all[k]!, labelled: labelled[k]! }));
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
  title: string,
  evaluation: RotationEvaluation,
  side: number,
  random: Random,
): ImageGrid {
  const { images, copies } = evaluation;
  const chosen = choose(copies.length, side * side, random);
  const { images: pixels } = rotationBatch(
    images,
    chosen.map((i) => copies[i]!),
  );
  return grid(title, side, images, captioned(pixels.data, images, evaluation, chosen, rotationNames));
}

function classGrid(
  title: string,
  dataset: ImageDataset,
  evaluation: Evaluation,
  side: number,
  random: Random,
): ImageGrid {
  const chosen = choose(dataset.count, side * side, random);
  const pixels = gatherImages(dataset, chosen);
  return grid(title, side, dataset, captioned(pixels.data, dataset, evaluation, chosen, dataset.classNames));
}

/** `count` different items out of `total`, at random. */
function choose(total: number, count: number, random: Random): Uint32Array {
  return random.permutation(total).slice(0, Math.min(count, total));
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
  return { pixels: base64(pixels.subarray(index * size, (index + 1) * size)), caption, wrong };
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
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
