import type { MemberShare } from '../nn/mixture.js';
import { fitTemperature, probabilitiesAt } from './temperature.js';

export interface MixtureAnswers {
  /** Of each member: float32 [N, K], row-major. */
  readonly logits: readonly Float32Array[];
  /** Class number of each of the N rows. */
  readonly targets: ArrayLike<number>;
  /** What is believed of the members before any label is asked: as if so many labels, which may be fractions above 0, had fallen to each. */
  readonly belief: readonly number[];
}

/** Shares are known to three digits after some dozens of rounds. */
const rounds = 200;

/**
 * How to mix classifiers, by labels that none of them learned from. Each is calibrated by itself (`fitTemperature`); then the shares
 * w are those that make the labels most probable, together with what is believed of the members:
 *
 *   maximise  Σ_labels ln Σ_s w_s · p_s(label)  +  Σ_s belief_s · ln w_s
 *
 * by expectation and maximisation: each label is divided among the members in proportion to w_s · p_s(label), and w_s is the part
 * of all labels that falls to member s.
 *
 * @returns one for each member; shares as they are believed to be, at temperature 1, if there are no labels
 * @see Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977, section 4.3
 */
export function fitMixture({ logits, targets, belief }: MixtureAnswers): readonly MemberShare[] {
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
  const believed = belief.reduce((sum, labels) => sum + labels, 0);
  let shares = belief.map((labels) => labels / believed);
  for (let round = 0; round < rounds; round++) {
    const counts = [...belief];
    for (let i = 0; i < n; i++) {
      const parts = ofLabels.map((own, s) => (shares[s] ?? 0) * (own[i] ?? 0));
      const sum = parts.reduce((a, b) => a + b, 0);
      parts.forEach((part, s) => {
        // A label that no member thinks possible says nothing of them.
        counts[s] = (counts[s] ?? 0) + (sum > 0 ? part / sum : even);
      });
    }
    shares = counts.map((count) => count / (n + believed));
  }
  return shares.map((share, s) => ({ share, temperature: temperatures[s] ?? 1 }));
}
