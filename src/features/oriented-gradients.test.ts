import { describe, expect, test } from 'vitest';
import { sampleImages } from '../../test/support/sample-classifier.js';
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

/** The formula for one image, cell by cell and direction by direction: what each pixel's edge overlaps of it. */
function byFormula({ shape, data }: ReturnType<typeof sampleImages>): number[] {
  const [, height, width, channels] = shape as [number, number, number, number];
  const cells = [...Array(7).keys()];
  const edges = Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const at = (row: number, column: number, c: number) =>
      data[(clamp(row, height - 1) * width + clamp(column, width - 1)) * channels + c] ?? 0;
    const ofChannels = Array.from({ length: channels }, (_, c) => {
      const [dx, dy] = [at(y, x + 1, c) - at(y, x - 1, c), at(y + 1, x, c) - at(y - 1, x, c)];
      return { turn: ((Math.atan2(dy, dx) / (2 * Math.PI)) * 8 + 8) % 8, length: Math.hypot(dx, dy) };
    });
    const longest = ofChannels.reduce((a, b) => (b.length > a.length ? b : a));
    return { y: ((y + 0.5) * 7) / height - 0.5, x: ((x + 0.5) * 7) / width - 0.5, ...longest };
  });
  const overlap = (distance: number) => Math.max(0, 1 - Math.abs(distance));
  const sums = cells.flatMap((row) =>
    cells.flatMap((column) =>
      Array.from({ length: 8 }, (_, direction) =>
        edges.reduce((sum, { y, x, turn, length }) => {
          const away = Math.abs(turn - direction);
          return sum + length * overlap(y - row) * overlap(x - column) * overlap(Math.min(away, 8 - away));
        }, 0),
      ),
    ),
  );
  const total = sums.reduce((a, b) => a + b);
  return sums.map((sum) => Math.sqrt(sum / total));
}

const clamp = (value: number, largest: number) => Math.min(Math.max(value, 0), largest);

describe('histograms of oriented gradients', () => {
  test.each([
    [28, 28, 1],
    [32, 32, 3],
    [9, 5, 3],
  ] as const)('%i×%i pixels of %i channels: as the formula says', (height, width, channels) => {
    const image = sampleImages(1, [height, width, channels]);
    const { data } = orientedGradients(image);
    byFormula(image).forEach((value, i) => {
      expect(data[i]).toBeCloseTo(value, 5);
    });
  });

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
