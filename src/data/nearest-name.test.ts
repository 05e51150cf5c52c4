import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.js';

test.each([
  ['cta', ['cat', 'dog'], 'cat'],
  ['DOG', ['cat', 'dog'], 'dog'],
  ['house', ['mouse', 'horses'], 'mouse'],
  ['', ['abc', 'x'], 'x'],
  [' 7', ['0', '7'], '7'],
  ['７', ['0', '7'], '7'],
  ['a', [], undefined],
])('nearest name to %j among %j: %j', (name, names, nearest) => {
  expect(nearestName(name, names)).toBe(nearest);
});

test('a name beyond the given number of edits is not near', () => {
  expect(nearestName('mouse', ['house', 'elephant'], 1)).toBe('house');
  expect(nearestName('mouse', ['elephant'], 4)).toBeUndefined();
});
