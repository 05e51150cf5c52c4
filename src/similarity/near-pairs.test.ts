import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { tensor } from '../tensor/tensor.js';
import { nearPairs } from './near-pairs.js';

const length = 480;

/** Rows of length 1 in random directions; some are a copy of the one before with a part of another direction. */
function rowsWith(count: number, copies: ReadonlyMap<number, number>) {
  const random = Random.seeded(5);
  const data = new Float32Array(count * length);
  for (let row = 0; row < count; row++) {
    const cosine = copies.get(row) ?? 0;
    const own = unit(Float64Array.from({ length }, () => random.normal()));
    const before = data.subarray((row - 1) * length, row * length);
    const mixed = own.map((value, i) => cosine * (before[i] ?? 0) + Math.sqrt(1 - cosine ** 2) * value);
    data.set(unit(mixed), row * length);
  }
  return tensor('float32', [count, length], data);
}

function unit(values: Float64Array): Float64Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

const search = { title: 'rows compared' };

describe('nearPairs', () => {
  test('finds nearly all pairs of a cosine, and no other', async () => {
    const copies = new Map(Array.from({ length: 300 }, (_, i) => [4 * i + 1, 0.97]));
    const rows = rowsWith(1200, copies);
    const pairs = await nearPairs(rows, { ...search, minCosine: 0.95 });
    expect(pairs.length).toBeGreaterThanOrEqual(294);
    for (const { a, b, cosine } of pairs) {
      expect([a, cosine > 0.95]).toEqual([b - 1, true]);
      expect(copies.has(b)).toBe(true);
    }
    expect(await nearPairs(rows, { ...search, minCosine: 0.95 })).toEqual(pairs);
  });

  test('finds all pairs of equal rows among few', async () => {
    const rows = rowsWith(6, new Map([[1, 1], [2, 1], [5, 1]])); // biome-ignore format: a table
    const pairs = await nearPairs(rows, { ...search, minCosine: 0.999 });
    expect(pairs.map(({ a, b }) => [a, b])).toEqual([[0, 1], [0, 2], [1, 2], [4, 5]]); // biome-ignore format: a table
  });

  test('rows of zeros have no pairs, and no rows have none', async () => {
    expect(
      await nearPairs(tensor('float32', [50, length], new Float32Array(50 * length)), {
        ...search,
        minCosine: 0.9,
      }),
    ).toEqual([]);
    expect(
      await nearPairs(tensor('float32', [0, length], new Float32Array()), { ...search, minCosine: 0.9 }),
    ).toEqual([]);
  });

  test('where very many are alike, each is compared with some of them alone', async () => {
    const rows = rowsWith(1000, new Map(Array.from({ length: 999 }, (_, i) => [i + 1, 1])));
    const pairs = await nearPairs(rows, { ...search, minCosine: 0.9 });
    expect(pairs.length).toBeGreaterThan(999);
    expect(pairs.length).toBeLessThanOrEqual(1000 * 16 * 8);
  });

  test('stops when it is asked to', async () => {
    const signal = AbortSignal.abort();
    await expect(nearPairs(rowsWith(600, new Map()), { ...search, minCosine: 0.9, signal })).rejects.toThrow(
      /stopped/,
    );
  });
});
