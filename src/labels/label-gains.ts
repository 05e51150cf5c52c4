/** What is known of the classes of a pile and of a classifier of it. */
export interface ClassEvidence {
  /** Labels of each class that the classifier learned from, K of them. */
  readonly labels: ArrayLike<number>;
  /** Held-back labels by their class (row) and by the answer of a classifier that did not know them, [K · K]. */
  readonly confusions: ArrayLike<number>;
  /** Share of each class in the pile, 0–1. */
  readonly shares: ArrayLike<number>;
}

/** Held-back labels that the prior counts for: as many as a class has where 100 labels are shared by 25. */
const priorLabels = 4;

/**
 * Shares of a classifier's answers for each class, from few held-back labels: row j is what images of class j are taken for.
 *
 *   C_jk = (m_jk + s·b_jk) / (Σₖ m_jk + s),   s = 4
 *
 * m counts held-back labels of class j that were answered k. Before anything is asked, each class is taken to be found as often
 * as labels are over all, and to be mistaken for every other class alike: that is b.
 *
 * @param confusions m, [K · K]
 * @returns [K · K], rows that add up to 1
 */
export function smoothedConfusions(confusions: ArrayLike<number>, classCount: number): Float64Array {
  let [found, asked] = [0, 0];
  for (let at = 0; at < confusions.length; at++) {
    asked += confusions[at] ?? 0;
    if (at % (classCount + 1) === 0) found += confusions[at] ?? 0;
  }
  // Two imagined labels, one of them found: without a miss, nobody is perfect.
  const accuracy = (found + 1) / (asked + 2);
  return Float64Array.from({ length: confusions.length }, (_, at) => {
    const j = Math.floor(at / classCount);
    let ofClass = 0;
    for (let k = 0; k < classCount; k++) ofClass += confusions[j * classCount + k] ?? 0;
    const before = at % (classCount + 1) === 0 ? accuracy : (1 - accuracy) / Math.max(1, classCount - 1);
    return ((confusions[at] ?? 0) + priorLabels * before) / (ofClass + priorLabels);
  });
}

/**
 * Estimates which classes more labels would help most. The error of a class falls about as one over the root of its labels n_k, so one
 * more label takes a share 1/2n_k of it away. Of the images that are mistaken, a label helps those of its class and those that are
 * taken for it, which share the gain:
 *
 *   g_k = (½ Σ_{l≠k} w_k C_kl + ½ Σ_{j≠k} w_j C_jk) / n_k,   w_k = (π_k + 1/K) / 2
 *
 * C are the smoothed confusions, π the shares of the classes. Images are weighed half as they are frequent and half class by class:
 * half for accuracy, and half for macro-F1.
 *
 * @returns g of each class, scaled to a mean of 1; all 1 if there is one class
 * @example
 * const gains = labelGains({ labels, confusions, shares });
 */
export function labelGains({ labels, confusions, shares }: ClassEvidence): Float64Array {
  const classCount = labels.length;
  const rates = smoothedConfusions(confusions, classCount);
  const weightOf = (k: number) => ((shares[k] ?? 0) + 1 / classCount) / 2;
  const gains = Float64Array.from({ length: classCount }, (_, k) => {
    let sum = 0;
    for (let other = 0; other < classCount; other++) {
      if (other === k) continue;
      sum += weightOf(k) * (rates[k * classCount + other] ?? 0);
      sum += weightOf(other) * (rates[other * classCount + k] ?? 0);
    }
    return sum / 2 / Math.max(1, labels[k] ?? 0);
  });
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / classCount;
  return mean > 0 ? gains.map((gain) => gain / mean) : gains.fill(1);
}
