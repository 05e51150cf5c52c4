import { describe, expect, test } from 'vitest';
import { tensor } from '../tensor/tensor.js';
import { orientedGradients, orientedGradientsLength } from './oriented-gradients.js';

const side = 14;

/** One image drawn by a function of its pixels. */
function drawn(channels: number, brightness: (y: number, x: number, c: number) => number) {
  const pixels = Uint8Array.from({ length: side * side * channels }, (_, i) => {
    const [at, c] = [Math.floor(i / channels), i % channels];
    return brightness(Math.floor(at / side), at % side, c);
  });
  return tensor('uint8', [1, side, side, channels], pixels);
}

const describeImage = (image: ReturnType<typeof drawn>) => [...orientedGradients(image).data];

/** Sum over cells of the squares, by direction: shares of the image's edges. */
function byDirection(row: readonly number[]): number[] {
  return Array.from({ length: 8 }, (_, d) =>
    row.reduce((sum, value, i) => (i % 8 === d ? sum + value * value : sum), 0),
  );
}

describe('histograms of oriented gradients', () => {
  test('a bright right half is an edge to the right, a bright lower half one downwards', () => {
    const right = byDirection(describeImage(drawn(1, (_, x) => (x >= 7 ? 200 : 0))));
    expect(right[0]).toBeCloseTo(1, 6);
    const low = byDirection(describeImage(drawn(1, (y) => (y >= 7 ? 200 : 0))));
    expect(low[2]).toBeCloseTo(1, 6);
    const dark = byDirection(describeImage(drawn(1, (y) => (y >= 7 ? 0 : 200))));
    expect(dark[6]).toBeCloseTo(1, 6);
  });

  test('rows have length 1, brightness does not matter, an image of one colour is 0', () => {
    const shape = (y: number, x: number) => (Math.hypot(y - 6, x - 7) < 4 ? 1 : 0);
    const dim = describeImage(drawn(1, (y, x) => 50 * shape(y, x)));
    const bright = describeImage(drawn(1, (y, x) => 250 * shape(y, x)));
    expect(Math.hypot(...dim)).toBeCloseTo(1, 6);
    dim.forEach((value, i) => {
      expect(value).toBeCloseTo(bright[i]!, 6);
    });
    expect(describeImage(drawn(1, () => 90)).every((value) => value === 0)).toBe(true);
  });

  test('the channel with the strongest edge counts', () => {
    const grey = describeImage(drawn(1, (_, x) => (x === 7 ? 200 : 0)));
    const green = describeImage(drawn(3, (_, x, c) => (x === 7 && c === 1 ? 200 : 0)));
    expect(green).toEqual(grey);
  });

  test('a small shift changes little, a mirror image much', () => {
    const stroke = (offset: number) => describeImage(drawn(1, (y, x) => (x === y + offset ? 255 : 0)));
    const mirrored = describeImage(drawn(1, (y, x) => (side - 1 - x === y ? 255 : 0)));
    const similarity = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(similarity(stroke(0), stroke(1))).toBeGreaterThan(0.7);
    expect(similarity(stroke(0), mirrored)).toBeLessThan(0.45);
  });

  test('each image of a batch has a row', () => {
    const two = new Uint8Array(2 * side * side);
    two[100] = 255;
    const { data, shape } = orientedGradients(tensor('uint8', [2, side, side, 1], two));
    expect(shape).toEqual([2, orientedGradientsLength]);
    expect(Math.hypot(...data.subarray(0, orientedGradientsLength))).toBeCloseTo(1, 6);
    expect(data.subarray(orientedGradientsLength).every((value) => value === 0)).toBe(true);
  });
});
