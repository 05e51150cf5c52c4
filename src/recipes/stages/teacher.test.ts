import { expect, test } from 'vitest';
import { isClearlyWorse } from './teacher.js';

test('isClearlyWorse asks for more than the standard error of the difference', () => {
  expect(isClearlyWorse({ found: 50, of: 100 }, { found: 57, of: 100 })).toBe(false);
  expect(isClearlyWorse({ found: 50, of: 100 }, { found: 58, of: 100 })).toBe(true);
  expect(isClearlyWorse({ found: 500, of: 1000 }, { found: 530, of: 1000 })).toBe(true);
  expect(isClearlyWorse({ found: 10, of: 10 }, { found: 10, of: 10 })).toBe(false);
});
