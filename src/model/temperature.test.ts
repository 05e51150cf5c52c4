import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { fitTemperature, logLossAt, probabilitiesAt } from './temperature.js';

/** Logits whose softmax at temperature `t` is how often each class is the target. */
function sample(count: number, t: number) {
  const random = Random.seeded(7);
  const classes = 10;
  const logits = Float32Array.from({ length: count * classes }, () => 3 * random.normal());
  const due = probabilitiesAt(logits, classes, t);
  const targets = Array.from({ length: count }, (_, i) => {
    let left = random.uniform();
    for (let k = 0; k < classes - 1; k++) {
      left -= due[i * classes + k]!;
      if (left < 0) return k;
    }
    return classes - 1;
  });
  return { logits, targets };
}

describe('fitTemperature', () => {
  test.each([0.5, 1, 2.5])('finds %f again from many labels', (t) => {
    expect(fitTemperature(sample(20_000, t)) / t).toBeCloseTo(1, 1);
  });

  test('of few labels it stays nearer to 1, and finite where every answer is right', () => {
    const logits = Float32Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 2 : 0));
    const temperature = fitTemperature({ logits, targets: new Array(10).fill(0) });
    expect(temperature).toBeGreaterThan(0.2);
    expect(temperature).toBeLessThan(1);
    expect(fitTemperature({ logits: new Float32Array(), targets: [] })).toBe(1);
  });

  test('lowers the cross-entropy that it minimises', () => {
    const known = sample(300, 2);
    expect(logLossAt(known, fitTemperature(known))).toBeLessThan(logLossAt(known, 1));
  });
});
