import { describe, expect, test } from 'vitest';
import { labelGains, smoothedConfusions } from './label-gains.js';

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

describe('labelGains', () => {
  const even = { labels: [10, 10, 10], shares: [1 / 3, 1 / 3, 1 / 3] };

  test('classes that are missed as often, with as many labels and images, need as much', () => {
    const gains = labelGains({ ...even, confusions: [8, 1, 1, 1, 8, 1, 1, 1, 8] });
    for (const gain of gains) expect(gain).toBeCloseTo(1, 12);
  });

  test('two classes that are taken for each other need more than the third', () => {
    const [shirt = 0, coat = 0, boot = 0] = labelGains({ ...even, confusions: [6, 4, 0, 4, 6, 0, 0, 0, 10] });
    expect(shirt).toBeCloseTo(coat, 12);
    expect(shirt).toBeGreaterThan(2 * boot);
    expect((shirt + coat + boot) / 3).toBeCloseTo(1, 12);
  });

  test('of equal mistakes, a class gains more that has few labels, or much of the pile', () => {
    const confusions = [8, 1, 1, 1, 8, 1, 1, 1, 8];
    const byLabels = labelGains({ ...even, labels: [5, 10, 10], confusions });
    expect(byLabels[0]).toBeCloseTo(2 * byLabels[1]!, 12);
    const byShare = labelGains({ labels: even.labels, shares: [0.8, 0.1, 0.1], confusions });
    expect(byShare[0]).toBeGreaterThan(1.2 * byShare[1]!);
  });

  test('nothing is known of a single class', () => {
    expect([...labelGains({ labels: [3], shares: [1], confusions: [3] })]).toEqual([1]);
  });
});
