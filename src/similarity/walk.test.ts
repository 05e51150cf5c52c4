import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { type NeighbourGraph, neighbourGraph } from './neighbour-graph.js';
import { stepThrough, walk } from './walk.js';

/** Two parts that nothing connects, the rows of both in turn. */
function graphInTwoParts(n: number): Promise<NeighbourGraph> {
  const random = Random.seeded(n);
  const count = 4;
  const indices = Int32Array.from({ length: n * count }, (_, at) => {
    const i = Math.floor(at / count);
    return (i + 2 * (1 + (at % count)) * (1 + random.integer(3))) % n;
  });
  return neighbourGraph({
    count,
    indices,
    similarities: Float32Array.from(indices, () => random.uniform(0.8, 1)),
  });
}

/** One column, one row after the other. Each number is kept as float32, and each sum over edges made in float64. */
function columnByItself(
  { count, offsets, targets, weights }: NeighbourGraph,
  start: Float32Array,
  { alpha, steps, result }: { alpha: number; steps: number; result: 'sum' | 'last' },
): Float32Array {
  let scores = start.slice();
  const sums = start.slice();
  for (let step = 0; step < steps; step++) {
    const next = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let edge = offsets[i]!; edge < offsets[i + 1]!; edge++)
        sum += weights[edge]! * scores[targets[edge]!]!;
      next[i] = (1 - alpha) * start[i]! + alpha * sum;
      sums[i]! += next[i]!;
    }
    scores = next;
  }
  return result === 'sum' ? sums : scores;
}

describe('walks over a graph', () => {
  test.each([1, 2, 5, 7, 10])('of %d columns are those of each by itself, to the bit', async (columns) => {
    const n = 60;
    const graph = await graphInTwoParts(n);
    const random = Random.seeded(columns);
    const start = Float32Array.from({ length: n * columns }, () => Math.max(0, random.normal()));
    for (const steps of [
      { alpha: 1, steps: 6, result: 'sum' },
      { alpha: 0.8, steps: 3, result: 'last' },
      { alpha: 1, steps: 0, result: 'sum' },
    ] as const) {
      const shares: number[] = [];
      const reached = await stepThrough(graph, start, steps, async (share) => {
        shares.push(share);
      });
      for (let k = 0; k < columns; k++) {
        const column = (all: Float32Array) => all.filter((_, at) => at % columns === k);
        expect(column(reached)).toEqual(columnByItself(graph, column(start), steps));
      }
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      if (steps.steps > 0) expect(shares.at(-1)).toBeCloseTo(1, 12);
    }
  });

  test('add up where they have been, the start included', async () => {
    const graph = await graphInTwoParts(30);
    const start = new Float32Array(30);
    start[4] = 1;
    const reached = await walk(graph, start, 5, async () => {});
    expect(reached).toEqual(columnByItself(graph, start, { alpha: 1, steps: 4, result: 'sum' }));
    // Nothing comes to the other part.
    expect(reached.every((score, i) => i % 2 === 0 || score === 0)).toBe(true);
    expect(reached[4]).toBeGreaterThan(1);
  });
});
