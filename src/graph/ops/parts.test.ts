import { expect, test } from 'vitest';
import { input } from '../graph.js';
import { concat, slice } from './parts.js';

const x = input('x', 'float32', [2, 3]);

test.each<[string, () => unknown, string]>([
  [
    'an axis',
    () => slice(x, { axis: 2, from: 0, to: 1 }),
    'slice: expected an axis 2. Received: float32 [2, 3].',
  ],
  [
    'positions',
    () => slice(x, { axis: 1, from: 1, to: 4 }),
    'slice: expected 0 ≤ from < to ≤ 3 along axis 1. Received: 1 and 4.',
  ],
  [
    'nothing',
    () => slice(x, { axis: 1, from: 1, to: 1 }),
    'slice: expected 0 ≤ from < to ≤ 3 along axis 1. Received: 1 and 1.',
  ],
  [
    'half a position',
    () => slice(x, { axis: 1, from: 0.5, to: 1 }),
    'slice: expected 0 ≤ from < to ≤ 3 along axis 1. Received: 0.5 and 1.',
  ],
  ['no values', () => concat([], 0), 'concat: expected some values. Received: none.'],
  ['an axis of both', () => concat([x, x], 2), 'concat: expected an axis 2. Received: float32 [2, 3].'],
  [
    'another axis that differs',
    () => concat([x, input('y', 'float32', [3, 3])], 1),
    'concat: expected shapes that differ along axis 1 alone. Received: float32 [2, 3] and float32 [3, 3].',
  ],
  [
    'another rank',
    () => concat([x, input('y', 'float32', [2])], 1),
    'concat: expected shapes that differ along axis 1 alone. Received: float32 [2, 3] and float32 [2].',
  ],
])('what does not fit is refused: %s', (_, build, message) => {
  expect(build).toThrow(message);
});

test('shapes are those of the parts', () => {
  expect(slice(x, { axis: 1, from: 1, to: 3 }).shape).toEqual([2, 2]);
  expect(concat([x, slice(x, { axis: 1, from: 0, to: 1 })], 1).shape).toEqual([2, 4]);
});
