import { estimateClassShares } from './class-shares.js';

/** How classes are weighed against each other. */
export interface ClassBalance {
  /** What walks brought to all images together, by class. */
  readonly totals: Float64Array;
  /** By class. */
  readonly weights: Float64Array;
}

/**
 * Weighs classes by how many images they are likely to have: wₖ = πₖ·√λₖ, where π are the shares of the pile that are estimated from how
 * densely each class lies at each image (see {@link estimateClassShares}), and λₖ = (mₖ + 1) / (m + K) those of the m labels. Labels that
 * were drawn at random say how frequent a class is; labels that were given evenly say nothing, and the root lets the estimate decide.
 *
 * Chosen among πₖ, λₖ, √(πₖ·λₖ), πₖ·√λₖ and πₖ·λₖ on piles of MNIST, Fashion-MNIST and CIFAR-10 with 2, 3, 5 and 10 classes, from even to
 * 50:1, labels given evenly and in proportion, for accuracy and macro-F1.
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
  const totals = new Float64Array(classCount);
  scores.forEach((score, at) => {
    totals[at % classCount]! += score;
  });
  const densities = scores.map((score, at) => score / (totals[at % classCount]! || 1));
  const shares = await estimateClassShares(densities, classCount, onChunk);
  const given = new Float64Array(classCount).fill(1);
  for (let i = 0; i < labels.length; i++) given[labels[i]!]!++;
  const weights = shares.map((share, k) => share * Math.sqrt(given[k]! / (labels.length + classCount)));
  return { totals, weights };
}

/**
 * Weighs what walks brought to one image, in place:
 *
 *   wₖ · max(0, dₖ − (K − 2)/K · mean of d),  d = what came from class k / total of class k
 *
 * Of K classes, two vie for an image. The K − 2 others bring what walks bring everywhere once they have lost their way, and as much is
 * taken off. Of two classes, nothing is.
 *
 * @param scores of an image, float32 [K]
 */
export function weighClasses(scores: Float32Array, { totals, weights }: ClassBalance): void {
  const count = scores.length;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    scores[k]! /= totals[k]! || 1;
    sum += scores[k]!;
  }
  const background = ((count - 2) / count) * (sum / count);
  for (let k = 0; k < count; k++) scores[k] = weights[k]! * Math.max(0, scores[k]! - background);
}
