import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { fitLabelNoise } from './label-noise.js';

/** Answers of a judge who is right with this probability and has so much to say for it, of labels of which some are flipped. */
function judged({ count = 100, classes = 10, flips = 10, right = 0.97, margin = 6, seed = 1 } = {}) {
  const random = Random.seeded(seed);
  const truth = Array.from({ length: count }, (_, i) => i % classes);
  const flipped = new Set(random.permutation(count).slice(0, flips));
  const other = (k: number) => (k + 1 + random.integer(classes - 1)) % classes;
  const given = truth.map((k, i) => (flipped.has(i) ? other(k) : k));
  const logits = new Float32Array(count * classes);
  truth.forEach((k, i) => {
    const said = random.uniform() < right ? k : other(k);
    for (let c = 0; c < classes; c++) logits[i * classes + c] = random.uniform() + (c === said ? margin : 0);
  });
  return { logits, given, truth, flipped };
}

const doubtedOf = (judge: ReturnType<typeof judged>) =>
  fitLabelNoise(judge).labels.flatMap(({ wrong }, i) => (wrong >= 0.15 ? [i] : []));

describe('label noise', () => {
  test('flipped labels are found where the answers are good, and the class that they are of is named', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const judge = judged({ seed, right: 0.98 });
      const { rate, labels } = fitLabelNoise(judge);
      const doubted = labels.flatMap(({ wrong }, i) => (wrong >= 0.15 ? [i] : []));
      const hits = doubted.filter((i) => judge.flipped.has(i));
      expect(hits.length).toBeGreaterThanOrEqual(8);
      expect(doubted.length - hits.length).toBeLessThanOrEqual(5);
      expect(rate).toBeGreaterThan(0.04);
      expect(rate).toBeLessThan(0.2);
      const named = hits.filter((i) => labels[i]?.rival === judge.truth[i]);
      expect(named.length).toBeGreaterThanOrEqual(hits.length - 1);
    }
  });

  test('without wrong labels, none is doubted where the answers agree with them', () => {
    expect(doubtedOf(judged({ flips: 0, right: 1 }))).toEqual([]);
    const { rate, temperature } = fitLabelNoise(judged({ flips: 0, right: 1 }));
    expect(rate).toBeLessThan(0.03);
    expect(temperature).toBeLessThan(1);
  });

  test('answers that are often wrong contradict nothing with confidence', () => {
    const doubted = [1, 2, 3].map((seed) => doubtedOf(judged({ seed, right: 0.35, margin: 4 })).length);
    expect(Math.max(...doubted)).toBeLessThanOrEqual(1);
  });

  test('the probabilities are those of the formula', () => {
    const judge = judged({ count: 40, classes: 3, flips: 4 });
    const { rate, temperature, labels } = fitLabelNoise(judge);
    for (const [i, { rival, probability, wrong }] of labels.entries()) {
      const row = [...judge.logits.subarray(3 * i, 3 * i + 3)].map((z) => Math.exp(z / temperature));
      const q = row.map((x) => x / row.reduce((a, b) => a + b, 0));
      const own = q[judge.given[i] ?? 0] ?? 0;
      const others = q.map((x, k) => (k === judge.given[i] ? -1 : x));
      expect(rival).toBe(others.indexOf(Math.max(...others)));
      expect(probability).toBeCloseTo(Math.max(...others), 6);
      const seen = (1 - rate) * own + (rate * (1 - own)) / 2;
      expect(wrong).toBeCloseTo((rate * (1 - own)) / 2 / seen, 6);
    }
  });

  test('nothing is doubted without labels or with one class; what does not fit is refused', () => {
    expect(fitLabelNoise({ logits: new Float32Array(), given: [] }).labels).toEqual([]);
    expect(
      fitLabelNoise({ logits: new Float32Array(2), given: [0, 0] }).labels.map(({ wrong }) => wrong),
    ).toEqual([0, 0]);
    expect(() => fitLabelNoise({ logits: new Float32Array(5), given: [0, 1] })).toThrow(
      'fitLabelNoise: expected as many logits for each of 2 labels. Received: 5 logits.',
    );
  });

  test('many labels take no longer than a moment', () => {
    const judge = judged({ count: 50_000, flips: 2500 });
    const began = process.cpuUsage();
    const { rate } = fitLabelNoise(judge);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(10_000); // not of a busy machine's clock
    expect(rate).toBeGreaterThan(0.03);
  });
});
