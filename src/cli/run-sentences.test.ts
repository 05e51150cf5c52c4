import { expect, test } from 'vitest';
import { sentencesOf } from './run-sentences.js';

test('labels that moved or are missing are told, each in a line', () => {
  const located = { type: 'labels-located', data: 'my-images', total: 6 } as const;
  expect(sentencesOf({ ...located, moved: 2, missing: 1 })).toEqual([
    '1 of 6 labelled images is not in my-images and is left out.',
    '2 of 6 labelled images have moved in the data and were found again.',
  ]);
  expect(sentencesOf({ ...located, moved: 6, missing: 0 })).toHaveLength(1);
});

test('what is shown in another way, or is no news, is no sentence', () => {
  expect(sentencesOf({ type: 'pass', title: 'shapes', done: 1, total: 2, etaMs: 5 })).toEqual([]);
});
