import { expect, test } from 'vitest';
import { classNumbers, describeClasses, occurringValues } from './label-values.js';

const letters = Int32Array.from({ length: 520 }, (_, i) => 26 - (i % 26));

test('classes are the values that occur, ascending', () => {
  expect([...occurringValues(letters)]).toEqual(Array.from({ length: 26 }, (_, k) => k + 1));
  expect([...occurringValues(Int32Array.of(9, -1, 100_000, 9))]).toEqual([-1, 9, 100_000]);
});

test('labels become class numbers, and one that training lacks is named', () => {
  const classes = Int32Array.of(1, 5, 700);
  expect(classNumbers(Int32Array.of(700, 1, 5, 1), classes, 'f')).toEqual(Int32Array.of(2, 0, 1, 0));
  expect(() => classNumbers(Int32Array.of(1, 6), classes, 'f')).toThrow(
    'f: expected labels that training has (1, 5, 700). Received: 6 at index 1.',
  );
});

test('what there is to say of them', () => {
  expect(describeClasses(Int32Array.of(0, 1, 2))).toBeUndefined();
  expect(describeClasses(Int32Array.of(0))).toBeUndefined();
  expect(describeClasses(occurringValues(letters))).toBe(
    'Classes are the 26 labels that occur (1 to 26), each named by its label.',
  );
  expect(describeClasses(Int32Array.from({ length: 30 }, (_, k) => 2 * k))).toContain(
    '(0, 2, 4, 6, 8, 10, 12, 14, 16, 18 … 58)',
  );
});
