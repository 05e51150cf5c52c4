import { describe, expect, test } from 'vitest';
import { heldBackSplits } from '../labels/held-back.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { float32 } from '../tensor/tensor.js';
import { estimateClassShares, labelledShares } from './class-shares.js';
import { type NeighbourGraph, neighbourGraph } from './neighbour-graph.js';
import { nearestNeighbours } from './neighbours.js';
import {
  propagateLabels,
  pseudoLabels,
  recoverHeldBack,
  shortWalkSteps,
  smoothPredictions,
  unsureRows,
  walkSteps,
} from './propagate.js';

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
const quiet = { runtime, emit: () => {} };

/** Points on the unit circle. */
const circle = (angles: readonly number[]) =>
  float32(
    [angles.length, 2],
    angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]),
  );

async function graphOf(angles: readonly number[], neighbours = 4): Promise<NeighbourGraph> {
  return neighbourGraph(
    await nearestNeighbours(circle(angles), quiet, { count: neighbours, title: 'neighbours' }),
  );
}

/** Two arcs of many points, far apart, taken in turn: the class of a point is its arc. */
function twoArcs(count: number): { angles: number[]; classes: number[] } {
  const classes = Array.from({ length: count }, (_, i) => i % 2);
  return { classes, angles: classes.map((c, i) => c * Math.PI + i / count) };
}

const classOf = (scores: Float32Array, classCount: number, i: number) => {
  const row = scores.subarray(i * classCount, (i + 1) * classCount);
  return row.indexOf(Math.max(...row));
};

describe('labels spread over the graph', () => {
  test('one label a class names everything that hangs together with it', async () => {
    const { angles, classes } = twoArcs(100);
    const scores = await propagateLabels(await graphOf(angles), { rows: [0, 1], classes: [0, 1] }, 2);
    classes.forEach((expected, i) => {
      expect(classOf(scores, 2, i)).toBe(expected);
      expect(scores[2 * i]! + scores[2 * i + 1]!).toBeCloseTo(1, 5);
    });
  });

  test('a class with many labels hardly outshouts one with few', async () => {
    // One arc, labelled at both ends: five labels for class 0, one for class 1. The border stays near the middle.
    const angles = Array.from({ length: 101 }, (_, i) => i * 0.01);
    const known = { rows: [0, 1, 2, 3, 4, 100], classes: [0, 0, 0, 0, 0, 1] };
    const scores = await propagateLabels(await graphOf(angles), known, 2);
    const border = angles.findIndex((_, i) => classOf(scores, 2, i) === 1);
    expect(border).toBeGreaterThan(35);
    expect(border).toBeLessThan(75);
  });

  test('what no label reaches has no class', async () => {
    const { angles } = twoArcs(60);
    const scores = await propagateLabels(await graphOf(angles), { rows: [0], classes: [0] }, 2);
    const { rows } = pseudoLabels(scores, 2, 0);
    expect([...rows].every((i) => i % 2 === 0)).toBe(true);
    expect(rows.length).toBe(30);
  });

  test('scores are those of the formula', async () => {
    const [classCount, labels] = [3, [0, 1, 1, 2, 0]];
    const random = Random.seeded(4);
    const angles = Array.from({ length: 30 }, () => random.uniform(0, 6));
    const graph = await graphOf(angles);
    const known = { rows: [3, 11, 12, 20, 29], classes: labels };
    const n = graph.count;
    expect(walkSteps(n, 5)).toBe(10);
    // Σ Sᵗ·Y, row by row and class by class, in float64.
    let here: number[] = Array.from({ length: n * classCount }, (_, at) =>
      labels.some((k, i) => at === known.rows[i]! * classCount + k) ? 1 : 0,
    );
    const brought = here.slice();
    for (let step = 1; step < 10; step++) {
      here = here.map((_, at) => {
        const [row, k] = [Math.floor(at / classCount), at % classCount];
        let sum = 0;
        for (let edge = graph.offsets[row]!; edge < graph.offsets[row + 1]!; edge++) {
          sum += graph.weights[edge]! * here[graph.targets[edge]! * classCount + k]!;
        }
        return sum;
      });
      here.forEach((score, at) => {
        brought[at]! += score;
      });
    }
    const total = (k: number) =>
      brought.reduce((sum, score, at) => sum + (at % classCount === k ? score : 0), 0);
    const densities = brought.map((score, at) => score / total(at % classCount));
    const prior = labelledShares(labels, classCount);
    const shares = await estimateClassShares(Float32Array.from(densities), classCount, { prior });
    const scores = await propagateLabels(graph, known, classCount);
    for (let i = 0; i < n; i++) {
      const row = densities.slice(i * classCount, (i + 1) * classCount);
      // (K − 2)/K of the mean.
      const background = (row.reduce((a, b) => a + b, 0) / 3) * (1 / 3);
      const weighed = row.map((d, k) => shares[k]! * Math.max(0, d - background));
      const sum = weighed.reduce((a, b) => a + b, 0);
      const label = known.rows.indexOf(i);
      weighed.forEach((weight, k) => {
        const expected = label >= 0 ? Number(labels[label] === k) : weight / (sum || 1);
        expect(scores[i * classCount + k]).toBeCloseTo(expected, 4);
      });
    }
  });

  test('walks are longer the more images a label has to reach', () => {
    // A pile of 60,000 with 100 labels, with 10, and one with a label for every other image.
    expect([walkSteps(60_000, 100), walkSteps(60_000, 10), walkSteps(200, 100)]).toEqual([98, 310, 6]);
    expect([shortWalkSteps(60_000, 100), shortWalkSteps(200, 100)]).toEqual([30, 6]);
  });

  test('a walk that may take fewer steps reaches less far, one that is short anyway stays as it is', async () => {
    // A chain of rows, of which each is near the next alone.
    const chain = await graphOf(Array.from({ length: 40 }, (_, i) => i * 0.05));
    const known = { rows: [0, 39], classes: [0, 1] };
    const reached = async (mostSteps?: number) => {
      const scores = await propagateLabels(chain, known, 2, { mostSteps });
      return Array.from({ length: 40 }, (_, i) => i).filter((i) => scores[2 * i]! + scores[2 * i + 1]! > 0)
        .length;
    };
    expect(await reached(3)).toBeLessThan(await reached());
    const steps = walkSteps(chain.count, known.rows.length);
    expect(await propagateLabels(chain, known, 2, { mostSteps: steps })).toEqual(
      await propagateLabels(chain, known, 2),
    );
  });

  test('held-back labels tell a graph that follows the classes from one that does not', async () => {
    const { angles, classes } = twoArcs(80);
    const graph = await graphOf(angles);
    const rows = Array.from({ length: 16 }, (_, i) => i);
    const found = async (of: readonly number[]) => {
      const each = await recoverHeldBack(graph, { rows, classes: of }, 2, heldBackSplits(of));
      expect(each).toHaveLength(16);
      return each.filter(Boolean).length;
    };
    expect(await found(rows.map((i) => classes[i]!))).toBe(16);
    // Classes that have nothing to do with where a point lies.
    const random = Random.seeded(8);
    const arbitrary = rows.map((i) => (i < 4 ? i % 2 : random.integer(2)));
    expect(await found(arbitrary)).toBeLessThan(13);
  });
});

test('smoothing corrects a classifier that contradicts its neighbours, and keeps to the labels', async () => {
  const { angles, classes } = twoArcs(100);
  const probabilities = new Float32Array(200);
  // Every ninth image is taken for the other class with certainty.
  classes.forEach((c, i) => {
    const said = i % 9 === 0 ? 1 - c : c;
    probabilities[2 * i + said] = 0.98;
    probabilities[2 * i + 1 - said] = 0.02;
  });
  const scores = await smoothPredictions(await graphOf(angles, 6), probabilities, {
    rows: [18, 50],
    classes: [0, 1],
  });
  const right = classes.filter((c, i) => classOf(scores, 2, i) === c).length;
  expect(right).toBeGreaterThan(97);
  // Image 50 is of class 0; its label says 1, and a label is a label.
  expect(classOf(scores, 2, 50)).toBe(1);
});

describe('unsure images', () => {
  /** Margins 0.8, 0.05, 0.6, 0.02, and 0 where no label has come. */
  const rows = [0.9, 0.1, 0, 0.4, 0.35, 0.25, 0, 0.2, 0.8, 0.35, 0.33, 0.32, 0, 0, 0];
  const scores = float32([5, 3], rows).data;

  test('are those whose two best classes are close to each other, and those that no label has reached', () => {
    expect([...unsureRows(scores, 3)]).toEqual([1, 3, 4]);
  });

  test('get no class, the most unsure first, up to a share of all', () => {
    expect(pseudoLabels(scores, 3, 0)).toEqual({
      rows: Uint32Array.from([0, 1, 2, 3]),
      classes: Int32Array.from([0, 0, 2, 0]),
    });
    expect([...pseudoLabels(scores, 3, 0.5).rows]).toEqual([0, 1, 2]);
    expect([...pseudoLabels(scores, 3, 0.6).rows]).toEqual([0, 2]);
  });

  test('are left out alone: an image of a clear class is learned, however large the share', () => {
    expect([...pseudoLabels(scores, 3, 0.9).rows]).toEqual([0, 2]);
  });
});
