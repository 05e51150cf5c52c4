import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldsOf, heldBackSplits } from './held-back.js';

test('every label is held back once, and every class has one left in the others', () => {
  const classes = fc.array(fc.nat({ max: 4 }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(classes, fc.integer({ min: 2, max: 6 }), (labels, most) => {
      const counts = new Map<number, number>();
      for (const k of labels) counts.set(k, (counts.get(k) ?? 0) + 1);
      const fewest = Math.min(...counts.values());
      const folds = foldsOf(labels, most);
      if (fewest < 2) {
        expect(folds).toBeUndefined();
        return;
      }
      expect(folds).toHaveLength(Math.min(most, fewest));
      expect(folds!.flat().sort((a, b) => a - b)).toEqual([...labels.keys()]);
      for (const fold of folds!) {
        for (const k of counts.keys()) {
          const heldBack = fold.filter((at) => labels[at] === k).length;
          expect(heldBack).toBeGreaterThan(0);
          expect(heldBack).toBeLessThan(counts.get(k)!);
        }
      }
    }),
  );
});

test('three folds by default', () => {
  expect(foldsOf([0, 0, 0, 0, 1, 1, 1, 1])).toEqual([
    [0, 3, 4, 7],
    [1, 5],
    [2, 6],
  ]);
});

test('of few labels every one is asked for, of many enough to know', () => {
  const asked = (count: number) => {
    const splits = heldBackSplits(foldsOf(Array.from({ length: count }, (_, i) => i % 10))!);
    for (const { heldBack, kept } of splits) expect(heldBack.length + kept.length).toBe(count);
    return splits.flatMap(({ heldBack }) => heldBack).length;
  };
  expect(asked(100)).toBe(100);
  expect(asked(300)).toBe(300);
  // A third of a thousand is enough: 34 of each class.
  expect(asked(1000)).toBe(340);
});
