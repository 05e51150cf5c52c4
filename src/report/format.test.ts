import { expect, test } from 'vitest';
import {
  absent,
  formatBytes,
  formatDuration,
  formatInterval,
  formatLoss,
  formatPercent,
  formatRate,
  formatShape,
  formatWithin,
} from './format.js';

test.each([
  [0.9948, 2, '99.48 %'],
  [1, 2, '100.00 %'],
  [0.818, 0, '82 %'],
  [Number.NaN, 2, absent],
])('formatPercent(%d, %d)', (fraction, decimals, text) => {
  expect(formatPercent(fraction, decimals)).toBe(text);
});

test.each([
  [0.753, { low: 0.648, high: 0.897 }, '75 %', '65 to 90 %'],
  [0.95, { low: 0.8882, high: 0.9961 }, '95 %', '89 to 100 %'],
  [0.93, { low: 0.9, high: 0.95 }, '93.0 %', '90.0 to 95.0 %'],
  [0.9928, { low: 0.981, high: 0.997 }, '99.3 %', '98.1 to 99.7 %'],
])('%d within %o has no digit that is chance', (share, interval, text, range) => {
  expect(formatWithin(share, interval)).toBe(text);
  expect(formatInterval(interval)).toBe(range);
});

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [12_340, '12.3 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [119_900, '2 min 0 s'],
  [252_000, '4 min 12 s'],
  [3_599_600, '1 h 0 min'],
  [5_040_000, '1 h 24 min'],
  [86_399_999, '1 d 0 h'],
  [183_600_000, '2 d 3 h'],
])('formatDuration(%d)', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test.each([
  [512, '512 B'],
  [1020, '1.00 KiB'],
  [2048, '2.00 KiB'],
  [713_031_680, '680 MiB'],
  [1.56 * 2 ** 30, '1.56 GiB'],
  [1020 * 2 ** 20, '1.00 GiB'],
  [12.34 * 2 ** 30, '12.3 GiB'],
])('formatBytes(%d)', (sizeBytes, text) => {
  expect(formatBytes(sizeBytes)).toBe(text);
});

test('losses, rates and shapes', () => {
  expect(formatLoss(0.01534)).toBe('0.0153');
  expect([87.64, 1834.2].map(formatRate)).toEqual(['87.6 images/s', '1,834 images/s']);
  expect(formatShape([28, 28, 192])).toBe('(28, 28, 192)');
});
