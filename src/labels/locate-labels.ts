import { byCount, countOf } from '../counts.js';
import { hashImages, imagesReadAtOnce } from '../data/image-hash.js';
import type { ImageSource } from '../data/image-source.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import {
  assertIndices,
  distinct,
  type GivenLabel,
  type GivenLabels,
  labelsError,
  type PlacedLabel,
} from './given-labels.js';

/** Labels whose images have been found in a data set by their content. */
export interface LocatedLabels {
  /**
   * The same labels, complete: each with the hash of its image, and the index where that image lies in this data set.
   * Labels of images that are not there stay, without an index.
   */
  readonly given: GivenLabels;
  /** Those of images that are there, in the order given, each image once. */
  readonly places: readonly PlacedLabel[];
  /** Labels whose image lies at another index than they say. */
  readonly moved: number;
  /** Labels whose image is not in this data set. */
  readonly missing: number;
}

export interface LocateOptions extends ProgressOptions {
  /** The training set. */
  readonly images: ImageSource;
  /** MD5 of its files, which labels without hashes are checked against. */
  readonly checksums: Readonly<Record<string, string>>;
}

/**
 * Finds the image of each label by its content, so that labels follow their images when a data set is reordered, cut or
 * extended.
 *
 * An image is found at once if its index is right, otherwise by one pass over all images, a few megabytes at a time. Of
 * equal images the first is the labelled one: a label belongs to the content, which is used once. A label with an index
 * alone belongs to the image at that index.
 *
 * @throws QuarterturnError `data` if no image is found, one has two labels that differ, an index without a hash is
 *   outside the data or was given for other data; `interrupted` if the signal is aborted
 */
export async function locateLabels(given: GivenLabels, options: LocateOptions): Promise<LocatedLabels> {
  const { images, checksums, emit, signal } = options;
  const byIndex = given.images.flatMap(({ image, index }) =>
    image === undefined && index !== undefined ? [{ index }] : [],
  );
  assertIndices({ images, checksums }, given.data, byIndex);

  const hashAt = await hashesAtHints(given.images, images);
  const isThere = ({ image, index }: GivenLabel): boolean =>
    index !== undefined &&
    hashAt.get(index) !== undefined &&
    (image ?? hashAt.get(index)) === hashAt.get(index);
  const lost = given.images.flatMap((label) =>
    isThere(label) || label.image === undefined ? [] : [label.image],
  );
  const indexOf = await findImages(new Set(lost), { images, emit, signal });

  const complete = given.images.map((label): GivenLabel & { readonly image: string } => {
    const { index, label: className } = label;
    const image = label.image ?? hashAt.get(index ?? Number.NaN);
    if (image === undefined) throw labelsError('a hash or an index', 'neither');
    const found = isThere(label) ? index : indexOf.get(image);
    return { image, ...(found !== undefined && { index: found }), label: className };
  });
  const once = distinct(complete, ({ image }) => image);
  const places = once.flatMap(({ index, label }) => (index === undefined ? [] : [{ index, label }]));
  if (places.length === 0) {
    throw labelsError(
      `images of ${images.name}`,
      byCount(
        once.length,
        '1 label, of an image that is not there',
        `${countOf(once.length, 'label')}, all of images that are not there`,
      ),
      {
        hint: 'Use the data that the labels were given for, or label images of this data.',
      },
    );
  }
  return {
    given: { data: null, ...(given.classNames && { classNames: given.classNames }), images: [...once] },
    places,
    moved: given.images.filter(
      ({ image, index }) =>
        image !== undefined && index !== undefined && indexOf.has(image) && indexOf.get(image) !== index,
    ).length,
    missing: once.length - places.length,
  };
}

/** Hash of the image at each index that a label names, as far as there is one. */
async function hashesAtHints(
  labels: readonly GivenLabel[],
  images: ImageSource,
): Promise<Map<number, string>> {
  const hints = labels.flatMap(({ index }) => (index !== undefined && index < images.count ? [index] : []));
  const indices = [...new Set(hints)];
  const hashes = await hashImages(images, indices);
  return new Map(hashes.map((hash, i) => [indices[i] ?? 0, hash]));
}

/**
 * Where images lie, by their hashes: the first index of each. Images are gone through until all are found; no more of
 * them is kept than what was asked for.
 * @returns without those that are not there
 */
async function findImages(
  wanted: ReadonlySet<string>,
  { images, ...listening }: Pick<LocateOptions, 'images' | 'emit' | 'signal'>,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  if (wanted.size === 0) return found;
  const progress = startProgress(listening, 'labelled images looked up', images.count);
  const atOnce = imagesReadAtOnce(images);
  for (let from = 0; from < images.count && found.size < wanted.size; from += atOnce) {
    const indices = Uint32Array.from({ length: Math.min(atOnce, images.count - from) }, (_, i) => from + i);
    for (const [i, hash] of (await hashImages(images, indices)).entries()) {
      if (wanted.has(hash) && !found.has(hash)) found.set(hash, from + i);
    }
    await progress(from + indices.length);
  }
  return found;
}

/** Labels still to be given: an entry for each of these images, with no class. */
export async function blankLabels(images: ImageSource, indices: ArrayLike<number>): Promise<GivenLabel[]> {
  const hashes = await hashImages(images, indices);
  return hashes.map((image, i) => ({ image, index: indices[i], label: null }));
}

/** Whether two lists of labels are for the same images, in the same order, with the same classes. */
export function sameLabels(a: GivenLabels, b: GivenLabels): boolean {
  const all = [...a.images, ...b.images];
  const hashed = all.every(({ image }) => image !== undefined);
  const keyOf = ({ image, index }: GivenLabel): string | number => (hashed ? image : index) ?? 'nowhere';
  const shown = ({ images }: GivenLabels): string =>
    JSON.stringify(distinct(images, keyOf).map((label) => [keyOf(label), label.label]));
  const classes = ({ classNames = [] }: GivenLabels): string => JSON.stringify(classNames);
  return shown(a) === shown(b) && classes(a) === classes(b);
}
