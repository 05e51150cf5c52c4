import { expect, test } from 'vitest';
import { glyph } from '../../test/support/glyph-classifier.js';
import { contrastOf, looksNegative, meanOf } from './brightness.js';

const seven = glyph('7');
const negative = seven.map((v) => 255 - v);
const trainingMean = meanOf(seven);

test('contrast is within a channel', () => {
  expect(contrastOf(Uint8Array.of(7, 200, 7, 203), 1)).toBe(196);
  expect(contrastOf(Uint8Array.of(7, 200, 7, 203), 2)).toBe(3);
  expect(contrastOf(seven, 1)).toBe(255);
});

test('white on black and black on white look like each other’s negatives', () => {
  expect(looksNegative(seven, 1, trainingMean)).toBe(false);
  expect(looksNegative(negative, 1, trainingMean)).toBe(true);
  expect(looksNegative(seven, 1, 255 - trainingMean)).toBe(true);
  // Ink of 90 on paper of 200.
  expect(
    looksNegative(
      seven.map((v) => 200 - (v * 110) / 255),
      1,
      trainingMean,
    ),
  ).toBe(true);
});

test('a frame is not taken for ink', () => {
  const half = new Uint8Array(2 * negative.length);
  half.set(negative);
  expect(looksNegative(half, 0.5, trainingMean)).toBe(true);
});

test('images of medium brightness, such as photographs, never do', () => {
  for (const mean of [100, 120, 127, 140]) {
    for (const value of [90, 110, 127, 150, 165]) {
      expect(looksNegative(new Uint8Array(784).fill(value), 1, mean)).toBe(false);
    }
  }
});
