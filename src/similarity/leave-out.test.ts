import { describe, expect, test } from 'vitest';
import { createNodeRuntime } from '../runtime/node.js';
import { float32 } from '../tensor/tensor.js';
import { spreadWithoutOwn } from './leave-out.js';
import { neighbourGraph } from './neighbour-graph.js';
import { nearestNeighbours } from './neighbours.js';

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });

/** Images on three arcs far apart, taken in turn: the class of an image is its arc. */
async function threeArcs(count: number) {
  const classes = Array.from({ length: count }, (_, i) => i % 3);
  const points = classes.flatMap((c, i) => {
    const angle = (c * 2 * Math.PI) / 3 + i / count;
    return [Math.cos(angle), Math.sin(angle)];
  });
  const neighbours = await nearestNeighbours(
    float32([count, 2], points),
    { runtime },
    { count: 6, title: '' },
  );
  return { classes, graph: await neighbourGraph(neighbours) };
}

describe('what neighbours say without the own label', () => {
  test('a wrong label does not speak for itself, and the others contradict it', async () => {
    const { graph, classes } = await threeArcs(600);
    const rows = Array.from({ length: 30 }, (_, i) => 20 * i);
    const given = rows.map((row, i) => (i === 4 ? ((classes[row] ?? 0) + 1) % 3 : (classes[row] ?? 0)));
    const logits = await spreadWithoutOwn(graph, { rows, classes: given }, 3);
    const said = rows.map((_, i) => {
      const row = [...logits.subarray(3 * i, 3 * i + 3)];
      return row.indexOf(Math.max(...row));
    });
    // A neighbour may believe the wrong label, which is the nearest.
    const right = rows.filter((row, i) => said[i] === classes[row]).length;
    expect(said[4]).toBe(classes[80]);
    expect(right).toBeGreaterThan(26);
    expect(logits.every((logit) => logit < 1e-5 && logit > 2 * Math.log(1e-6) - 1e-3)).toBe(true);
  });

  test('of the only label of a class nothing is said, nor of an image that none reaches', async () => {
    const { graph, classes } = await threeArcs(90);
    const rows = [0, 3, 6, 9, 1, 4, 7, 2];
    const logits = await spreadWithoutOwn(graph, { rows, classes: rows.map((row) => classes[row] ?? 0) }, 3);
    expect([...logits.subarray(21)]).toEqual([0, 0, 0]);
    expect(logits.subarray(0, 21).some((logit) => logit !== 0)).toBe(true);
  });

  test('it is told how far it has come, and stops where it is asked to', async () => {
    const { graph, classes } = await threeArcs(90);
    const known = { rows: [0, 1, 2, 3, 4, 5], classes: classes.slice(0, 6) };
    const seen: number[] = [];
    await spreadWithoutOwn(graph, known, 3, { emit: ({ done, total }) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const signal = AbortSignal.abort();
    await expect(spreadWithoutOwn(graph, known, 3, { signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});
