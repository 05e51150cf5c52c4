import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { neighbourGraph } from './neighbour-graph.js';
import type { Neighbours } from './neighbours.js';

/** Neighbours of rows of which the first is everybody's, as in a pile with a hub. */
function neighboursWithHub(n: number, count: number): Neighbours {
  const random = Random.seeded(3);
  const indices = Array.from({ length: n }, (_, i) => {
    const others = random.permutation(n).filter((j) => j !== i && j !== 0);
    return i === 0 ? [...others.slice(0, count)] : [0, ...others.slice(0, count - 1)];
  }).flat();
  return {
    count,
    indices: Int32Array.from(indices),
    similarities: Float32Array.from(indices, () => random.uniform(-0.1, 1)),
  };
}

describe('the neighbour graph', () => {
  test('is symmetric, and an edge weighs what both ends say of it, scaled by their degrees', async () => {
    const [n, count] = [40, 4];
    const neighbours = neighboursWithHub(n, count);
    const said = Array.from({ length: n }, () => new Float64Array(n));
    const isEdge = Array.from({ length: n }, () => new Uint8Array(n));
    neighbours.indices.forEach((j, at) => {
      const i = Math.floor(at / count);
      const weight = Math.max(neighbours.similarities[at]!, 0) ** 20;
      for (const [from, to] of [
        [i, j],
        [j, i],
      ] as const) {
        said[from]![to]! += weight;
        isEdge[from]![to] = 1;
      }
    });
    const degrees = said.map((row) => row.reduce((sum, weight) => sum + weight, 1e-9));
    const { offsets, targets, weights } = await neighbourGraph(neighbours);
    expect(targets).toHaveLength(isEdge.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0));
    expect(weights).toHaveLength(targets.length);
    for (let i = 0; i < n; i++) {
      const own = targets.subarray(offsets[i], offsets[i + 1]);
      expect(new Set(own).size).toBe(own.length);
      own.forEach((j, at) => {
        expect(isEdge[i]![j]).toBe(1);
        const expected = said[i]![j]! / Math.sqrt(degrees[i]! * degrees[j]!);
        expect(weights[offsets[i]! + at]).toBeCloseTo(expected, 6);
      });
    }
  });

  test('of nothing, and of rows without neighbours, is empty', async () => {
    const empty = { indices: new Int32Array(), similarities: new Float32Array() };
    for (const count of [0, 3]) {
      expect(await neighbourGraph({ ...empty, count })).toMatchObject({
        count: 0,
        targets: new Uint32Array(),
      });
    }
  });
});
