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
  /** Whether their files are equal byte for byte; otherwise only what a model sees of them is. */
  readonly sameBytes: boolean;
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
    sameBytes: new Set(images.map(({ hash }) => hash)).size === 1,
    labels: [...new Set(images.flatMap(({ label }) => label ?? []))],
    splits: precedence.filter((split) => images.some((image) => partOf(image) === split)),
  };
}

/** What a person should know of pictures that come several times, one sentence each. */
export function describeDuplicates(duplicates: readonly SamePicture[]): string[] {
  const notes: string[] = [];
  for (const split of ['test', 'val'] as const) {
    const learned = duplicates.filter((each) => each.splits[0] === split && each.splits.length > 1);
    if (learned.length === 0) continue;
    const byBytes = learned.filter((each) => each.sameBytes).length;
    const names = learned.map(({ images }) => images.find((image) => partOf(image) === split)?.name ?? '');
    notes.push(
      `${counted(learned.length, `${split} image is also a training image`, `${split} images are also training images`)} (${byBytes} byte for byte, ${learned.length - byBytes} only after decoding): ${firstNames(names)}. They are left out of training.`,
    );
  }
  const contradicting = duplicates.filter(({ labels }) => labels.length > 1);
  if (contradicting.length > 0) {
    const cases = contradicting.map(({ images }) =>
      images.flatMap(({ name, label }) => (label === undefined ? [] : `${name}: ${label}`)).join(' ≠ '),
    );
    notes.push(
      `${counted(contradicting.length, 'picture bears', 'pictures bear')} more than one label: ${firstNames(cases)}. Training takes such a picture without a label; settle which one is right.`,
    );
  }
  const copies = duplicates.filter(({ splits, labels }) => splits.length === 1 && labels.length <= 1);
  if (copies.length > 0) {
    const names = copies.map(({ images }) => images[0]?.name ?? '');
    notes.push(
      `${counted(copies.length, 'picture comes', 'pictures come')} more than once and ${copies.length === 1 ? 'is' : 'are each'} taken once: ${firstNames(names)}.`,
    );
  }
  return notes;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
