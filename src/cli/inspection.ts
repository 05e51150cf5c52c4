import { createHash } from 'node:crypto';
import { contrastOf } from '../data/brightness.js';
import type { ImageDataset } from '../data/dataset.js';
import { distinctImages, type KnownImage, type SamePicture } from '../data/duplicates.js';
import { joinImages, readRange, selectImages } from '../data/image-source.js';
import { noClass } from '../data/label-values.js';
import type { Split } from '../data/readers/found-images.js';
import type { ProgressOptions } from '../progress.js';
import { findNearDuplicates } from '../recipes/near-duplicates.js';
import { probeTurning } from '../recipes/turning-probe.js';
import type { CommandData } from './place.js';

/** An image that was understood: where it is among those that are learned from, with those to test with behind them. */
interface InspectedImage extends KnownImage {
  readonly index: number;
}

const splits = ['train', 'val', 'test'] as const satisfies readonly Split[];

/** Images that look alike in a group of more are what pictures of one kind do that hardly differ: no copies. */
const largestGroup = 10;
/** Sizes of pictures that are listed. */
const listedSizes = 10;

/**
 * What data was understood to be, as `inspect --json` gives it.
 * @param path absolute, of the data
 */
export async function inspectionOf(path: string, data: CommandData, options: ProgressOptions) {
  const { train, test, fit, skipped = [], notes = [] } = data;
  const { height, width, channels } = train.images;
  const source = joinImages([train.images, ...(test ? [test.images] : [])]);
  const { images, oneColour } = data.parts ? imagesOfParts(data.parts) : await imagesOfArrays(train, test);
  const { duplicates = distinctImages(images).duplicates } = data;
  // Copies are known already: of each picture, its first image is compared with others.
  const firsts = [...new Map(images.toReversed().map((image) => [image.row, image])).values()].reverse();
  const compared = selectImages(
    source,
    Uint32Array.from(firsts, ({ index }) => index),
  );
  const groups = (await findNearDuplicates(compared, options)).map((group) =>
    group.flatMap((at) => firsts[at] ?? []),
  );
  const turning = await probeTurning(train.images, options);
  return {
    data: path,
    images: { height, width, channels, ...(fit && { fit: fit.fit, why: fit.why }) },
    pictures: data.parts ? sizesOf([...data.parts.train, ...data.parts.test]) : null,
    parts: Object.fromEntries(splits.map((split) => [split, countOf(images, split)])) as Record<
      Split,
      ReturnType<typeof countOf>
    >,
    classes: countsOfClasses(images, train.classNames),
    duplicates: duplicates.map(groupOf),
    nearDuplicates: groups.filter(({ length }) => length <= largestGroup).map(nearGroupOf),
    lookAlikes: groups.filter(({ length }) => length > largestGroup).map(({ length }) => length),
    oneColour: [
      ...oneColour,
      ...skipped.filter(({ reason }) => reason === 'image of one colour').map(({ name }) => name),
    ],
    turning: turning ?? null,
    skipped,
    // The size is told above.
    notes: notes.filter((note) => note !== `Images become ${fit?.why}.`),
  };
}

export type Inspection = Awaited<ReturnType<typeof inspectionOf>>;

interface Understood {
  readonly images: readonly InspectedImage[];
  /** Names of those that show nothing and were not set aside. */
  readonly oneColour: readonly string[];
}

function imagesOfParts({ train, test }: NonNullable<CommandData['parts']>): Understood {
  return { images: [...train, ...test].map((image, index) => ({ ...image, index })), oneColour: [] };
}

/** Of images that lie in arrays and are taken as they are: called by their places. */
async function imagesOfArrays(train: ImageDataset, test: ImageDataset | undefined): Promise<Understood> {
  const images: InspectedImage[] = [];
  const oneColour: string[] = [];
  const rows = new Map<string, number>();
  for (const [split, { images: source, labels, classNames }] of [
    ['train', train],
    ...(test ? [['test', test] as const] : []),
  ] as const) {
    for (let from = 0; from < source.count; from += 512) {
      const { data } = await readRange(source, from, Math.min(from + 512, source.count));
      const size = source.height * source.width * source.channels;
      for (let i = 0; i < data.length / size; i++) {
        const pixels = data.subarray(i * size, (i + 1) * size);
        const name = `${split}[${from + i}]`;
        const hash = createHash('sha256').update(pixels).digest('hex');
        const row = rows.get(hash) ?? rows.size;
        rows.set(hash, row);
        if (contrastOf(pixels, source.channels) === 0) oneColour.push(name);
        const label = classNames[labels?.[from + i] ?? noClass];
        images.push({ name, hash, row, index: images.length, split, ...(label !== undefined && { label }) });
      }
    }
  }
  return { images, oneColour };
}

function countOf(images: readonly KnownImage[], part: Split) {
  const own = images.filter(({ split = 'train' }) => split === part);
  return { count: own.length, unlabelled: own.filter(({ label }) => label === undefined).length };
}

function countsOfClasses(images: readonly KnownImage[], classNames: readonly string[]) {
  const classes = new Map(classNames.map((name) => [name, { name, train: 0, val: 0, test: 0 }]));
  for (const { label, split = 'train' } of images) {
    const counts = label === undefined ? undefined : classes.get(label);
    if (counts) counts[split]++;
  }
  return [...classes.values()];
}

/** Of the pictures as they lie in their files, the commonest size before all. */
function sizesOf(images: readonly { readonly height: number; readonly width: number }[]) {
  const sizes = new Map<string, { height: number; width: number; count: number }>();
  for (const { height, width } of images) {
    const size = sizes.get(`${height}×${width}`);
    if (size) size.count++;
    else sizes.set(`${height}×${width}`, { height, width, count: 1 });
  }
  const sides = images.map(({ height, width }) => Math.min(height, width)).sort((a, b) => a - b);
  return {
    different: sizes.size,
    commonest: [...sizes.values()].sort((a, b) => b.count - a.count).slice(0, listedSizes),
    shorterSides: {
      smallest: sides[0] ?? 0,
      median: sides[sides.length >> 1] ?? 0,
      largest: sides.at(-1) ?? 0,
    },
  };
}

/** Images that show the same, or nearly. */
interface AlikeImages {
  readonly files: readonly string[];
  readonly labels: readonly string[];
  readonly splits: readonly Split[];
}

function groupOf({ images, labels, splits: parts }: SamePicture): AlikeImages {
  return { files: images.map(({ name }) => name), labels, splits: parts };
}

function nearGroupOf(images: readonly KnownImage[]): AlikeImages {
  return {
    files: images.map(({ name }) => name),
    labels: [...new Set(images.flatMap(({ label }) => label ?? []))],
    splits: splits.filter((part) => images.some(({ split = 'train' }) => split === part)),
  };
}
