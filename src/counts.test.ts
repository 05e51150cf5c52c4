import { expect, test } from 'vitest';
import { byCount, countOf, formatCount } from './counts.js';

test('thousands are separated', () => {
  expect([0, 999, 1000, 998_084, 1_234_567].map(formatCount)).toEqual([
    '0',
    '999',
    '1,000',
    '998,084',
    '1,234,567',
  ]);
});

test('a noun goes with its count', () => {
  expect([0, 1, 2, 1507].map((count) => countOf(count, 'image'))).toEqual([
    '0 images',
    '1 image',
    '2 images',
    '1,507 images',
  ]);
  expect([countOf(1, 'class'), countOf(2, 'class')]).toEqual(['1 class', '2 classes']);
  expect([countOf(1, 'entry', 'entries'), countOf(2, 'entry', 'entries')]).toEqual(['1 entry', '2 entries']);
  expect([0, 1, 2].map((count) => byCount(count, 'holds', 'hold'))).toEqual(['hold', 'holds', 'hold']);
});
