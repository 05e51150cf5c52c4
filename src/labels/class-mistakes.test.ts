import { describe, expect, test } from 'vitest';
import { mistakeShares, smoothedConfusions } from './class-mistakes.js';

describe('smoothedConfusions', () => {
  test('rows add up to 1; four imagined labels are found as often as all are', () => {
    // 18 of 20 found, which is taken for 19 of 22; one class was never held back.
    const rates = smoothedConfusions([9, 1, 0, 1, 9, 0, 0, 0, 0], 3);
    const accuracy = 19 / 22;
    expect(rates[0]).toBeCloseTo((9 + 4 * accuracy) / 14, 12);
    expect(rates[1]).toBeCloseTo((1 + 2 * (1 - accuracy)) / 14, 12);
    expect([rates[6], rates[8]]).toEqual([(1 - accuracy) / 2, accuracy]);
    for (const row of [0, 3, 6]) {
      expect(rates.slice(row, row + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    }
  });
});

describe('mistakeShares', () => {
  const even = [1 / 3, 1 / 3, 1 / 3];

  test('classes that are missed as often, with as many images, have as large a share', () => {
    const mistakes = mistakeShares({ shares: even, confusions: [8, 1, 1, 1, 8, 1, 1, 1, 8] });
    for (const share of mistakes) expect(share).toBeCloseTo(1 / 3, 12);
  });

  test('a mistake is half of the class of its image, half of the one that it is taken for', () => {
    const [shirt = 0, coat = 0, boot = 0] = mistakeShares({
      shares: even,
      confusions: [600, 400, 0, 0, 1000, 0, 0, 0, 1000],
    });
    expect(shirt).toBeCloseTo(coat, 2);
    expect(shirt).toBeGreaterThan(0.49);
    expect(shirt + coat + boot).toBeCloseTo(1, 12);
  });

  test('of equal mistakes, those of a class with much of the pile count for more, but not in proportion', () => {
    const [large = 0, small = 0] = mistakeShares({
      shares: [0.8, 0.1, 0.1],
      confusions: [8, 1, 1, 1, 8, 1, 1, 1, 8],
    });
    expect(large / small).toBeGreaterThan(1.2);
    expect(large / small).toBeLessThan(8);
  });

  test('nothing is known of a single class', () => {
    expect([...mistakeShares({ shares: [1], confusions: [3] })]).toEqual([1]);
  });
});
