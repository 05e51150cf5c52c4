import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldBackSplits } from './held-back.js';

test('every label is held back once, but for those of a class that has no other', () => {
  const classes = fc.array(fc.nat({ max: 4 }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(classes, fc.integer({ min: 2, max: 6 }), (labels, folds) => {
      const countOf = (positions: readonly number[], k: number) =>
        positions.filter((at) => labels[at] === k).length;
      const all = [...labels.keys()];
      const shared = all.filter((at) => countOf(all, labels[at]!) > 1);
      const splits = heldBackSplits(labels, folds);
      expect(splits).toHaveLength(Math.min(folds, shared.length));
      expect(splits.flatMap(({ heldBack }) => heldBack).sort((a, b) => a - b)).toEqual(shared);
      const sizes = splits.map(({ heldBack }) => heldBack.length);
      if (splits.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      for (const { heldBack, kept } of splits) {
        expect([...heldBack, ...kept].sort((a, b) => a - b)).toEqual(all);
        for (const k of new Set(labels)) expect(countOf(kept, k)).toBeGreaterThan(0);
      }
    }),
  );
});

test('three folds of few labels, each with its share of every class', () => {
  expect(heldBackSplits([0, 0, 0, 0, 1, 1, 1, 1]).map(({ heldBack }) => heldBack)).toEqual([
    [0, 3, 6],
    [1, 4, 7],
    [2, 5],
  ]);
  expect(heldBackSplits([0, 1, 2])).toEqual([]);
});

test('of few labels every one is asked for; of many enough to know, and the more the rest is to learn from', () => {
  const heldBack = (count: number) => {
    const splits = heldBackSplits(Array.from({ length: count }, (_, i) => i % 10));
    return splits.flatMap(({ heldBack }) => heldBack).length;
  };
  expect([100, 300, 900, 1000].map(heldBack)).toEqual([100, 300, 300, 334]);
  expect([3000, 50_000].map(heldBack)).toEqual([300, 2000]);
});
