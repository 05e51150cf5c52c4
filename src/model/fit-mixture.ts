import type { MemberShare } from '../nn/mixture.js';
import { fitTemperature, probabilitiesAt } from './temperature.js';

export interface MixtureAnswers {
  /** Of each member: float32 [N, K], row-major. */
  readonly logits: readonly Float32Array[];
  /** Class number of each of the N rows. */
  readonly targets: ArrayLike<number>;
}

/**
 * Labels that the belief in even shares is worth. Ten keep two or three lucky labels from deciding, and a hundred outweigh them
 * tenfold: see docs/recipes.md for what other numbers give.
 */
const priorLabels = 10;

/** Shares are known to three digits after some dozens of rounds. */
const rounds = 200;

/**
 * How to mix classifiers, by labels that none of them learned from. Each is calibrated by itself (`fitTemperature`); then the shares
 * w are those that make the labels most probable, together with a belief in even shares that is worth ten labels:
 *
 *   maximise  Σ_labels ln Σ_s w_s · p_s(label)  +  10 · mean_s ln w_s
 *
 * by expectation and maximisation: each label is divided among the members in proportion to w_s · p_s(label), and w_s is the part
 * of all labels that falls to member s.
 *
 * @returns one for each member; even shares at temperature 1 if there are no labels
 * @see Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977, section 4.3
 */
export function fitMixture({ logits, targets }: MixtureAnswers): readonly MemberShare[] {
  const n = targets.length;
  const temperatures = logits.map((own) => fitTemperature({ logits: own, targets }));
  const ofLabels = logits.map((own, s) => {
    const classCount = own.length / Math.max(1, n);
    const probabilities = probabilitiesAt(own, classCount, temperatures[s] ?? 1);
    return Float64Array.from(
      { length: n },
      (_, i) => probabilities[i * classCount + Number(targets[i])] ?? 0,
    );
  });
  const even = 1 / logits.length;
  let shares = logits.map(() => even);
  for (let round = 0; round < rounds; round++) {
    const counts = logits.map(() => priorLabels * even);
    for (let i = 0; i < n; i++) {
      const parts = ofLabels.map((own, s) => (shares[s] ?? 0) * (own[i] ?? 0));
      const sum = parts.reduce((a, b) => a + b, 0);
      parts.forEach((part, s) => {
        // A label that no member thinks possible says nothing of them.
        counts[s] = (counts[s] ?? 0) + (sum > 0 ? part / sum : even);
      });
    }
    shares = counts.map((count) => count / (n + priorLabels));
  }
  return shares.map((share, s) => ({ share, temperature: temperatures[s] ?? 1 }));
}
