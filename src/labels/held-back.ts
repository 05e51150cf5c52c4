/**
 * The largest number of folds that labels are divided into. Three folds leave two thirds of the labels to learn from, and
 * take three trainings. With two, classifiers that need many labels look worse than they are; five cost twice as much.
 */
const maxFolds = 3;

/** Once this many labels have been held back, no more need be: 300 tell an accuracy to within 3 points. */
const enoughHeldBack = 300;

/**
 * Divides labels into folds for cross-validation. The labels of each class are dealt out to the folds in turn, so that
 * every fold has its share of every class, and each class keeps a label when one fold is held back.
 *
 * @param classes class number of each label
 * @param most folds at most
 * @returns positions in `classes`, fold by fold; undefined if a class has a single label, since nothing can then be held
 *   back
 */
export function partsOf(classes: ArrayLike<number>, most = maxFolds): number[][] | undefined {
  const seen = new Map<number, number>();
  const rank = Array.from(classes, (k) => {
    const before = seen.get(k) ?? 0;
    seen.set(k, before + 1);
    return before;
  });
  const count = Math.min(most, ...seen.values());
  if (count < 2) return undefined;
  const parts = Array.from({ length: count }, (): number[] => []);
  rank.forEach((nth, at) => {
    parts[nth % count]!.push(at);
  });
  return parts;
}

/** Labels divided in two: those of one fold and all others, by their positions. */
export interface Split {
  /** Held back: the classifier is tested on these. */
  readonly held: readonly number[];
  /** The classifier learns from these. */
  readonly rest: readonly number[];
}

/** A split for each fold that is to be held back (see {@link splitCount}). */
export function splitsOf(parts: readonly (readonly number[])[]): Split[] {
  const labels = parts.reduce((sum, { length }) => sum + length, 0);
  return parts
    .slice(0, splitCount(labels, parts.length))
    .map((held) => ({ held, rest: parts.filter((part) => part !== held).flat() }));
}

/** How many of the folds have to be held back in turn: all of them, or fewer if these hold enough labels. */
export function splitCount(labels: number, parts: number): number {
  return parts === 0 ? 0 : Math.min(parts, Math.ceil((parts * enoughHeldBack) / labels));
}
