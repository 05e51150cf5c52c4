import { expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { nearestLabelCurve } from './nearest-label.js';

/** Rows on a circle, of a class each half. */
function halves(count: number) {
  const random = Random.seeded(3);
  const angles = Array.from({ length: count }, () => random.uniform(0, 2 * Math.PI));
  return {
    features: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
    dimensions: 2,
    classes: angles.map((angle) => (angle < Math.PI ? 0 : 1)),
  };
}

test('more labels find more: the mean over draws, each label looked for among the others', () => {
  const data = halves(200);
  const points = nearestLabelCurve({ ...data, shares: [0.02, 0.1, 1] });
  expect(points.map(({ labels }) => labels)).toEqual([4, 20, 200]);
  const [few, some, all] = points.map(({ accuracy }) => accuracy);
  expect(few).toBeLessThan(some ?? 0);
  expect(some).toBeLessThan(all ?? 0);
  // Of all, plainly: the nearest of the others.
  const angle = (i: number) => Math.atan2(data.features[2 * i + 1] ?? 0, data.features[2 * i] ?? 0);
  const found = data.classes.filter((label, i) => {
    const others = data.classes.map((_, j) => j).filter((j) => j !== i);
    const near = others.toSorted((a, b) => Math.cos(angle(b) - angle(i)) - Math.cos(angle(a) - angle(i)));
    return data.classes[near[0] ?? 0] === label;
  });
  expect(all).toBeCloseTo(found.length / 200, 2);
  expect(points.at(-1)?.deviation).toBe(0);
  expect(points[0]?.deviation).toBeGreaterThan(0);
  expect(nearestLabelCurve({ ...data, shares: [0.02, 0.1, 1] })).toEqual(points);
});

test('one label finds nothing among no others', () => {
  const one = { features: Float32Array.of(1, 0), dimensions: 2, classes: [0] };
  expect(nearestLabelCurve({ ...one, shares: [1] })).toEqual([{ labels: 1, accuracy: 0, deviation: 0 }]);
});
