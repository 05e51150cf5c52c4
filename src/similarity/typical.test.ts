import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { float32 } from '../tensor/tensor.js';
import { typicality, typicalPoints } from './typical.js';

const random = () => Random.seeded(3);

/** Points on a line. */
const line = (...xs: number[]) => float32([xs.length, 1], xs);

describe('typicality', () => {
  test('is 1 / mean distance to the nearest neighbours', async () => {
    const points = line(0, 1, 3, 10);
    expect([...(await typicality(points, [0, 1, 2, 3], { neighbours: 2 }))]).toEqual([
      2 / (1 + 3),
      2 / (1 + 2),
      2 / (2 + 3),
      2 / (7 + 9),
    ]);
  });

  test('looks at the given rows alone, and at all of them where they are few', async () => {
    expect([...(await typicality(line(0, 100, 1, 3), [0, 2, 3]))]).toEqual([2 / 4, 2 / 3, 2 / 5]);
  });

  test('of a point that is alone is 0, of one among its likes ∞', async () => {
    expect([...(await typicality(line(7, 8), [1]))]).toEqual([0]);
    expect([...(await typicality(line(7, 7, 7), [0, 1, 2]))]).toEqual([Infinity, Infinity, Infinity]);
  });
});

describe('typicalPoints', () => {
  // Three blobs of 5, 4 and 3; the most typical point of each is its middle.
  const blobs = line(-2, -1, 0, 1, 2.5, 100, 101, 102, 104, 200, 201, 203);
  const pick = (count: number, labelled: number[] = []) =>
    typicalPoints(blobs, { count, labelled, random: random() });

  test('picks the most typical of every cluster, the largest first', async () => {
    expect(await pick(3)).toEqual([
      { row: 2, clusterSize: 5 },
      { row: 6, clusterSize: 4 },
      { row: 10, clusterSize: 3 },
    ]);
  });

  test('passes over clusters that hold a label', async () => {
    expect((await pick(2, [4])).map(({ row }) => row)).toEqual([6, 10]);
    expect((await pick(1, [0, 11])).map(({ row }) => row)).toEqual([6]);
  });

  test('picks each point once, and no more than there are', async () => {
    for (const labelled of [[], [3], [0, 5, 9]]) {
      const rows = (await pick(99, labelled)).map(({ row }) => row);
      expect(rows.length).toBe(12 - labelled.length);
      expect([...rows, ...labelled].sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    }
    expect(await pick(5, [...Array(12).keys()])).toEqual([]);
  });

  test('gives different images even of a pile where all are alike', async () => {
    const picks = await typicalPoints(float32([6, 2], new Array(12).fill(1)), { count: 4, random: random() });
    expect(new Set(picks.map(({ row }) => row)).size).toBe(4);
  });

  test('comes round again to the clusters with the fewest labels where all have one', async () => {
    // One cluster holds all the labels there are, more than there can be clusters of different points.
    const points = line(...new Array(10).fill(0), ...new Array(4).fill(9));
    const picks = await typicalPoints(points, { count: 5, labelled: [0, 1, 2], random: random() });
    expect(picks.map(({ row }) => (row < 10 ? 'large' : 'small'))).toEqual([
      'small',
      'small',
      'small',
      'large',
      'small',
    ]);
  });

  test('the same stream gives the same picks, in a cluster too large to compare as well', async () => {
    const stream = Random.seeded(1);
    const many = float32(
      [6000, 2],
      Array.from({ length: 12000 }, () => stream.normal()),
    );
    const options = () => ({ count: 1, random: random() });
    const [first] = await typicalPoints(many, options());
    expect(await typicalPoints(many, options())).toEqual([first]);
    // Where a normal distribution is densest.
    expect(Math.hypot(many.data[first!.row * 2]!, many.data[first!.row * 2 + 1]!)).toBeLessThan(0.5);
  });
});
