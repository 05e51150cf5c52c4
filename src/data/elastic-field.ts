import type { Random } from '../random/random.js';

/** Cells of the coarse grid along the shorter side. */
const cellsPerSide = 4;

/** Where a pixel lies on the grid along one axis, and what the four grid points about it weigh there. */
interface Axis {
  /** Grid points that are needed. */
  readonly points: number;
  /** For each pixel, the first of its four grid points. */
  readonly first: Uint16Array;
  /** For each pixel, four weights that add up to 1. */
  readonly weights: Float64Array;
}

/**
 * A smooth random displacement of every pixel, for elastic distortion.
 *
 * Simard et al. draw a vector for each pixel and smooth them with a Gaussian of 4 pixels of 28. Here vectors are drawn
 * on a grid of a quarter of the shorter side, 49 for 28 x 28 instead of 784, and the uniform cubic B-spline over them
 * is the field, twice continuously differentiable. Its weights are positive and add up to 1, which bounds it: no
 * displacement exceeds the amplitude, and neighbouring ones differ by at most twice the amplitude over the spacing.
 *
 * Buffers belong to the field: draw it, then ask for its rows, one image after the other.
 */
export class ElasticField {
  /** Pixels to the right at each column of the row last asked for. */
  readonly dx: Float64Array;
  /** Pixels down, alike. */
  readonly dy: Float64Array;
  readonly #down: Axis;
  readonly #across: Axis;
  readonly #gridX: Float64Array;
  readonly #gridY: Float64Array;
  readonly #lineX: Float64Array;
  readonly #lineY: Float64Array;

  constructor(height: number, width: number) {
    const spacing = Math.min(height, width) / cellsPerSide;
    this.#down = axisOf(height, spacing);
    this.#across = axisOf(width, spacing);
    this.dx = new Float64Array(width);
    this.dy = new Float64Array(width);
    this.#gridX = new Float64Array(this.#down.points * this.#across.points);
    this.#gridY = new Float64Array(this.#gridX.length);
    this.#lineX = new Float64Array(this.#across.points);
    this.#lineY = new Float64Array(this.#across.points);
  }

  /** Draw a new field: two numbers for each grid point, row by row. */
  draw(amplitude: number, random: Random): void {
    for (let i = 0; i < this.#gridX.length; i++) {
      this.#gridX[i] = amplitude * random.uniform(-1, 1);
      this.#gridY[i] = amplitude * random.uniform(-1, 1);
    }
  }

  /** Put the displacements of one row of pixels into `dx` and `dy`. */
  row(y: number): void {
    blendRows(this.#gridX, this.#down, y, this.#lineX);
    blendRows(this.#gridY, this.#down, y, this.#lineY);
    spread(this.#lineX, this.#lineY, this.#across, this.dx, this.dy);
  }
}

function axisOf(size: number, spacing: number): Axis {
  const first = new Uint16Array(size);
  const weights = new Float64Array(4 * size);
  for (let i = 0; i < size; i++) {
    const cell = Math.floor(i / spacing);
    const t = i / spacing - cell;
    first[i] = cell;
    weights.set(
      [
        (1 - t) ** 3 / 6,
        (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
        (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
        t ** 3 / 6,
      ],
      4 * i,
    );
  }
  return { points: first[size - 1]! + 4, first, weights };
}

/** The grid's four rows about pixel row `y`, blended into one. */
function blendRows(grid: Float64Array, { first, weights }: Axis, y: number, line: Float64Array): void {
  const columns = line.length;
  const a = weights[4 * y]!;
  const b = weights[4 * y + 1]!;
  const c = weights[4 * y + 2]!;
  const d = weights[4 * y + 3]!;
  let at = first[y]! * columns;
  for (let column = 0; column < columns; column++, at++) {
    line[column] =
      a * grid[at]! + b * grid[at + columns]! + c * grid[at + 2 * columns]! + d * grid[at + 3 * columns]!;
  }
}

/**
 * Two lines of grid points spread over the pixels of a row. Both at once, and grid points read once for a cell: the
 * time is that of the reads.
 */
function spread(
  lineX: Float64Array,
  lineY: Float64Array,
  { first, weights }: Axis,
  dx: Float64Array,
  dy: Float64Array,
): void {
  const width = dx.length;
  for (let x = 0; x < width; ) {
    const at = first[x]!;
    const x0 = lineX[at]!;
    const x1 = lineX[at + 1]!;
    const x2 = lineX[at + 2]!;
    const x3 = lineX[at + 3]!;
    const y0 = lineY[at]!;
    const y1 = lineY[at + 1]!;
    const y2 = lineY[at + 2]!;
    const y3 = lineY[at + 3]!;
    for (; x < width && first[x] === at; x++) {
      const w0 = weights[4 * x]!;
      const w1 = weights[4 * x + 1]!;
      const w2 = weights[4 * x + 2]!;
      const w3 = weights[4 * x + 3]!;
      dx[x] = w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3;
      dy[x] = w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3;
    }
  }
}
