import { describe, expect, test } from 'vitest';
import { fitAbstention } from '../../model/abstention.js';
import { Random } from '../../random/random.js';
import { abstentionFrom } from './abstention.js';

describe('the probability below which a classifier is unsure', () => {
  test('is the fifth lowest of a hundred, and the lowest of a few', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => (1 + ((37 * i) % 100)) / 100);
    expect(fitAbstention(hundred)).toEqual({
      ...{ threshold: 0.05, accepted: 0.96, level: 0.95, heldBack: 100 },
      low: expect.closeTo(0.9016, 4),
      high: expect.closeTo(0.9843, 4),
    });
    expect(fitAbstention([0.9, 0.99, 0.4, 0.8])).toMatchObject({ threshold: 0.4, accepted: 1, heldBack: 4 });
    expect(fitAbstention([])).toBeUndefined();
  });

  test.each([20, 100, 300])('found by %i labels, accepts 95 %% of other images of the classes on average', (n) => {
    const random = Random.seeded(n);
    let accepted = 0;
    const draws = 400;
    for (let draw = 0; draw < draws; draw++) {
      const { threshold = 0 } = fitAbstention(Array.from({ length: n }, () => random.uniform())) ?? {};
      accepted += (1 - threshold) / draws; // of uniform confidences
    }
    expect(accepted).toBeGreaterThan(0.945);
    expect(accepted).toBeLessThan(0.965);
  });

  test('is that of the answers of all folds, divided by the temperature, without those that diverged', () => {
    const fold = { positions: [0], targets: [0], sample: new Int32Array() };
    const answers = [
      { ...fold, fold: 0, positions: [0, 1], targets: [0, 1], logits: Float32Array.of(0, 4, 6, 0) },
      { ...fold, fold: 1, logits: null },
      { ...fold, fold: 2, logits: Float32Array.of(2, 0) },
    ];
    const { threshold, heldBack } = abstentionFrom(answers, 2) ?? {};
    expect(threshold).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(heldBack).toBe(3);
    expect(abstentionFrom([{ ...fold, fold: 0, logits: null }], 1)).toBeUndefined();
  });
});
