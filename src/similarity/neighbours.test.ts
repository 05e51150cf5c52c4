import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { float32 } from '../tensor/tensor.js';
import { blockPairs, nearestNeighbours } from './neighbours.js';

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
const quiet = { runtime };

/**
 * Rows whose products are exact in any order of summation, so that they can be compared to the bit: halves from −1 to 1. Every
 * fifth row repeats an earlier one, every seventh is 0, and many products are equal.
 */
function rowsOfHalves(n: number, d: number): Float32Array {
  const random = Random.seeded(n);
  const data = Float32Array.from({ length: n * d }, () => Math.round(random.uniform(-2.5, 2.5)) / 2);
  for (let i = 4; i < n; i += 5) data.copyWithin(i * d, (i - 3) * d, (i - 2) * d);
  for (let i = 6; i < n; i += 7) data.fill(0, i * d, (i + 1) * d);
  return data;
}

/** Rows of one number next to 1: products differ in the last bits alone. */
function rowsNextToOne(n: number): Float32Array {
  const random = Random.seeded(n);
  return Float32Array.from({ length: n }, () => 1 - random.integer(60) * 2 ** -24);
}

/** The largest products of one row, by the plainest loops; of equal ones those that come first. */
function nearestOf(data: Float32Array, d: number, row: number, count: number) {
  const product = (other: number) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += data[row * d + k]! * data[other * d + k]!;
    return Math.fround(sum);
  };
  return Array.from({ length: data.length / d }, (_, other) => ({ other, value: product(other) }))
    .filter(({ other }) => other !== row)
    .sort((a, b) => b.value - a.value || a.other - b.other)
    .slice(0, count);
}

describe('nearest neighbours', () => {
  test.each([
    // Fewer than asked for, a block that is not full, one group more, two blocks, a whole number of blocks, three of them.
    [2, 6, 2],
    [5, 6, 10],
    [300, 392, 8],
    [1025, 4, 10],
    [2048, 3, 10],
    [2501, 8, 10],
    [1100, 1, 10],
  ])('of %d rows of length %d are those of a comparison one by one, to the bit', async (n, d, wanted) => {
    const data = d === 1 ? rowsNextToOne(n) : rowsOfHalves(n, d);
    const found = await nearestNeighbours(float32([n, d], data), quiet, { count: wanted, title: 'rows' });
    const { count, indices, similarities } = found;
    expect(count).toBe(Math.min(wanted, n - 1));
    const looked = n <= 300 ? [...Array(n).keys()] : [0, 1, 4, 6, 511, 1014, 1023, 1024, n - 2, n - 1];
    for (const row of looked) {
      const expected = nearestOf(data, d, row, count);
      const own = [row * count, (row + 1) * count] as const;
      expect([...indices.subarray(...own)]).toEqual(expected.map(({ other }) => other));
      expect([...similarities.subarray(...own)]).toEqual(expected.map(({ value }) => value));
    }
  });

  test('of equal ones those that come first, whichever block they are in', async () => {
    const n = 2200;
    const same = float32(
      [n, 2],
      Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : 0)),
    );
    const { indices } = await nearestNeighbours(same, quiet, { count: 3, title: 'rows' });
    for (const row of [0, 1, 2, 3, 1500, 2199]) {
      const expected = [0, 1, 2, 3].filter((other) => other !== row).slice(0, 3);
      expect([...indices.subarray(3 * row, 3 * row + 3)]).toEqual(expected);
    }
  });

  test('of any few points on a circle', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 6.28, noNaN: true }), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        async (angles, wanted) => {
          const data = Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
          const rows = float32([angles.length, 2], data);
          const { count, similarities } = await nearestNeighbours(rows, quiet, {
            count: wanted,
            title: 'points',
          });
          angles.forEach((_, row) => {
            nearestOf(data, 2, row, count).forEach(({ value }, rank) => {
              expect(similarities[row * count + rank]!).toBeCloseTo(value, 5);
            });
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([
    [40, 5],
    [1500, 3],
  ])('of %d rows with mirror images are those of the larger product of each pair', async (n, d) => {
    const [data, mirrored] = [rowsOfHalves(n, d), rowsOfHalves(n + 1, d).subarray(0, n * d)];
    const product = (rows: Float32Array, i: number, j: number) =>
      Array.from({ length: d }, (_, k) => data[i * d + k]! * rows[j * d + k]!).reduce((a, b) => a + b);
    const count = 4;
    const found = await nearestNeighbours(float32([n, d], data), quiet, {
      ...{ count, title: 'rows' },
      mirrored: float32([n, d], mirrored),
    });
    for (const row of [0, 7, n - 1]) {
      const value = (other: number) => {
        const [first, second] = row < other ? [row, other] : [other, row];
        return Math.max(product(data, first, second), product(mirrored, first, second));
      };
      const others = [...Array(n).keys()].filter((other) => other !== row);
      const expected = others.sort((a, b) => value(b) - value(a) || a - b).slice(0, count);
      const own = [row * count, (row + 1) * count] as const;
      expect([...found.indices.subarray(...own)]).toEqual(expected);
      expect([...found.similarities.subarray(...own)]).toEqual(expected.map(value));
    }
  });

  test('each pair of blocks is compared once', () => {
    expect([2, 1024, 1025, 2048, 60_000].map(blockPairs)).toEqual([1, 1, 3, 3, 1770]);
  });

  test('tell how far they are, and stop when they are asked to', async () => {
    const events: { done: number; total: number }[] = [];
    const controller = new AbortController();
    const context = {
      runtime,
      signal: controller.signal,
      emit: (event: { readonly done: number; readonly total: number }) => {
        events.push(event);
        controller.abort();
      },
    };
    const rows = float32([2100, 2], rowsOfHalves(2100, 2));
    await expect(nearestNeighbours(rows, context, { count: 3, title: 'neighbours' })).rejects.toThrow(
      'neighbours: stopped after 1 of 6 comparisons.',
    );
    expect(events).toMatchObject([{ done: 1, total: 6 }]);
  });
});
