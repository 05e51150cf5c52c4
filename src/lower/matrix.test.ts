import { expect, test } from 'vitest';
import { kronecker } from './matrix.js';

test('Kronecker product', () => {
  expect(kronecker([[1, 2]], [[3], [4]])).toEqual([
    [3, 6],
    [4, 8],
  ]);
});
