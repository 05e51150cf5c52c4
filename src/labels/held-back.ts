/**
 * Parts at most. With three, two thirds of the labels are left to learn from, and learning is done three times; with two
 * parts, learners that need many labels look worse than they are; five cost twice as much.
 */
const mostParts = 3;

/**
 * Labels cut into parts, each of which is held back once: class by class in turn, so that every part holds as many of
 * each class as can be, and every class has a label left in the others.
 *
 * @param classes of each label
 * @returns positions in `classes`; undefined where a class has a single label, for then nothing can be held back
 */
export function partsOf(classes: ArrayLike<number>, most = mostParts): number[][] | undefined {
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
