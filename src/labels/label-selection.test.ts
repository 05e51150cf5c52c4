import fc from 'fast-check';
import { expect, it } from 'vitest';
import { noClass } from '../data/label-values.js';
import { Random } from '../random/random.js';
import { countPerClass, firstPerClass, randomPerClass, remainingIndices } from './label-selection.js';

const selecting = (classes: number, perClass: number) => ({
  classNames: ['dog', 'hen', 'cat', 'owl'].slice(0, classes),
  perClass,
});

const labels = Int32Array.from([2, 0, 2, 1, 0, 2, 1, 0]);

/** Labels with at least two of each of four classes. */
const someLabels = fc
  .array(fc.nat(3), { maxLength: 60 })
  .chain((extra) => fc.shuffledSubarray([...extra, 0, 0, 1, 1, 2, 2, 3, 3], { minLength: extra.length + 8 }))
  .map((all) => Int32Array.from(all));

it('firstPerClass: classes by first appearance, file order within', () => {
  expect([...firstPerClass(labels, selecting(3, 2))]).toEqual([0, 2, 1, 4, 3, 6]);
  expect([...firstPerClass(labels, selecting(3, 1))]).toEqual([0, 1, 3]);
});

it('randomPerClass: n different images of each class, reproducible', () => {
  fc.assert(
    fc.property(someLabels, fc.integer(), (all, seed) => {
      const chosen = randomPerClass(all, { ...selecting(4, 2), random: Random.seeded(seed) });
      expect(new Set(chosen).size).toBe(8);
      expect([...chosen].map((i) => all[i])).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
      expect(randomPerClass(all, { ...selecting(4, 2), random: Random.seeded(seed) })).toEqual(chosen);
    }),
  );
});

it('randomPerClass: every member equally often', () => {
  const counts = new Array<number>(8).fill(0);
  for (let seed = 0; seed < 3000; seed++) {
    for (const i of randomPerClass(labels, { ...selecting(3, 1), random: Random.seeded(seed) })) counts[i]!++;
  }
  for (const [i, label] of labels.entries()) {
    const expected = 3000 / (label === 1 ? 2 : 3);
    expect(Math.abs(counts[i]! - expected)).toBeLessThan(130); // 5 standard deviations
  }
});

it('selection and rest: disjoint, together everything', () => {
  fc.assert(
    fc.property(someLabels, (all) => {
      const chosen = firstPerClass(all, selecting(4, 2));
      const rest = remainingIndices(all.length, chosen);
      expect([...rest]).toEqual([...rest].sort((a, b) => a - b));
      expect([...chosen, ...rest].sort((a, b) => a - b)).toEqual(Array.from(all, (_, i) => i));
    }),
  );
});

it('names the class that is too small', () => {
  for (const select of [firstPerClass, randomPerClass]) {
    const selected = (classes: number, perClass: number) => () =>
      select(labels, { ...selecting(classes, perClass), random: Random.seeded(0) });
    expect(selected(3, 3)).toThrow(
      'labels per class: expected at least 3 images of class "hen". Received: 2.',
    );
    expect(selected(4, 1)).toThrow('1 image of class "owl". Received: 0.');
    expect(selected(3, 0)).toThrow(/positive integer. Received: 0/);
  }
});

it('an image without a class is of no class', () => {
  const some = Int32Array.from([noClass, 1, 0, noClass, 0, 1]);
  expect([...countPerClass(some, 2)]).toEqual([2, 2]);
  expect([...firstPerClass(some, selecting(2, 2))]).toEqual([1, 5, 2, 4]);
});

it('countPerClass', () => {
  expect([...countPerClass(labels, 4)]).toEqual([3, 2, 3, 0]);
  expect(() => countPerClass(labels, 2)).toThrow('expected classes 0 to 1. Received: 2 at index 0.');
  expect(() => countPerClass(Int32Array.of(-2), 2)).toThrow('Received: -2 at index 0.');
});

it('remainingIndices refuses what is not there', () => {
  expect(() => remainingIndices(3, [3])).toThrow('expected indices from 0 to 2. Received: 3.');
  expect(() => remainingIndices(3, [-1])).toThrow('Received: -1.');
});
