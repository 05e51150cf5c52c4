import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import { float32, type Tensor } from '../tensor/tensor.js';
import { whitened } from './whiten.js';

const n = 400;
const random = () => Random.seeded(8);

/** Independent directions of different size, mixed over six columns. */
function mixed(scale = 1, sizes = [3, 1.5, 1]): Tensor<'float32'> {
  const stream = Random.seeded(2);
  const mix = Array.from({ length: 18 }, () => stream.normal());
  const rows = Array.from({ length: n }, () => {
    const hidden = sizes.map((size) => size * stream.normal());
    return Array.from(
      { length: 6 },
      (_, j) => scale * hidden.reduce((sum, h, k) => sum + h * mix[k * 6 + j]!, j),
    );
  });
  return float32([n, 6], rows.flat());
}

/** Σ rows of (a − b)², over the first rows. */
const distances = ({ shape, data }: Tensor<'float32'>) => {
  const d = shape[1]!;
  return Array.from({ length: 50 }, (_, i) =>
    Array.from({ length: d }, (_, j) => (data[j]! - data[i * d + j]!) ** 2).reduce((a, b) => a + b),
  );
};

describe('whitened', () => {
  test('rows have length 1, and no direction counts more than another', () => {
    const { shape, data } = whitened(mixed(), 3, random());
    expect(shape).toEqual([n, 3]);
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++) {
        let moment = 0;
        for (let i = 0; i < n; i++) moment += (data[i * 3 + j]! * data[i * 3 + k]!) / n;
        expect(Math.abs(moment - (j === k ? 1 / 3 : 0))).toBeLessThan(0.05);
      }
    }
    for (let i = 0; i < n; i++) expect(Math.hypot(...data.subarray(i * 3, i * 3 + 3))).toBeCloseTo(1, 5);
  });

  test('distances depend neither on the scale of the features nor on the stream', () => {
    const expected = distances(whitened(mixed(), 3, random()));
    for (const other of [whitened(mixed(1000), 3, random()), whitened(mixed(), 3, Random.seeded(99))]) {
      for (const [i, distance] of distances(other).entries()) expect(distance).toBeCloseTo(expected[i]!, 2);
    }
  });

  test('asked for more directions than there are, it gives those that there are', () => {
    expect(whitened(mixed(), 6, random()).shape).toEqual([n, 3]);
  });

  test('a direction of next to no variance is left out', () => {
    expect(whitened(mixed(1, [3, 1.5, 0.01]), 3, random()).shape).toEqual([n, 2]);
  });

  test('columns without variance change nothing', () => {
    const features = mixed();
    const wider = Array.from({ length: n }, (_, i) => [7, ...features.data.subarray(i * 6, (i + 1) * 6), 0]);
    const { shape, data } = whitened(float32([n, 8], wider.flat()), 3, random());
    expect(shape).toEqual([n, 3]);
    expect(data.every(Number.isFinite)).toBe(true);
    const expected = distances(whitened(features, 3, random()));
    for (const [i, d] of distances({ dtype: 'float32', shape, data }).entries())
      expect(d).toBeCloseTo(expected[i]!, 2);
  });

  test('images that are all the same come out as zeros', () => {
    const { shape, data } = whitened(float32([3, 2], [1, 2, 1, 2, 1, 2]), 2, random());
    expect(shape).toEqual([3, 1]);
    expect([...data]).toEqual([0, 0, 0]);
  });
});
