import { expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { float32 } from '../tensor/tensor.js';
import { uncertainPoints } from './uncertain.js';

const random = () => Random.seeded(4);
// Two confusions, 0–2 and 3–5, and a point that is certain.
const features = float32([7, 1], [0, 0.1, 0.2, 9, 9.1, 9.2, 4]);
const margins = [0.02, 0.01, 0.03, 0.3, 0.2, 0.4, 0.99];

test('one of each confusion, where the least margins alone are all of one', async () => {
  const six = float32([6, 1], features.data.subarray(0, 6));
  expect(await uncertainPoints(six, margins, { count: 2, taken: new Set(), random: random() })).toEqual([
    1, 4,
  ]);
});

test('passes over what is taken', async () => {
  const picks = await uncertainPoints(features, margins, {
    count: 2,
    taken: new Set([1, 4, 6]),
    random: random(),
  });
  expect(picks).toEqual([0, 3]);
});

test('looks at ten candidates a pick', async () => {
  const many = float32(
    [30, 1],
    Array.from({ length: 30 }, (_, i) => i),
  );
  const rising = Array.from({ length: 30 }, (_, i) => i / 30);
  const picks = await uncertainPoints(many, rising, { count: 2, taken: new Set(), random: random() });
  expect(picks[0]).toBe(0);
  expect(picks[1]).toBeLessThan(20);
});

test('gives as many as wanted of images that are all alike, or all that are left', async () => {
  const alike = float32([5, 1], new Array(5).fill(1));
  const pick = (count: number, taken: number[]) =>
    uncertainPoints(alike, [0.5, 0.1, 0.3, 0.2, 0.4], { count, taken: new Set(taken), random: random() });
  expect(await pick(3, [])).toEqual([1, 3, 2]);
  expect(await pick(9, [1])).toEqual([3, 2, 4, 0]);
  expect(await pick(1, [0, 1, 2, 3, 4])).toEqual([]);
});
