import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hanging, padEnd, padStart, shorten, textWidth } from './text-width.js';

test.each([
  ['cat', 3],
  ['猫', 2],
  ['ねこ', 4],
  ['고양이', 6],
  ['ﾈｺ', 2],
  ['חתול', 4],
  ['قطة', 3],
  ['é', 1],
  ['🐈', 2],
  ['👩‍🔬', 2],
  ['❤️', 2],
  ['🇫🇷', 2],
  ['½ cat…', 6],
  ['', 0],
])('%s takes %i columns', (text, columns) => {
  expect(textWidth(text)).toBe(columns);
});

test('cut by columns, never within a character', () => {
  expect(shorten('rotation pretraining', 12)).toBe('rotation pr…');
  expect(shorten('猫と犬と鳥', 6)).toBe('猫と…');
  expect(shorten('猫と犬と鳥', 7)).toBe('猫と犬…');
  expect(shorten('👩‍🔬👩‍🔬👩‍🔬', 5)).toBe('👩‍🔬👩‍🔬…');
  expect(shorten('猫', 2)).toBe('猫');
});

test('whatever the text, it fits, and is filled up to the width', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 1, max: 30 }),
      (text, width) => {
        const short = shorten(text, width);
        expect(textWidth(short)).toBeLessThanOrEqual(width);
        if (textWidth(text) <= width) expect(short).toBe(text);
        expect(textWidth(padEnd(short, width))).toBe(width);
        expect(textWidth(padStart(short, width))).toBe(width);
        expect(() => encodeURIComponent(short)).not.toThrow(); // no lone half of a character
      },
    ),
  );
});

test('a text is broken between words behind its label, never between a number and its unit', () => {
  expect(hanging('Time', 'about 45.5 s, at 270 images/s', { columns: 18, indent: 6 }).split('\n')).toEqual([
    'Time  about',
    '      45.5 s, at',
    '      270 images/s',
  ]);
  expect(hanging('', 'unbreakablepath', { columns: 8, indent: 2 })).toBe('  unbreakablepath');
});
