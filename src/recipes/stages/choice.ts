import { correctIn, type HeldBackEvidence } from './evidence.js';
import { type ImagesSeen, imagesSeen } from './stage.js';

/** A classifier that may be kept, and its evidence if labels could be held back. */
export interface Candidate {
  readonly learnsFrom: ImagesSeen;
  readonly evidence: HeldBackEvidence | undefined;
  /** Whether it gives almost no image of the pile a certain class any more; default: no. */
  readonly lostClass?: boolean | undefined;
}

/**
 * Chooses the classifier to keep. Every classifier within one standard error of the best on held-back labels is a
 * candidate; of these, the one that learned from the most images wins, because what was tried with labels held back
 * learned from fewer images than what is kept. One that has lost a class of the pile is kept only if it found more labels than
 * every other. If nothing could be held back, that order alone decides.
 *
 * @see Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984, section 3.4.3, on one standard
 *   error
 */
export function bestOf<T extends Candidate>(candidates: readonly T[]): T | undefined {
  const tested = candidates.flatMap(({ evidence }) => (evidence ? [evidence] : []));
  const [best] = tested.sort((a, b) => shareFound(b) - shareFound(a));
  const bySeen = imagesSeen.flatMap((seen) => candidates.filter(({ learnsFrom }) => learnsFrom === seen));
  const foundMost = (candidate: T): boolean =>
    candidates.every((other) => other === candidate || foundOf(candidate) > foundOf(other));
  const whole = bySeen.filter((candidate) => !candidate.lostClass || foundMost(candidate));
  const ordered = whole.length > 0 ? whole : bySeen;
  if (best === undefined || tested.length < candidates.length) return ordered[0];
  return ordered.find(
    ({ evidence }) => evidence && shareFound(best) - shareFound(evidence) <= standardError(evidence, best),
  );
}

/** 0 where nothing could be held back. */
function foundOf({ evidence }: Candidate): number {
  return evidence ? shareFound(evidence) : 0;
}

function shareFound({ summary }: HeldBackEvidence): number {
  return summary.found / summary.of;
}

/**
 * Standard error of the difference between two shares of the same n labels: of b that one alone found, and c that the other
 * alone found,
 *
 *   √(b + c − (b − c)²/n) / n
 *
 * Labels that both find or both miss say nothing of the difference, which makes it smaller than that of two shares of other labels.
 * That is taken where a run of an earlier version kept the counts alone.
 *
 * @see McNemar, "Note on the sampling error of the difference between correlated proportions", 1947
 */
export function standardError(one: HeldBackEvidence, other: HeldBackEvidence): number {
  const [ofOne, ofOther] = [foundBy(one), foundBy(other)];
  const both = [...ofOne].flatMap(([position, found]) => {
    const foundToo = ofOther.get(position);
    return foundToo === undefined ? [] : [Number(found) - Number(foundToo)];
  });
  const n = both.length;
  if (n > 0 && n === ofOne.size && n === ofOther.size) {
    const difference = both.reduce((sum, x) => sum + x, 0);
    return Math.sqrt(both.reduce((sum, x) => sum + x * x, 0) - difference ** 2 / n) / n;
  }
  const [p, q] = [shareFound(one), shareFound(other)];
  return Math.sqrt((p * (1 - p)) / one.summary.of + (q * (1 - q)) / other.summary.of);
}

/** Which labels were found, by their position. */
function foundBy({ answers }: HeldBackEvidence): ReadonlyMap<number, boolean> {
  return new Map(
    answers.flatMap((each) => {
      const correct = correctIn(each);
      return each.positions.map((position, i) => [position, correct[i] === true] as const);
    }),
  );
}
