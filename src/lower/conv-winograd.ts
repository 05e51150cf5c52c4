import { fourAxes } from '../tensor/elements.js';
import type { ConvAxis, ConvProblem, FastConv } from './conv-problem.js';
import type { Emitter, Handle } from './emitter.js';
import { kronecker, type Matrix, transposed } from './matrix.js';
import { longestKernel, overTiles, type Transforms, tileSize, winogradTransforms } from './winograd.js';

/** With fewer channels on either side the transforms, whose cost grows with their sum, outweigh the product's gain. */
const minChannels = 16;

/** Columns that each of the small products has at least: a row of tiles times the batch. */
const minColumns = 64;

/** How many times fewer multiplications there must be: maps smaller than their tiles waste them. */
const minGain = 2;

const tilesOf = ({ outSize }: ConvAxis): number => Math.ceil(outSize / tileSize);
const pointsOf = ({ kernel }: ConvAxis): number => tileSize + kernel - 1;

/** Whether Winograd is faster than direct convolution; the thresholds are measured (docs/performance.md). */
export function paysByWinograd({ batch, channels, outChannels, axes }: ConvProblem): boolean {
  const gains = axes.map((axis) => (axis.outSize * axis.kernel) / (tilesOf(axis) * pointsOf(axis)));
  return (
    axes.every(({ kernel }) => kernel <= longestKernel) &&
    gains.reduce((a, b) => a * b) >= minGain &&
    Math.min(channels, outChannels) >= minChannels &&
    tilesOf(axes[1]) * batch >= minColumns
  );
}

/** An axis cut into tiles, with F(m, k) for each. */
interface TiledAxis extends ConvAxis {
  readonly tiles: number;
  readonly points: number;
  readonly transforms: Transforms;
}

const tiled = (axis: ConvAxis): TiledAxis => ({
  ...axis,
  tiles: tilesOf(axis),
  points: pointsOf(axis),
  transforms: winogradTransforms(tileSize, axis.kernel),
});

/** x along one axis to its points: [points·tiles, size]. */
const inputToPoints = ({ transforms, tiles, size, before }: TiledAxis): Matrix =>
  overTiles(transforms.input, tiles, size, before);

/** The gradient in the points of y from the gradient in y: [points·tiles, outSize]. */
const outputToPoints = ({ transforms, tiles, outSize }: TiledAxis): Matrix =>
  overTiles(transposed(transforms.output), tiles, outSize, 0);

/**
 * Convolutions of one geometry by Winograd's F(4×4, k×k), in ordinary operators over maps [C, H, W, N].
 *
 * A map is spread to points [C, p, i, q, j·N]: p and q count points along height and width, i and j tiles. The points are
 * multiplied as matrices over the channels, one product for each (p, i, q). ONNX Runtime's FusedMatMul takes operands
 * whose channels are outermost (`transBatch…`), so that no points have to be moved before. None of its operands may come
 * straight from a Transpose: ONNX Runtime 1.30 would fuse that into the product and lose `transBatch…`.
 *
 * @see Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308
 */
export class WinogradConv implements FastConv {
  readonly #emit: Emitter;
  readonly #problem: ConvProblem;
  readonly #rows: TiledAxis;
  readonly #columns: TiledAxis;

  constructor(emit: Emitter, problem: ConvProblem) {
    this.#emit = emit;
    this.#problem = problem;
    this.#rows = tiled(problem.axes[0]);
    this.#columns = tiled(problem.axes[1]);
  }

  /** y [O, H', W', N] of x with the kernel w [O, C, kh, kw]: y = output·((kernel·w)·(input·x)). */
  forward(x: Handle, w: Handle): Handle {
    const { channels, outChannels } = this.#problem;
    const flat = this.#emit.reshape(w, [outChannels * channels, this.#taps]);
    return this.#correlate(x, this.#emit.transpose(flat, [1, 0]), this.#tapsToPoints);
  }

  /** dx [C, H, W, N]: dy convolved with the kernel turned by half, its channel axes exchanged. */
  inputGrad(dy: Handle, w: Handle, gain?: Handle): Handle {
    const { batch, channels, outChannels, axes } = this.#problem;
    const scaled =
      gain === undefined ? w : this.#emit.node('Mul', [w, this.#emit.reshape(gain, [outChannels, 1, 1, 1])]);
    const turned = ({ size, outSize, kernel, before }: ConvAxis): ConvAxis => ({
      size: outSize,
      outSize: size,
      kernel,
      before: kernel - 1 - before,
    });
    const back: ConvProblem = {
      batch,
      channels: outChannels,
      outChannels: channels,
      axes: [turned(axes[0]), turned(axes[1])],
    };
    return new WinogradConv(this.#emit, back).#forwardTurned(dy, scaled);
  }

  /** {@link forward} with w [C, O, kh, kw] turned by half: the transform takes the taps in reverse. */
  #forwardTurned(x: Handle, w: Handle): Handle {
    const { channels, outChannels } = this.#problem;
    const flat = this.#emit.reshape(w, [channels, outChannels, this.#taps]);
    const turned = this.#tapsToPoints.map((row) => row.toReversed());
    const byTap = this.#emit.transpose(flat, [2, 1, 0]);
    return this.#correlate(x, this.#emit.reshape(byTap, [this.#taps, outChannels * channels]), turned);
  }

  /** dw [O, C, kh, kw]: the same three maps transposed, dw = kernelᵀ·((outputᵀ·dy)·(input·x)ᵀ), summed over the tiles. */
  weightGrad(x: Handle, dy: Handle): Handle {
    const emit = this.#emit;
    const { channels, outChannels } = this.#problem;
    const dyPoints = this.#toPoints(dy, outputToPoints(this.#rows), outputToPoints(this.#columns));
    const xPoints = this.#inputPoints(x);
    const products = emit.fusedProduct(dyPoints, xPoints, 'transBatchA', 'transBatchB', 'transB');
    const { transforms, points, tiles } = this.#rows;
    const sumOfTiles: Matrix = [new Array<number>(tiles).fill(1)];
    const toTaps = kronecker(
      kronecker(transposed(transforms.kernel), sumOfTiles),
      transposed(this.#columns.transforms.kernel),
    );
    const flat = emit.reshape(products, [points * tiles * this.#columns.points, outChannels * channels]);
    const byTap = emit.node('MatMul', [emit.matrix(toTaps), flat]);
    const dw = emit.transpose(byTap, [1, 0]);
    return emit.reshape(dw, [outChannels, channels, this.#rows.kernel, this.#columns.kernel]);
  }

  get #taps(): number {
    return this.#rows.kernel * this.#columns.kernel;
  }

  /** [(p, q), (k, l)]. */
  get #tapsToPoints(): Matrix {
    return kronecker(this.#rows.transforms.kernel, this.#columns.transforms.kernel);
  }

  #inputPoints(x: Handle): Handle {
    return this.#toPoints(x, inputToPoints(this.#rows), inputToPoints(this.#columns));
  }

  /** A map as points [C, p, i, q, j·N], axis by axis. */
  #toPoints(map: Handle, rows: Matrix, columns: Matrix): Handle {
    const emit = this.#emit;
    const [channels, height, width, batch] = fourAxes(map.shape);
    const byRow = emit.node('MatMul', [
      emit.matrix(rows),
      emit.reshape(map, [channels, height, width * batch]),
    ]);
    const lines = emit.reshape(byRow, [channels * rows.length, width, batch]);
    const points = emit.node('MatMul', [emit.matrix(columns), lines]);
    const { tiles } = this.#columns;
    return emit.reshape(points, [
      channels,
      this.#rows.points,
      this.#rows.tiles,
      this.#columns.points,
      tiles * batch,
    ]);
  }

  /** y from x and the kernel's taps [(k, l), O·C]. */
  #correlate(x: Handle, taps: Handle, tapsToPoints: Matrix): Handle {
    const emit = this.#emit;
    const { batch, channels, outChannels } = this.#problem;
    const [rows, columns] = [this.#rows, this.#columns];
    const kernel = emit.reshape(emit.node('MatMul', [emit.matrix(tapsToPoints), taps]), [
      rows.points,
      1,
      columns.points,
      outChannels,
      channels,
    ]);
    const points = emit.fusedProduct(kernel, this.#inputPoints(x), 'transBatchB');

    // [p, i, q, O, j, N] → [p, i, n, O, j, N] → [m, i, n, O, j, N], m and n counting a tile's positions.
    const line = outChannels * columns.tiles * batch;
    const alongWidth = emit.node('MatMul', [
      emit.matrix(columns.transforms.output),
      emit.reshape(points, [rows.points * rows.tiles, columns.points, line]),
    ]);
    const alongBoth = emit.node('MatMul', [
      emit.matrix(rows.transforms.output),
      emit.reshape(alongWidth, [rows.points, rows.tiles * tileSize * line]),
    ]);
    const byTile = [tileSize, rows.tiles, tileSize, outChannels, columns.tiles, batch];
    const map = emit.transpose(emit.reshape(alongBoth, byTile), [3, 1, 0, 4, 2, 5]);
    const [height, width] = [rows.tiles * tileSize, columns.tiles * tileSize];
    const whole = emit.reshape(map, [outChannels, height, width, batch]);
    if (height === rows.outSize && width === columns.outSize) return whole;
    return emit.slice(whole, [1, 2], [0, 0], [rows.outSize, columns.outSize]);
  }
}
