import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random/random.js';
import { ElasticField } from './elastic-field.js';

/** All displacements of a field just drawn: [row][column][axis]. */
function drawn(height: number, width: number, amplitude: number, seed: number): number[][][] {
  const field = new ElasticField(height, width);
  field.draw(amplitude, Random.seeded(seed));
  return Array.from({ length: height }, (_, y) => {
    field.row(y);
    return Array.from(field.dx, (dx, x) => [dx, field.dy[x]!]);
  });
}

describe('ElasticField', () => {
  const size = fc.integer({ min: 1, max: 40 });

  it('displaces by at most the amplitude, and neighbours nearly alike', () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        fc.nat(),
        (height, width, amplitude, seed) => {
          const field = drawn(height, width, amplitude, seed);
          const step = (2 * amplitude) / (Math.min(height, width) / 4);
          let furthest = 0;
          let steepest = 0;
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              for (let axis = 0; axis < 2; axis++) {
                const here = field[y]![x]![axis]!;
                const beside = field[y]![x + 1]?.[axis] ?? here;
                const below = field[y + 1]?.[x]?.[axis] ?? here;
                furthest = Math.max(furthest, Math.abs(here));
                steepest = Math.max(steepest, Math.abs(beside - here), Math.abs(below - here));
              }
            }
          }
          expect(furthest).toBeLessThanOrEqual(amplitude * (1 + 1e-12));
          expect(steepest).toBeLessThanOrEqual(step);
        },
      ),
    );
  });

  it('varies by a root mean square of 0.28 of the amplitude, everywhere', () => {
    const [height, width] = [12, 28];
    const squares = new Float64Array(height * width);
    const draws = 2000;
    for (let seed = 0; seed < draws; seed++) {
      drawn(height, width, 1, seed)
        .flat()
        .forEach(([dx, dy], i) => {
          squares[i]! += (dx! ** 2 + dy! ** 2) / (2 * draws);
        });
    }
    const rms = squares.map(Math.sqrt);
    expect(Math.min(...rms)).toBeGreaterThan(0.25);
    expect(Math.max(...rms)).toBeLessThan(0.3);
  });

  it('is the cubic B-spline over the grid’s points', () => {
    // 4 x 8 pixels: a point for each pixel, where the spline weighs 1/6, 4/6, 1/6 and 0 along each axis.
    const columns = 8 + 3;
    const random = Random.seeded(7);
    const grid = Array.from({ length: 7 * columns }, () => [random.uniform(-1, 1), random.uniform(-1, 1)]);
    const weights = [1 / 6, 4 / 6, 1 / 6];
    drawn(4, 8, 1, 7).forEach((row, y) => {
      row.forEach((displacement, x) => {
        const expected = [0, 0];
        for (let j = 0; j < 3; j++) {
          for (let i = 0; i < 3; i++) {
            const point = grid[(y + j) * columns + x + i]!;
            for (let axis = 0; axis < 2; axis++) expected[axis]! += weights[j]! * weights[i]! * point[axis]!;
          }
        }
        expect(displacement[0]).toBeCloseTo(expected[0]!, 12);
        expect(displacement[1]).toBeCloseTo(expected[1]!, 12);
      });
    });
  });

  it('starts afresh with each draw', () => {
    const field = new ElasticField(9, 5);
    field.draw(1, Random.seeded(1));
    field.draw(2, Random.seeded(2));
    field.row(3);
    expect(Array.from(field.dx, (dx, x) => [dx, field.dy[x]!])).toEqual(drawn(9, 5, 2, 2)[3]);
  });
});
