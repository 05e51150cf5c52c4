import { countOf, formatCount } from '../counts.js';
import { firstNames } from './name-list.js';
import type { Split } from './readers/found-images.js';

/** What tells whether images are the same picture. */
export interface KnownImage {
  readonly name: string;
  readonly label?: string;
  readonly split?: Split;
  /** SHA-256 of the bytes of its file. */
  readonly hash: string;
  /** Equal for images with the same pixels, once they are fitted: copies, and files that encode the same picture. */
  readonly row: number;
}

/** Images that are the same picture: two or more. */
export interface SamePicture {
  readonly images: readonly KnownImage[];
  /** The labels that they bear, each once: more than one contradict each other. */
  readonly labels: readonly string[];
  /** The parts that they lie in, each once. An image that no part is told of is one to train on. */
  readonly splits: readonly Split[];
}

export interface DistinctImages<T extends KnownImage> {
  /** In their order, no picture twice. */
  readonly images: readonly T[];
  readonly duplicates: readonly SamePicture[];
}

/** A picture of several parts stays in the first of these alone, so that nothing is asked that was learned. */
const precedence: readonly Split[] = ['test', 'val', 'train'];

const partOf = ({ split = 'train' }: KnownImage): Split => split;

/**
 * Take each picture once.
 *
 * One that comes several times in a part is taken once, with its label where any copy has one. One that lies in several
 * parts stays in `test` before `val` before `train`. Copies whose labels contradict each other are taken once without a label
 * for training, where it cannot be known, and not at all for `val` and `test`, where no answer could be right.
 */
export function distinctImages<T extends KnownImage>(images: readonly T[]): DistinctImages<T> {
  const groups = new Map<number, T[]>();
  for (const image of images) {
    const group = groups.get(image.row);
    if (group === undefined) groups.set(image.row, [image]);
    else group.push(image);
  }
  const several = [...groups.values()].filter((group) => group.length > 1);
  const kept = new Map(
    several.flatMap((group) => group.map((image): [T, T | undefined] => [image, undefined])),
  );
  for (const group of several) {
    const [original, image] = chosenOf(group);
    kept.set(original, image);
  }
  return {
    images: images.flatMap((image) => (kept.has(image) ? (kept.get(image) ?? []) : image)),
    duplicates: several.map(samePicture),
  };
}

/** Which of the same pictures stays, and as what; undefined: none does. */
function chosenOf<T extends KnownImage>(group: readonly T[]): [original: T, image: T | undefined] {
  const part = precedence.find((each) => group.some((image) => partOf(image) === each));
  const copies = group.filter((image) => partOf(image) === part);
  const labelled = copies.filter(({ label }) => label !== undefined);
  const [original] = labelled.length > 0 ? labelled : copies;
  if (original === undefined) throw new RangeError('a group of no images');
  if (new Set(labelled.map(({ label }) => label)).size <= 1) return [original, original];
  if (part !== 'train') return [original, undefined];
  const { label: _, ...unlabelled } = original;
  return [original, unlabelled as T];
}

function samePicture(images: readonly KnownImage[]): SamePicture {
  return {
    images,
    labels: [...new Set(images.flatMap(({ label }) => label ?? []))],
    splits: precedence.filter((split) => images.some((image) => partOf(image) === split)),
  };
}

/**
 * Notes for a person on pictures that occur several times, one sentence each.
 * @param taken whether each is taken once or as often as it comes
 */
export function describeDuplicates(
  duplicates: readonly SamePicture[],
  taken: 'once' | 'keep' = 'once',
): string[] {
  const notes: string[] = [];
  const note = (what: string, names: readonly string[], then: string): void => {
    notes.push(`${what}: ${firstNames(names)}.${taken === 'once' ? ` ${then}` : ''}`);
  };
  for (const split of ['test', 'val'] as const) {
    const leaks = duplicates.flatMap(({ images, splits }) =>
      splits[0] === split ? leaksOf(images, split) : [],
    );
    if (leaks.length === 0) continue;
    const byBytes = leaks.filter(({ isByBytes }) => isByBytes).length;
    note(
      `${countOf(leaks.length, `${split} image is also a training image`, `${split} images are also training images`)} (${formatCount(byBytes)} byte for byte, ${formatCount(leaks.length - byBytes)} only after decoding)`,
      leaks.map(({ name }) => name),
      'They are left out of training.',
    );
  }
  const contradicting = duplicates.filter(({ labels }) => labels.length > 1);
  if (contradicting.length > 0) {
    note(
      `${countOf(contradicting.length, 'picture bears', 'pictures bear')} more than one label`,
      contradicting.map(({ images }) =>
        images.flatMap(({ name, label }) => (label === undefined ? [] : `${name}: ${label}`)).join(' ≠ '),
      ),
      'Training takes such a picture without a label, and no test takes it; settle which one is right.',
    );
  }
  const copies = duplicates.filter(({ splits, labels }) => splits.length === 1 && labels.length <= 1);
  if (copies.length > 0) {
    note(
      `${countOf(copies.length, 'picture comes', 'pictures come')} more than once`,
      copies.map(({ images }) => images[0]?.name ?? ''),
      'Each is taken once.',
    );
  }
  return notes;
}

/** Images of a part that are also images of another, and whether their files are equal. */
function leaksOf(images: readonly KnownImage[], split: Split) {
  const others = images.filter((image) => partOf(image) !== split);
  const asked = others.length === 0 ? [] : images.filter((image) => partOf(image) === split);
  return asked.map(({ name, hash }) => ({ name, isByBytes: others.some((other) => other.hash === hash) }));
}
