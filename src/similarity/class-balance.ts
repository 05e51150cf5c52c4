import { estimateClassShares, labelledShares } from './class-shares.js';

/** How classes are weighed against each other. */
export interface ClassBalance {
  /** What walks brought to all images together, by class. */
  readonly totals: Float64Array;
  /** π: of the pile, by class. */
  readonly shares: Float64Array;
}

/**
 * Weighs classes by the shares of the pile that they are likely to have, from how densely each class lies at each image and from what
 * the labels let expect (see {@link estimateClassShares} and {@link labelledShares}).
 *
 * @param scores what walks brought, float32 [n · K]
 * @param labels classes of the labels
 * @param onChunk awaited after every few milliseconds' work
 */
export async function balanceClasses(
  scores: Float32Array,
  labels: ArrayLike<number>,
  classCount: number,
  onChunk?: () => Promise<void>,
): Promise<ClassBalance> {
  const totals = totalsByClass(scores, classCount);
  const densities = scores.map((score, at) => score / (totals[at % classCount]! || 1));
  const prior = labelledShares(labels, classCount);
  return { totals, shares: await estimateClassShares(densities, classCount, { prior, onChunk }) };
}

/**
 * What walks brought to all images together, by class.
 * @param scores float32 [n · K]
 */
export function totalsByClass(scores: Float32Array, classCount: number): Float64Array {
  const totals = new Float64Array(classCount);
  scores.forEach((score, at) => {
    totals[at % classCount]! += score;
  });
  return totals;
}

/**
 * Weighs what walks brought to one image, in place:
 *
 *   πₖ · max(0, dₖ − (K − 2)/K · mean of d),  d = what came from class k / total of class k
 *
 * Of K classes, two vie for an image. The K − 2 others bring what walks bring everywhere once they have lost their way, and as much is
 * taken off. Of two classes, nothing is.
 *
 * @param scores of an image, float32 [K]
 */
export function weighClasses(scores: Float32Array, { totals, shares }: ClassBalance): void {
  const count = scores.length;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    scores[k]! /= totals[k]! || 1;
    sum += scores[k]!;
  }
  const background = ((count - 2) / count) * (sum / count);
  for (let k = 0; k < count; k++) scores[k] = shares[k]! * Math.max(0, scores[k]! - background);
}
