/**
 * Folds that few labels are divided into. Three folds leave two thirds of the labels to learn from, and take three
 * trainings. With two, classifiers that need many labels look worse than they are; five cost twice as much.
 */
const fewestFolds = 3;

/**
 * Many labels are divided into more folds, of which one is held back: 25 leave 96 % of the labels to learn from, so that what
 * is tested is what is kept, and a fold of 50,000 labels tells an accuracy to within a point.
 */
const mostFolds = 25;

/** Once this many labels have been held back, no more need be: 300 tell an accuracy to within 3 points. */
const enoughHeldBack = 300;

/** Labels divided in two: those of one fold and all others, by their positions. */
export interface HeldBackSplit {
  /** Held back: the classifier is tested on these. */
  readonly heldBack: readonly number[];
  /** The classifier learns from these. */
  readonly kept: readonly number[];
}

/** How many folds so many labels are divided into: see {@link heldBackSplits}. */
export function foldCount(labels: number): number {
  return Math.max(fewestFolds, Math.min(mostFolds, Math.floor(labels / enoughHeldBack)));
}

/** How many of the folds have to be held back in turn: all of them, or fewer if these hold enough labels. */
export function heldBackFoldCount(labels: number, folds: number): number {
  return folds === 0 ? 0 : Math.min(folds, Math.ceil((folds * enoughHeldBack) / labels));
}

/**
 * Divides labels for cross-validation: a split for each fold that is to be held back. The labels are dealt out to the folds in
 * turn, class after class, so that every fold has its share of every class. A class keeps a label whichever fold is held
 * back; one with a single label always keeps it.
 *
 * @param classes class number of each label
 * @param folds default: see {@link foldCount}
 * @returns an empty list if no class has two labels, since nothing can then be held back
 */
export function heldBackSplits(
  classes: ArrayLike<number>,
  folds = foldCount(classes.length),
): readonly HeldBackSplit[] {
  const members = new Map<number, number[]>();
  for (let at = 0; at < classes.length; at++) {
    const own = members.get(classes[at] ?? -1);
    if (own) own.push(at);
    else members.set(classes[at] ?? -1, [at]);
  }
  const dealt = [...members]
    .sort(([a], [b]) => a - b)
    .flatMap(([, positions]) => (positions.length > 1 ? positions : []));
  if (dealt.length === 0) return [];
  const count = Math.min(folds, dealt.length);
  return Array.from({ length: heldBackFoldCount(dealt.length, count) }, (_, fold) => {
    const heldBack = dealt.filter((__, i) => i % count === fold).sort((a, b) => a - b);
    const isHeldBack = new Set(heldBack);
    const kept = Array.from({ length: classes.length }, (__, at) => at).filter((at) => !isHeldBack.has(at));
    return { heldBack, kept };
  });
}
