import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { float32 } from '../tensor/tensor.js';
import { kMeans, squaredDistance } from './cluster.js';

const random = () => Random.seeded(5);

/** Points of a few coordinates on a small grid, so that many are alike and at one distance. */
const gridPoints = fc
  .record({ d: fc.integer({ min: 1, max: 3 }), n: fc.integer({ min: 1, max: 30 }) })
  .chain(({ d, n }) =>
    fc
      .array(fc.integer({ min: -3, max: 3 }), { minLength: n * d, maxLength: n * d })
      .map((values) => float32([n, d], values)),
  );

describe('kMeans', () => {
  test('finds three blobs, their means and their inertia', async () => {
    const points = float32([6, 2], [0, 0, 0, 2, 10, 0, 10, 2, 0, 20, 0, 22]);
    const { assignments, centroids, count } = await kMeans(points, 3, random());
    expect(count).toBe(3);
    const [a, b, c] = [0, 2, 4].map((i) => assignments[i]!) as [number, number, number];
    expect([...assignments]).toEqual([a, a, b, b, c, c]);
    const centroidOf = (cluster: number) => [...centroids.slice(cluster * 2, cluster * 2 + 2)];
    expect([a, b, c].map(centroidOf)).toEqual([
      [0, 1],
      [10, 1],
      [0, 21],
    ]);
  });

  test('every point belongs to its nearest centroid, and every centroid is the mean of its points', async () => {
    await fc.assert(
      fc.asyncProperty(gridPoints, fc.integer({ min: 1, max: 8 }), fc.nat(), async (points, k, seed) => {
        const [n, d] = points.shape as [number, number];
        const { assignments, centroids, count } = await kMeans(points, k, Random.seeded(seed));
        const distance = (i: number, c: number) => squaredDistance(points.data, i * d, centroids, c * d, d);
        for (let i = 0; i < n; i++) {
          const own = distance(i, assignments[i]!);
          for (let c = 0; c < count; c++) expect(own).toBeLessThanOrEqual(distance(i, c));
        }
        for (let c = 0; c < count; c++) {
          const members = [...assignments.keys()].filter((i) => assignments[i] === c);
          expect(members.length).toBeGreaterThan(0);
          for (let j = 0; j < d; j++) {
            const mean = members.reduce((m, i) => m + points.data[i * d + j]! / members.length, 0);
            expect(centroids[c * d + j]).toBeCloseTo(mean, 9);
          }
        }
      }),
    );
  });

  test('makes as many clusters as wanted, or as there are different points', async () => {
    await fc.assert(
      fc.asyncProperty(gridPoints, fc.integer({ min: 1, max: 8 }), async (points, k) => {
        const [n, d] = points.shape as [number, number];
        const rows = Array.from({ length: n }, (_, i) => points.data.slice(i * d, (i + 1) * d).join());
        expect((await kMeans(points, k, random())).count).toBe(Math.min(k, new Set(rows).size));
      }),
    );
  });

  test('the same stream gives the same clusters', async () => {
    const stream = Random.seeded(1);
    const points = float32(
      [200, 2],
      Array.from({ length: 400 }, () => stream.normal()),
    );
    expect(await kMeans(points, 9, random())).toEqual(await kMeans(points, 9, random()));
  });

  test.each([
    [0, 1],
    [3, 0],
    [3, 1.5],
  ])('refuses %d points in %d clusters', async (n, k) => {
    const points = float32([n, 1], new Array(n).fill(0));
    await expect(kMeans(points, k, random())).rejects.toThrow('k-means: expected');
  });
});
