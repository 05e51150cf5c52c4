import { indexOfLargest } from '../tensor/index-of-largest.js';

/** Images whose confidence lies in one range, and how many of them are right. */
export interface ReliabilityBin {
  /** The range of confidences, 0–1: above `low` up to `high`; the first has 0 in it, too. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean probability that was given to the class said, 0–1; 0 where there are no images. */
  readonly meanConfidence: number;
  /** Share of right answers, 0–1; 0 where there are no images. */
  readonly accuracy: number;
}

/** How far a classifier's probabilities can be taken at their word. */
export interface Reliability {
  /** From the lowest confidence, ranges of equal width, those without images among them. */
  readonly bins: readonly ReliabilityBin[];
  /**
   * Expected calibration error (Guo et al. 2017, section 2): `Σ_b n_b/N · |accuracy_b − meanConfidence_b|`, 0–1; 0 without
   * images.
   */
  readonly expectedCalibrationError: number;
  /** Images that were counted. */
  readonly count: number;
}

/**
 * Ten, so that every range is one of tens of per cent. The error depends on it a little: compare only what was
 * measured with as many.
 */
export const reliabilityBins = 10;

/** Counts answers by their confidence, one image at a time, in memory that does not grow with them. */
export class ReliabilityTally {
  readonly #counts = new Float64Array(reliabilityBins);
  readonly #confidence = new Float64Array(reliabilityBins);
  readonly #right = new Float64Array(reliabilityBins);

  /**
   * @param confidence probability of the class that was said; rounding may put it a hair beyond 0–1
   * @param isRight whether that is the image's class
   */
  add(confidence: number, isRight: boolean): void {
    const p = Math.min(1, Math.max(0, confidence));
    // An edge is in the range that ends with it, as a float32, too: that of 0.6 is 0.60000002.
    const bin = Math.min(reliabilityBins - 1, Math.max(0, Math.ceil(p * reliabilityBins - 1e-6) - 1));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#confidence[bin] = (this.#confidence[bin] ?? 0) + p;
    this.#right[bin] = (this.#right[bin] ?? 0) + (isRight ? 1 : 0);
  }

  result(): Reliability {
    const bins = Array.from(this.#counts, (count, i): ReliabilityBin => {
      const mean = (sum: number | undefined) => (count === 0 ? 0 : (sum ?? 0) / count);
      return {
        low: i / reliabilityBins,
        high: (i + 1) / reliabilityBins,
        count,
        meanConfidence: mean(this.#confidence[i]),
        accuracy: mean(this.#right[i]),
      };
    });
    const count = bins.reduce((sum, bin) => sum + bin.count, 0);
    const gaps = bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.accuracy - bin.meanConfidence), 0);
    return { bins, expectedCalibrationError: count === 0 ? 0 : gaps / count, count };
  }
}

/**
 * Reliability of the most probable class of each image.
 *
 * @param probabilities float32 [N, K], row-major, each 0–1
 * @param classes true class number of each of the N images; one below 0 has none and is not counted
 */
export function reliabilityOf(probabilities: Float32Array, classes: ArrayLike<number>): Reliability {
  const tally = new ReliabilityTally();
  const k = probabilities.length / Math.max(1, classes.length);
  for (let i = 0; i < classes.length; i++) {
    const actual = classes[i] ?? -1;
    if (actual < 0) continue;
    const row = probabilities.subarray(i * k, (i + 1) * k);
    const best = indexOfLargest(row);
    tally.add(row[best] ?? 0, best === actual);
  }
  return tally.result();
}
