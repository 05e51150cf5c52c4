import { expect, test } from 'vitest';
import { classCountLines } from './class-counts.js';

test('classes stand with their counts, the commonest first, those without images left out', () => {
  const counts = new Map([
    ['bee', 12],
    ['wasp', 0],
    ['cat\n', 1200],
    ['熊', 1],
  ]);
  expect(classCountLines(counts)).toEqual([
    '  cat\\n  1,200   98.9 %',
    '  bee       12    1.0 %',
    '  熊         1    0.1 %',
  ]);
});

test('of many classes ten have a line', () => {
  const lines = classCountLines(new Map(Array.from({ length: 1000 }, (_, k) => [`class ${k}`, 1000 - k])));
  expect(lines).toHaveLength(11);
  expect(lines[0]).toBe('  class 0  1,000    0.2 %');
  expect(lines[10]).toBe('  … and 990 more, with 490,545 images');
});
