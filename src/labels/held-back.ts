/**
 * Parts at most. With three, two thirds of the labels are left to learn from, and learning is done three times; with two
 * parts, learners that need many labels look worse than they are; five cost twice as much.
 */
const mostParts = 3;

/** Labels that are asked for at least, where there are so many: the share of them that is found is known to 3 points. */
const enoughAsked = 300;

/**
 * Labels cut into parts, of which one is held back at a time: class by class in turn, so that every part holds as many
 * of each class as can be, and every class has a label left in the others.
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

/** A part of the labels that is held back, and all the others: positions among the labels. */
export interface Split {
  readonly held: readonly number[];
  readonly rest: readonly number[];
}

/** Each part that is held back, with the rest: all of them where labels are few, so that every label is asked for once. */
export function splitsOf(parts: readonly (readonly number[])[]): Split[] {
  const labels = parts.reduce((sum, { length }) => sum + length, 0);
  return parts
    .slice(0, splitCount(labels, parts.length))
    .map((held) => ({ held, rest: parts.filter((part) => part !== held).flat() }));
}

/** How many of the parts are held back. */
export function splitCount(labels: number, parts: number): number {
  return parts === 0 ? 0 : Math.min(parts, Math.ceil((parts * enoughAsked) / labels));
}
