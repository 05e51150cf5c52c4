import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { float32 } from '../tensor/tensor.js';
import { blockPairs, nearestNeighbours } from './neighbours.js';

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
const quiet = { runtime };

/** Rows of length 1 whose products may be of either sign; every fifth one repeats an earlier one. */
function randomRows(n: number, d: number, seed: number): Float32Array {
  const random = Random.seeded(seed);
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const row = data.subarray(i * d, (i + 1) * d);
    if (i % 5 === 4) {
      row.set(data.subarray((i - 3) * d, (i - 2) * d));
      continue;
    }
    const values = Array.from(row, () => random.uniform(-1, 1));
    const length = Math.hypot(...values);
    row.set(values.map((value) => value / length));
  }
  return data;
}

/** The largest products of one row, by the plainest loops; of equal ones those that come first. */
function nearestOf(data: Float32Array, d: number, row: number, count: number): number[] {
  const product = (other: number) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += data[row * d + k]! * data[other * d + k]!;
    return Math.fround(sum);
  };
  return Array.from({ length: data.length / d }, (_, other) => ({ other, value: product(other) }))
    .filter(({ other }) => other !== row)
    .sort((a, b) => b.value - a.value || a.other - b.other)
    .slice(0, count)
    .map(({ value }) => value);
}

describe('nearest neighbours', () => {
  test.each([
    // Fewer than asked for, one block, two blocks that are not full, a whole number of blocks.
    [2, 6, 2],
    [5, 6, 3],
    [300, 4, 8],
    [1025, 4, 10],
    [2048, 3, 10],
    [2501, 8, 10],
  ])(
    'of %d rows of length %d are those of a comparison one by one, the nearest first',
    async (n, d, wanted) => {
      const data = randomRows(n, d, n);
      const found = await nearestNeighbours(float32([n, d], data), quiet, { count: wanted, title: 'rows' });
      const { count, indices, similarities } = found;
      expect(count).toBe(Math.min(wanted, n - 1));
      const looked = n <= 300 ? [...Array(n).keys()] : [0, 1, 4, 511, 1023, 1024, n - 2, n - 1];
      for (const row of looked) {
        const own = [...indices.subarray(row * count, (row + 1) * count)];
        expect(new Set(own).size).toBe(count);
        expect(own).not.toContain(row);
        nearestOf(data, d, row, count).forEach((value, rank) => {
          expect(similarities[row * count + rank]!).toBeCloseTo(value, 5);
        });
      }
    },
  );

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
            nearestOf(data, 2, row, count).forEach((value, rank) => {
              expect(similarities[row * count + rank]!).toBeCloseTo(value, 5);
            });
          });
        },
      ),
      { numRuns: 30 },
    );
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
    const rows = float32([2100, 2], randomRows(2100, 2, 1));
    await expect(nearestNeighbours(rows, context, { count: 3, title: 'neighbours' })).rejects.toThrow(
      'neighbours: stopped after 1 of 6 comparisons.',
    );
    expect(events).toMatchObject([{ done: 1, total: 6 }]);
  });
});
