import { inChunks, yieldToEventLoop } from '../progress.js';

/** Weight of the expected shares beside the images where nobody says how much they are to be trusted: see {@link labelledShares}. */
const usualPriorWeight = 0.3;

/** Rounds at most; most piles need ten or twenty. */
const maxRounds = 100;

/** Shares that move by less do so in the fourth decimal place, which changes no class. */
const tolerance = 1e-4;

/** Scores that are added up between two turns of the event loop: a few milliseconds' work. */
const scoresAtATime = 2 ** 20;

/** What {@link estimateClassShares} may be told. */
export interface EstimateOptions {
  readonly prior?: SharePrior;
  readonly onChunk?: (() => Promise<void>) | undefined;
}

/** What is expected of the shares of classes before any image is looked at. */
export interface SharePrior {
  /** λ, by class; they add up to 1. */
  readonly shares: Float64Array;
  /** w, from 0 on: 0 leaves all to the images, 1 gives the expectation as much weight as all images together. */
  readonly weight: number;
}

/**
 * What m labels let expect of the shares of K classes. Labels that were given evenly say nothing of how large a class is, labels that
 * were drawn at random say it, and nobody says which they are. Their counts mₖ do: how far the shares of the labels are believed
 * rather than even ones is
 *
 *   a = max(0, 1 − (K − 1) / χ²),  χ² = Σ (mₖ − m/K)² / (m/K),
 *
 * and λₖ = (a·mₖ + (1 − a)·m/K + 1) / (m + K). The images' own evidence gets sharper with more labels, so that
 * the weight is w = 2/√m: 0.45 for 20 labels, 0.2 for 100, 0.06 for 1,000.
 *
 * Chosen on 198 piles of up to 6,000 images of MNIST, Fashion-MNIST and CIFAR-10, even, 10:1 and 50:1, 20, 100 and 1,000 labels given
 * evenly and in proportion, among fixed weights from 0.02 to 10 and 1/√m to 3/√m, and shares of labels that are believed as they are: these
 * cost a point where they are uneven by chance, and even ones up to 20 points where they are not.
 *
 * @param labels classes of the labels, in 0 … K − 1
 * @see Efron and Morris, "Data analysis using Stein's estimator and its generalizations", 1975, section 1, on how far to shrink
 */
export function labelledShares(labels: ArrayLike<number>, classCount: number): SharePrior {
  const counts = new Float64Array(classCount);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const even = labels.length / classCount;
  const chiSquare = counts.reduce((sum, count) => sum + (count - even) ** 2, 0) / (even || 1);
  const believed = chiSquare > 0 ? Math.max(0, 1 - (classCount - 1) / chiSquare) : 0;
  return {
    shares: counts.map((count) => (even + believed * (count - even) + 1) / (labels.length + classCount)),
    weight: 2 / Math.sqrt(Math.max(1, labels.length)),
  };
}

/**
 * Estimates how many images of a pile each class has, from how densely each class lies at each image: the shares π under which the
 * images are most probable, drawn towards expected ones. Images alone name shares that are right where classes lie apart and far off
 * where they do not. Each round of expectation and maximisation takes
 *
 *   πₖ ← (meanᵢ πₖ dᵢₖ / Σⱼ πⱼ dᵢⱼ + w λₖ) / (1 + w)
 *
 * @param densities d, float32 [n · K]; the sum of each class is 1. An image at which no class lies says nothing.
 * @param prior λ and w; default: even shares with w = 0.3
 * @param onChunk awaited after every few milliseconds' work; default: lets the event loop turn
 * @returns π, which add up to 1
 * @see Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", 2002, section 2.2
 */
export async function estimateClassShares(
  densities: Float32Array,
  classCount: number,
  { prior, onChunk = yieldToEventLoop }: EstimateOptions = {},
): Promise<Float64Array> {
  const { shares: expected, weight } = prior ?? {
    shares: new Float64Array(classCount).fill(1 / classCount),
    weight: usualPriorWeight,
  };
  let shares = new Float64Array(classCount).fill(1 / classCount);
  const posterior = new Float64Array(classCount);
  for (let round = 0; round < maxRounds; round++) {
    const sums = new Float64Array(classCount);
    let reached = 0;
    await inChunks(
      densities.length / classCount,
      scoresAtATime / classCount,
      (from, to) => {
        for (let own = from * classCount; own < to * classCount; own += classCount) {
          let total = 0;
          for (let k = 0; k < classCount; k++) {
            posterior[k] = shares[k]! * densities[own + k]!;
            total += posterior[k]!;
          }
          if (total <= 0) continue;
          reached++;
          for (let k = 0; k < classCount; k++) sums[k]! += posterior[k]! / total;
        }
      },
      onChunk,
    );
    if (reached === 0) break;
    const next = sums.map((sum, k) => (sum / reached + weight * expected[k]!) / (1 + weight));
    const moved = Math.max(...next.map((share, k) => Math.abs(share - shares[k]!)));
    shares = next;
    if (moved < tolerance) break;
  }
  return shares;
}
