import { describe, expect, it } from 'vitest';
import { hasCollapsed, pileMetrics } from './pile-metrics.js';

const rows = (...all: readonly (readonly number[])[]) => Float32Array.from(all.flat());
const [first, second] = [
  [1, 0],
  [0, 1],
];

describe('pileMetrics', () => {
  it('of sure, balanced agreement: ln K, all agree, the rarest class has its even share', async () => {
    const views = rows(first!, second!, first!, second!);
    const { information, agreement, smallestClass } = await pileMetrics(views, views, 2);
    expect(information).toBeCloseTo(Math.LN2, 12);
    expect({ agreement, smallestClass }).toEqual({ agreement: 1, smallestClass: 0.5 });
  });

  it('of one class for everything: they agree, and know nothing', async () => {
    const views = rows(first!, first!, first!);
    expect(await pileMetrics(views, views, 2)).toEqual({ information: 0, agreement: 1, smallestClass: 0 });
  });

  it('of two independent views: no information', async () => {
    const [a, b] = [rows(first!, first!, second!, second!), rows(first!, second!, first!, second!)];
    const { information, agreement } = await pileMetrics(a, b, 2);
    expect(information).toBeCloseTo(0, 12);
    expect(agreement).toBe(0.5);
  });

  it('is the formula where nothing is sure, with the joint probability made symmetric', async () => {
    // J = ½(pqᵀ + qpᵀ) of the one pair: [[0.54, 0.21 … ]], marginals (0.75, 0.25).
    const { information } = await pileMetrics(rows([0.9, 0.1]), rows([0.6, 0.4]), 2);
    const joint = [
      [0.54, 0.21],
      [0.21, 0.04],
    ];
    const marginal = [0.75, 0.25];
    const expected = joint
      .flatMap((row, i) => row.map((p, j) => p * Math.log(p / (marginal[i]! * marginal[j]!))))
      .reduce((sum, term) => sum + term, 0);
    expect(information).toBeCloseTo(expected, 6);
  });

  it('counts the classes of the first view', async () => {
    const a = rows([0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05], [0.1, 0.1, 0.8]);
    const b = rows([0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]);
    expect(await pileMetrics(a, b, 3)).toMatchObject({ agreement: 0.5, smallestClass: 0.25 });
  });
});

describe('hasCollapsed', () => {
  const pile = { information: 2, agreement: 1 };

  it.each([
    [0, 10, true],
    [0.009, 10, true],
    [0.011, 10, false],
    [0.1, 10, false],
    [0.04, 2, true],
    [0.06, 2, false],
  ])('%d of the pile for the rarest of %d classes: %s', (smallestClass, classes, collapsed) => {
    expect(hasCollapsed({ ...pile, smallestClass }, 1 / classes)).toBe(collapsed);
  });
});
