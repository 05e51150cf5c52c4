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
export function foldsOf(classes: ArrayLike<number>, most = maxFolds): number[][] | undefined {
  const seen = new Map<number, number>();
  const rank = Array.from(classes, (k) => {
    const before = seen.get(k) ?? 0;
    seen.set(k, before + 1);
    return before;
  });
  const count = Math.min(most, ...seen.values());
  if (count < 2) return undefined;
  const folds = Array.from({ length: count }, (): number[] => []);
  rank.forEach((nth, at) => {
    folds[nth % count]!.push(at);
  });
  return folds;
}

/** Labels divided in two: those of one fold and all others, by their positions. */
export interface HeldBackSplit {
  /** Held back: the classifier is tested on these. */
  readonly heldBack: readonly number[];
  /** The classifier learns from these. */
  readonly kept: readonly number[];
}

/** A split for each fold that is to be held back (see {@link heldBackFoldCount}). */
export function heldBackSplits(folds: readonly (readonly number[])[]): HeldBackSplit[] {
  const labels = folds.reduce((sum, { length }) => sum + length, 0);
  return folds
    .slice(0, heldBackFoldCount(labels, folds.length))
    .map((heldBack) => ({ heldBack, kept: folds.filter((fold) => fold !== heldBack).flat() }));
}

/** How many of the folds have to be held back in turn: all of them, or fewer if these hold enough labels. */
export function heldBackFoldCount(labels: number, folds: number): number {
  return folds === 0 ? 0 : Math.min(folds, Math.ceil((folds * enoughHeldBack) / labels));
}
