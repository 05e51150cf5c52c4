import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfusionTally, confusedPairs, macroF1 } from './class-metrics.js';

function tallyOf(classNames: readonly string[], pairs: readonly (readonly [number, number])[]) {
  const tally = new ConfusionTally(classNames);
  for (const [actual, predicted] of pairs) tally.add(actual, predicted);
  return tally;
}

test('precision, recall and F1 by hand, those that do not exist as null', () => {
  const names = ['cat', 'dog', 'owl', 'yak'];
  // cat: 3 of 4 recognised; dog: 1 of 2; owl has no images, and one cat is taken for it; nothing is taken for a yak.
  const tally = tallyOf(names, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 2],
    [1, 1],
    [1, 0],
    [3, 0],
    [3, 0],
  ]);
  expect([tally.correct, tally.total]).toEqual([4, 8]);
  const classes = tally.perClass();
  expect(classes).toEqual([
    { name: 'cat', support: 4, predicted: 6, precision: 0.5, recall: 0.75, f1: 0.6 },
    { name: 'dog', support: 2, predicted: 1, precision: 1, recall: 0.5, f1: 2 / 3 },
    { name: 'owl', support: 0, predicted: 1, precision: 0, recall: null, f1: null },
    { name: 'yak', support: 2, predicted: 0, precision: null, recall: 0, f1: 0 },
  ]);
  expect(macroF1(classes)).toBeCloseTo((0.6 + 2 / 3 + 0) / 3, 12);
  expect(confusedPairs({ classNames: names, cells: tally.cells() })).toEqual([
    { actual: 'yak', predicted: 'cat', count: 2 },
    { actual: 'cat', predicted: 'owl', count: 1 },
    { actual: 'dog', predicted: 'cat', count: 1 },
  ]);
});

test('nothing counted has no F1, and a class that there is not is refused', () => {
  expect(macroF1(new ConfusionTally(['a', 'b']).perClass())).toBeNull();
  expect(() => new ConfusionTally(['a', 'b']).add(2, 0)).toThrow(
    'confusions: expected class numbers from 0 to 1. Received: 2.',
  );
});

test('sums agree, and F1 is the harmonic mean, for any answers', () => {
  const classes = fc.integer({ min: 1, max: 12 });
  const answers = classes.chain((k) => {
    const number = fc.integer({ min: 0, max: k - 1 });
    return fc.tuple(fc.constant(k), fc.array(fc.tuple(number, number), { maxLength: 300 }));
  });
  fc.assert(
    fc.property(answers, ([k, pairs]) => {
      const classNames = Array.from({ length: k }, (_, i) => `class ${i}`);
      const tally = tallyOf(classNames, pairs);
      const rows = tally.perClass();
      const sum = (of: 'support' | 'predicted') => rows.reduce((total, row) => total + row[of], 0);
      expect(sum('support')).toBe(pairs.length);
      expect(sum('predicted')).toBe(pairs.length);
      const mistakes = confusedPairs({ classNames, cells: tally.cells() });
      const confused = mistakes.reduce((total, { count }) => total + count, 0);
      expect(confused + tally.correct).toBe(pairs.length);
      for (const { precision, recall, f1 } of rows) {
        if (precision === null || recall === null || f1 === null) continue;
        const harmonic = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
        expect(f1).toBeCloseTo(harmonic, 12);
      }
    }),
  );
});
