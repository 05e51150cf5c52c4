import type { Random } from '../../random/random.js';
import { correctIn, type HeldBackEvidence } from './evidence.js';
import { type ImagesSeen, imagesSeen, seenByMixtures } from './stage.js';

/** A classifier that may be kept, and its evidence if labels could be held back. */
export interface Candidate {
  readonly learnsFrom: ImagesSeen;
  readonly evidence: HeldBackEvidence | undefined;
  /** Whether it has lost a class of the pile: see `hasLostClass`; default: no. */
  readonly lostClass?: boolean | undefined;
}

/** How many of the labels held back a candidate found. */
export interface Score {
  readonly found: number;
  readonly of: number;
  /** Which ones, in the order of their positions; absent where a run of an earlier version kept the counts alone. */
  readonly each?: readonly boolean[];
}

type Scored<T> = Omit<Candidate, 'evidence'> & { readonly candidate: T; readonly score: Score | undefined };

/**
 * Standard errors from which on held-back labels tell two classifiers apart: by chance, one pair in twenty of equally good ones lies
 * further apart.
 */
const certain = 2;

/**
 * Chooses the classifier to keep. A mixture is kept unless another is better for certain (by two standard errors): it is there where
 * held-back labels cannot tell its members apart. Otherwise every classifier within one standard error of the best on held-back
 * labels is a candidate; of these, the one that learned from the most images wins, because what was tried with labels held back
 * learned from fewer images than what is kept. One that has lost a class of the pile is kept only if it found more labels than
 * every other. If nothing could be held back, that order alone decides.
 *
 * @see Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984, section 3.4.3, on one standard
 *   error
 */
export function bestOf<T extends Candidate>(candidates: readonly T[]): T | undefined {
  return choose(candidates.map(scored))?.candidate;
}

function scored<T extends Candidate>(candidate: T): Scored<T> {
  const { learnsFrom, lostClass, evidence } = candidate;
  return { candidate, learnsFrom, lostClass, score: evidence && scoreOf(evidence) };
}

function choose<T>(candidates: readonly Scored<T>[]): Scored<T> | undefined {
  const scores = candidates.flatMap(({ score }) => (score ? [score] : []));
  const [best] = scores.sort((a, b) => shareOf(b) - shareOf(a));
  const bySeen = imagesSeen.flatMap((seen) => candidates.filter(({ learnsFrom }) => learnsFrom === seen));
  const foundMost = (candidate: Scored<T>): boolean =>
    candidates.every((other) => other === candidate || shareOf(candidate.score) > shareOf(other.score));
  const whole = bySeen.filter((candidate) => !candidate.lostClass || foundMost(candidate));
  const ordered = whole.length > 0 ? whole : bySeen;
  if (best === undefined || scores.length < candidates.length) return ordered[0];
  return ordered.find(({ score, learnsFrom }) => {
    const errors = learnsFrom === seenByMixtures ? certain : 1;
    return score && shareOf(best) - shareOf(score) <= errors * standardError(score, best);
  });
}

/** Whether held-back labels say for certain that one of two classifiers is better. */
export function areToldApart(one: HeldBackEvidence, other: HeldBackEvidence): boolean {
  const [a, b] = [scoreOf(one), scoreOf(other)];
  return isBetterForCertain(a, b) || isBetterForCertain(b, a);
}

/** Whether one found more of the labels than the other, by more than two standard errors of the difference. */
export function isBetterForCertain(one: Score, other: Score): boolean {
  return shareOf(one) - shareOf(other) > certain * standardError(one, other);
}

/** The score of one who found these labels. */
export function scoreOfEach(each: readonly boolean[]): Score {
  return { found: each.filter(Boolean).length, of: each.length, each };
}

/** 0 where nothing could be held back. */
function shareOf(score: Score | undefined): number {
  return score ? score.found / score.of : 0;
}

function scoreOf({ summary, answers }: HeldBackEvidence): Score {
  const { found, of } = summary;
  const each = answers
    .flatMap((fold) => {
      const correct = correctIn(fold);
      return fold.positions.map((position, i) => [position, correct[i] === true] as const);
    })
    .sort(([a], [b]) => a - b)
    .map(([, isFound]) => isFound);
  return each.length === of ? { found, of, each } : { found, of };
}

/**
 * Standard error of the difference between two shares of the same n labels: of b that one alone found, and c that the other
 * alone found,
 *
 *   √(b + c − (b − c)²/n) / n
 *
 * Labels that both find or both miss say nothing of the difference, which makes it smaller than that of two shares of other labels.
 * That is taken where the counts alone are known.
 *
 * @see McNemar, "Note on the sampling error of the difference between correlated proportions", 1947
 */
function standardError(one: Score, other: Score): number {
  if (one.each && other.each && one.of === other.of) {
    const n = one.of;
    const differ = one.each.filter((found, i) => found !== other.each![i]).length;
    return Math.sqrt(differ - (one.found - other.found) ** 2 / n) / n;
  }
  const [p, q] = [shareOf(one), shareOf(other)];
  return Math.sqrt((p * (1 - p)) / one.of + (q * (1 - q)) / other.of);
}

/** Samples of the labels that the choice is repeated on: 1,000 tell its optimism to a tenth of a point. */
const resamples = 1000;

/**
 * How much too good the chosen classifier looks because it was chosen by the very labels that it is judged by. The choice is
 * repeated on samples of the n labels, drawn with replacement. The optimism is the mean of
 *
 *   share found of the sample by the classifier that the sample chooses − share that it finds of the labels outside the sample.
 *
 * @returns 0–1; 0 where there is no choice, or the counts alone are known
 * @see Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and accurate
 *   cross-validation", 2018, section 3.2
 */
export function optimismOfChoice(candidates: readonly Candidate[], random: Random): number {
  const all = candidates.map(scored);
  const n = all[0]?.score?.of ?? 0;
  if (all.length < 2 || all.some(({ score }) => score?.each === undefined || score.of !== n)) return 0;
  let [sum, count] = [0, 0];
  for (let sample = 0; sample < resamples; sample++) {
    const drawn = Array.from({ length: n }, () => random.integer(n));
    const isDrawn = new Set(drawn);
    const outside = Array.from({ length: n }, (_, i) => i).filter((i) => !isDrawn.has(i));
    const of = (candidate: Scored<Candidate>, positions: readonly number[]): Score =>
      scoreOfEach(positions.map((i) => candidate.score!.each![i]!));
    const chosen = choose(all.map((own) => ({ ...own, candidate: own, score: of(own, drawn) })));
    if (chosen === undefined || outside.length === 0) continue;
    sum += shareOf(chosen.score) - shareOf(of(chosen.candidate, outside));
    count++;
  }
  return count === 0 ? 0 : Math.max(0, sum / count);
}
