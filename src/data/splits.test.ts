import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import { imageOfCopy, turnsOfCopy } from './rotation.js';
import { type Split, splitByCopy, splitByImage, splitImages } from './splits.js';

const settings = [fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer()] as const;

function turnCounts(copies: Uint32Array): number[] {
  const counts = [0, 0, 0, 0];
  for (const copy of copies) counts[turnsOfCopy(copy)]!++;
  return counts;
}

function expectPartition({ train, val }: Split, count: number): void {
  const all = Uint32Array.from([...train, ...val]).sort();
  expect(all).toEqual(Uint32Array.from({ length: count }, (_, i) => i));
}

describe('splitByCopy', () => {
  it("has the notebook's sizes and strata", () => {
    const { train, val } = splitByCopy(59_900, 0.2, Random.seeded(12));
    expect([train.length, val.length]).toEqual([191_680, 47_920]);
    expect(turnCounts(train)).toEqual([47_920, 47_920, 47_920, 47_920]);
    expect(turnCounts(val)).toEqual([11_980, 11_980, 11_980, 11_980]);
  });

  it('is disjoint, covering and stratified to one copy', () => {
    fc.assert(
      fc.property(...settings, (count, fraction, seed) => {
        const split = splitByCopy(count, fraction, Random.seeded(seed));
        expectPartition(split, 4 * count);
        expect(split.val.length).toBe(Math.round(4 * count * fraction));
        const counts = turnCounts(split.val);
        expect(counts[0]! - counts[3]!).toBeLessThanOrEqual(1);
        expect(counts).toEqual(counts.toSorted((a, b) => b - a));
      }),
    );
  });

  it('leaks, as its description says', () => {
    const { train, val } = splitByCopy(1000, 0.2, Random.seeded(12));
    const trained = new Set(train.map(imageOfCopy));
    const seen = val.filter((copy) => trained.has(imageOfCopy(copy))).length;
    expect(seen / val.length).toBeGreaterThan(0.95);
  });

  it('is shuffled, and by its seed', () => {
    const { train } = splitByCopy(1000, 0.2, Random.seeded(12));
    expect(train).toEqual(splitByCopy(1000, 0.2, Random.seeded(12)).train);
    expect(train).not.toEqual(splitByCopy(1000, 0.2, Random.seeded(13)).train);
    const firstHalf = turnCounts(train.subarray(0, 1600));
    for (const n of firstHalf) expect(Math.abs(n - 400)).toBeLessThan(70);
  });
});

describe('splitByImage', () => {
  it('is disjoint, covering and keeps the four copies of an image together', () => {
    fc.assert(
      fc.property(...settings, (count, fraction, seed) => {
        const split = splitByImage(count, fraction, Random.seeded(seed));
        expectPartition(split, 4 * count);
        const trained = new Set(split.train.map(imageOfCopy));
        expect([...split.val].some((copy) => trained.has(imageOfCopy(copy)))).toBe(false);
        expect(turnCounts(split.val)).toEqual(new Array(4).fill(Math.round(count * fraction)));
      }),
    );
  });

  it('is shuffled across images', () => {
    const { train } = splitByImage(1000, 0.2, Random.seeded(12));
    const neighbours = train.slice(1).filter((copy, i) => imageOfCopy(copy) === imageOfCopy(train[i]!));
    expect(neighbours.length).toBeLessThan(20); // 3 expected
  });
});

it('splitImages: 59,900 images at 0.2', () => {
  const split = splitImages(59_900, 0.2, Random.seeded(1));
  expect(split.val.length).toBe(11_980);
  expectPartition(split, 59_900);
});

it.each([-0.1, 1, Number.NaN])('refuses a fraction of %d', (fraction) => {
  for (const split of [splitByCopy, splitByImage, splitImages]) {
    expect(() => split(10, fraction, Random.seeded(0))).toThrow(/expected a number from 0 to below 1/);
  }
});
