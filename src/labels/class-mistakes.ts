/** What is known of the classes of a pile and of a classifier of it. */
export interface ClassEvidence {
  /** Held-back labels by their class (row) and by the answer of a classifier that did not know them, [K · K]. */
  readonly confusions: ArrayLike<number>;
  /** Share of each of the K classes in the pile, 0–1. */
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
 * Estimates which classes a classifier's mistakes are of: more labels of these help most. A mistake is half of the class of its image,
 * and half of the class that the image is taken for, since labels of either tell the two apart:
 *
 *   g_k = (½ Σ_{l≠k} w_k C_kl + ½ Σ_{j≠k} w_j C_jk) / Σ_j w_j (1 − C_jj),   w_k = (π_k + 1/K) / 2
 *
 * C are the smoothed confusions, π the shares of the classes. Images are weighed half as they are frequent and half class by class:
 * half for accuracy, and half for macro-F1. How few labels a class has plays no part: where ten labels more of a class were tried,
 * rules that preferred those gained nothing (docs/recipes.md).
 *
 * @returns g of each class, which add up to 1
 * @example
 * const mistakes = mistakeShares({ confusions, shares });
 */
export function mistakeShares({ confusions, shares }: ClassEvidence): Float64Array {
  const classCount = shares.length;
  const rates = smoothedConfusions(confusions, classCount);
  const weightOf = (k: number) => ((shares[k] ?? 0) + 1 / classCount) / 2;
  const mistakes = Float64Array.from({ length: classCount }, (_, k) => {
    let sum = 0;
    for (let other = 0; other < classCount; other++) {
      if (other === k) continue;
      sum += weightOf(k) * (rates[k * classCount + other] ?? 0);
      sum += weightOf(other) * (rates[other * classCount + k] ?? 0);
    }
    return sum / 2;
  });
  const total = mistakes.reduce((sum, share) => sum + share, 0);
  return mistakes.map((share) => (total > 0 ? share / total : 1 / classCount));
}
