import { expect, test } from 'vitest';
import { type LeftOut, leftOutText } from './left-out.js';

test('what lies between what was found and what is used adds up', () => {
  const none: LeftOut = { found: 1507, unit: 'file', setAside: 0, copies: 0, untested: 0, kinds: [] };
  expect(leftOutText(none)).toBe('');
  expect(leftOutText({ ...none, setAside: 4 })).toBe('4 of 1,507 files set aside');
  expect(leftOutText({ ...none, unit: 'image', setAside: 1200, copies: 1, untested: 2 })).toBe(
    '1,200 of 1,507 images set aside, 1 copy, 2 test images left out',
  );
});
