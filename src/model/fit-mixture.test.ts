import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import { fitMixture } from './fit-mixture.js';

const classCount = 5;

/** Logits of a member that is right about a share of the labels, and sure of itself. */
function member(targets: readonly number[], accuracy: number, random: Random): Float32Array {
  const logits = new Float32Array(targets.length * classCount);
  targets.forEach((target, i) => {
    const said = random.uniform() < accuracy ? target : random.integer(classCount);
    logits[i * classCount + said] = 3;
  });
  return logits;
}

describe('fitMixture', () => {
  const random = Random.seeded(5);
  const labels = (n: number) => Array.from({ length: n }, () => random.integer(classCount));

  const belief = [5, 5];

  it('gives the better member more, the more so the more labels there are', () => {
    const shareOf = (n: number) => {
      const targets = labels(n);
      const logits = [member(targets, 0.3, random), member(targets, 0.9, random)];
      return fitMixture({ logits, targets, belief })[1]?.share ?? 0;
    };
    const [few, some, many] = [shareOf(6), shareOf(100), shareOf(3000)];
    expect(few).toBeGreaterThan(0.45);
    expect(some).toBeGreaterThan(0.7);
    expect(many).toBeGreaterThan(Math.max(some, few));
  });

  it('gives members that are equally good even shares, which sum to 1', () => {
    const targets = labels(2000);
    const shares = fitMixture({
      logits: [0, 1, 2].map(() => member(targets, 0.6, random)),
      targets,
      belief: [3, 3, 3],
    });
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    for (const { share } of shares) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.1);
  });

  it('makes the labels no less probable than even shares do', () => {
    const targets = labels(60);
    const logits = [member(targets, 0.5, random), member(targets, 0.8, random)];
    const fitted = fitMixture({ logits, targets, belief });
    const cost = (shares: readonly number[]) =>
      targets.reduce((sum, target, i) => {
        const p = logits.reduce((mixed, own, s) => {
          const row = Array.from(own.subarray(i * classCount, (i + 1) * classCount), (z) =>
            Math.exp(z / (fitted[s]?.temperature ?? 1)),
          );
          return mixed + ((shares[s] ?? 0) * (row[target] ?? 0)) / row.reduce((a, b) => a + b, 0);
        }, 0);
        return sum - Math.log(p);
      }, 0) -
      5 * shares.reduce((sum, share) => sum + Math.log(share), 0);
    const found = cost(fitted.map(({ share }) => share));
    for (const share of [0.02, 0.2, 0.5, 0.8, 0.98])
      expect(found).toBeLessThanOrEqual(cost([share, 1 - share]) + 1e-6);
  });

  it('moves away from what is believed as far as labels ask for, and without labels not at all', () => {
    const none = { logits: [new Float32Array(), new Float32Array()], targets: [] };
    expect(fitMixture({ ...none, belief: [5, 15] })).toEqual([
      { share: 0.25, temperature: 1 },
      { share: 0.75, temperature: 1 },
    ]);
    const shareOf = (n: number) => {
      const targets = labels(n);
      const logits = [member(targets, 0.9, random), member(targets, 0.3, random)];
      return fitMixture({ logits, targets, belief: [5, 15] })[0]?.share ?? 0;
    };
    const [few, many] = [shareOf(6), shareOf(1000)];
    expect(few).toBeLessThan(0.45);
    expect(many).toBeGreaterThan(0.8);
  });
});
