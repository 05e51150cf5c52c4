import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConvAxis } from './conv-problem.js';
import { axisTransforms, frequenciesOf, periodOf, planeTransforms } from './fourier.js';
import { type Matrix, range } from './matrix.js';

const product = (matrix: Matrix, vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));

/** x [h][w] through the two maps of an axis each, as `conv-fourier.ts` lays them out. */
function inputPoints({ columns, rows }: { columns: Matrix; rows: Matrix }, x: Matrix): number[] {
  const frequencies = columns.length / 2;
  const lines = x.map((line) => product(columns, line));
  // [(3, l)] for each k, then [3, l, k].
  const byFrequency = range(frequencies).map((k) =>
    product(
      rows,
      lines.flatMap((line) => [line[k]!, line[frequencies + k]!]),
    ),
  );
  return range(rows.length).flatMap((point) => byFrequency.map((points) => points[point]!));
}

function outputMap({ rows, columns }: { rows: Matrix; columns: Matrix }, points: readonly number[]): Matrix {
  const frequencies = columns[0]!.length / 2;
  const byFrequency = range(frequencies).map((k) =>
    product(
      rows,
      range(rows[0]!.length).map((point) => points[point * frequencies + k]!),
    ),
  );
  return range(rows.length / 2).map((h) =>
    product(
      columns,
      [0, 1].flatMap((part) => byFrequency.map((values) => values[2 * h + part]!)),
    ),
  );
}

/** An axis of any geometry whose windows may hang over either end, or leave positions out. */
const anyAxis: fc.Arbitrary<ConvAxis> = fc
  .record({
    size: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    before: fc.integer({ min: -2, max: 6 }),
    outSize: fc.integer({ min: 1, max: 9 }),
  })
  .filter(({ size, before }) => before > -size);

/** Both ways from x [h][w] and w [k][l] to y [i][j]. */
const ways = {
  'axis by axis': (height: ConvAxis, width: ConvAxis, x: Matrix, w: Matrix): Matrix => {
    const { kernel, input, output } = axisTransforms(height, width);
    const ofX = inputPoints(input, x);
    return outputMap(
      output,
      product(kernel, w.flat()).map((value, i) => value * ofX[i]!),
    );
  },
  'the whole plane': (height: ConvAxis, width: ConvAxis, x: Matrix, w: Matrix): Matrix => {
    const { kernel, input, output } = planeTransforms(height, width);
    const ofX = product(input, x.flat());
    const y = product(
      output,
      product(kernel, w.flat()).map((value, i) => value * ofX[i]!),
    );
    return range(height.outSize).map((i) => y.slice(i * width.outSize, (i + 1) * width.outSize));
  },
};

test.each(Object.entries(ways))(
  'a convolution on the circle is the convolution on the padded map, %s',
  (_, way) => {
    fc.assert(
      fc.property(
        anyAxis,
        anyAxis,
        fc.infiniteStream(fc.integer({ min: -9, max: 9 })),
        (height, width, numbers) => {
          const draw = (rows: number, columns: number) =>
            range(rows).map(() => range(columns).map(() => numbers.next().value));
          const [x, w] = [draw(height.size, width.size), draw(height.kernel, width.kernel)];
          const y = way(height, width, x, w);
          range(height.outSize).forEach((i) => {
            range(width.outSize).forEach((j) => {
              const direct = w.flatMap((row, k) =>
                row.map((tap, l) => tap * (x[i + k - height.before]?.[j + l - width.before] ?? 0)),
              );
              expect(y[i]![j]!).toBeCloseTo(
                direct.reduce((sum, value) => sum + value, 0),
                9,
              );
            });
          });
        },
      ),
    );
  },
);

test('in the plane, frequencies that are their own conjugates take one product, the others three for two of them', () => {
  const same = (size: number, taps: number): ConvAxis => ({
    ...{ size, outSize: size, kernel: taps },
    before: (taps - 1) / 2,
  });
  const pointsOf = (size: number, taps: number) =>
    planeTransforms(same(size, taps), same(size, taps)).kernel.length;
  expect([pointsOf(4, 3), pointsOf(7, 3), pointsOf(7, 5)]).toEqual([37, 94, 121]);
});

describe('the period', () => {
  const axis = (size: number, kernel: number, before: number, outSize = size): ConvAxis => ({
    size,
    outSize,
    kernel,
    before,
  });
  test.each<[what: string, axis: ConvAxis, period: number]>([
    ['5 taps, same padding: room for the padding of one end', axis(14, 5, 2), 16],
    ['3 taps, same padding', axis(7, 3, 1), 8],
    ['no padding: windows never leave the map', axis(14, 5, 0, 10), 14],
    ['more padding than taps', axis(4, 3, 3, 8), 8],
  ])('%s', (_, geometry, period) => {
    expect(periodOf(geometry)).toBe(period);
  });

  test('half of the frequencies say everything', () => {
    expect([1, 2, 7, 8].map(frequenciesOf)).toEqual([1, 2, 4, 5]);
  });
});
