import { at, fourAxes } from '../tensor/elements.js';
import type { ConvProblem, FastConv } from './conv-problem.js';
import type { Emitter, Handle } from './emitter.js';
import { axisTransforms, frequenciesOf, periodOf, planeTransforms, productsPerFrequency } from './fourier.js';
import { type Matrix, transposed } from './matrix.js';

/** With fewer channels on either side the transforms, whose cost grows with their sum, outweigh the product's gain. */
const minChannels = 16;

/** Columns that each of the small products has at least. */
const minBatch = 16;

/** How many times fewer multiplications there must be. */
const minGain = 2;

/** Transforms take time with the period: on larger maps Winograd's tiles are faster. */
const longestPeriod = 16;

/**
 * Positions of a map up to which both axes go at once: the arithmetic of that grows with their square, passes over memory are
 * two fewer.
 */
const mostPlanePositions = 64;

const isSmall = ({ axes: [height, width] }: ConvProblem): boolean =>
  Math.max(height.size * width.size, height.outSize * width.outSize) <= mostPlanePositions;

/** Whether the Fourier transform is the fastest way; the thresholds are measured (docs/performance.md). */
export function paysByFourier({ batch, channels, outChannels, axes }: ConvProblem): boolean {
  const direct = axes.reduce((product, { outSize, kernel }) => product * outSize * kernel, 1);
  const [rows, columns] = [periodOf(axes[0]), periodOf(axes[1])];
  const points = productsPerFrequency * rows * frequenciesOf(columns);
  return (
    Math.max(rows, columns) <= longestPeriod &&
    direct / points >= minGain &&
    Math.min(channels, outChannels) >= minChannels &&
    batch >= minBatch
  );
}

/**
 * Convolutions of one geometry by the Fourier transform, in ordinary operators over maps [C, H, W, N].
 *
 * A map becomes points [C, P, N]: up to three numbers for each frequency. They are multiplied as matrices over the
 * channels, one product for each point. ONNX Runtime's FusedMatMul takes operands whose channels are outermost
 * (`transBatch…`), so that no points have to be moved before. None of its operands may come straight from a Transpose:
 * ONNX Runtime 1.30 would fuse that into the product and lose `transBatch…`.
 *
 * The convolution is linear in x and in w, so its gradients are the same three maps transposed. Points of x and of w are
 * those of the forward pass, and both gradients share the points of dy.
 */
export class FourierConv implements FastConv {
  readonly #emit: Emitter;
  readonly #problem: ConvProblem;
  readonly #method: FourierMethod;

  constructor(emit: Emitter, problem: ConvProblem) {
    this.#emit = emit;
    this.#problem = problem;
    this.#method = isSmall(problem) ? wholePlane(problem) : axisByAxis(problem);
  }

  /** y [O, H', W', N] of x and the kernel w [O, C, kh, kw]: output·((kernel·w)·(input·x)). */
  forward(x: Handle, w: Handle): Handle {
    const { input, output } = this.#method;
    const emit = this.#emit;
    const points = emit.fusedProduct(this.#kernelPoints(w), input.spread(emit, x), 'transBatchB');
    return output.gather(emit, points);
  }

  /** dx [C, H, W, N]: inputᵀ·((kernel·w)ᵀ·(outputᵀ·dy)). */
  inputGrad(dy: Handle, w: Handle, gain?: Handle): Handle {
    const emit = this.#emit;
    const { input, output } = this.#method;
    const kernel = this.#kernelPoints(w);
    // [P, O, C] by [O, 1].
    const scaled = gain === undefined ? kernel : emit.node('Mul', [kernel, gain]);
    const points = emit.fusedProduct(scaled, output.spread(emit, dy), 'transA', 'transBatchB');
    return input.gather(emit, points);
  }

  /** dw [O, C, kh, kw]: kernelᵀ·((outputᵀ·dy)·(input·x)ᵀ). */
  weightGrad(x: Handle, dy: Handle): Handle {
    const emit = this.#emit;
    const { channels, outChannels, axes } = this.#problem;
    const { kernel, input, output } = this.#method;
    const [dyPoints, xPoints] = [output.spread(emit, dy), input.spread(emit, x)];
    const products = emit.fusedProduct(dyPoints, xPoints, 'transBatchA', 'transBatchB', 'transB');
    const flat = emit.reshape(products, [kernel.length, outChannels * channels]);
    const byTap = emit.node('MatMul', [emit.matrix(transposed(kernel)), flat]);
    const dw = emit.transpose(byTap, [1, 0]);
    return emit.reshape(dw, [outChannels, channels, axes[0].kernel, axes[1].kernel]);
  }

  /** The kernel as matrices [P, O, C]. */
  #kernelPoints(w: Handle): Handle {
    const emit = this.#emit;
    const { channels, outChannels } = this.#problem;
    const { kernel } = this.#method;
    const flat = emit.reshape(w, [outChannels * channels, at(kernel, 0).length]);
    const points = emit.node('MatMul', [emit.matrix(kernel), emit.transpose(flat, [1, 0])]);
    return emit.reshape(points, [kernel.length, outChannels, channels]);
  }
}

/** How maps become points and points become maps. */
interface FourierMethod {
  /** [P, taps]. */
  readonly kernel: Matrix;
  /** Spreads x to its points, gathers dx. */
  readonly input: PointMap;
  /** Spreads dy to its points, gathers y. */
  readonly output: PointMap;
}

/** A linear map A from the positions of each channel's map to points, and its transpose. */
interface PointMap {
  /** A: [C, H, W, N] → [C, P, N]. */
  spread(emit: Emitter, map: Handle): Handle;
  /** Aᵀ: [P, C, N], as products leave it, → [C, H, W, N]. */
  gather(emit: Emitter, points: Handle): Handle;
}

function wholePlane({ axes: [height, width] }: ConvProblem): FourierMethod {
  const { kernel, input, output } = planeTransforms(height, width);
  const plane = (matrix: Matrix, rows: number, columns: number): PointMap => ({
    spread(emit, map) {
      const [channels, , , batch] = fourAxes(map.shape);
      return emit.node('MatMul', [emit.matrix(matrix), emit.reshape(map, [channels, rows * columns, batch])]);
    },
    gather(emit, points) {
      const [, channels, batch] = points.shape as readonly [number, number, number];
      const toPositions = emit.floats([1, rows * columns, matrix.length], transposed(matrix).flat());
      // The channels outermost again, which spares a transpose.
      const map = emit.fusedProduct(toPositions, points, 'transBatchB');
      return emit.reshape(map, [channels, rows, columns, batch]);
    },
  });
  return {
    kernel,
    input: plane(input, height.size, width.size),
    output: plane(transposed(output), height.outSize, width.outSize),
  };
}

function axisByAxis({ axes: [height, width] }: ConvProblem): FourierMethod {
  const { kernel, input, output } = axisTransforms(height, width);
  const [l, k] = [periodOf(height), frequenciesOf(periodOf(width))];
  const axes = (rows: Matrix, columns: Matrix): PointMap => ({
    /** [C, H, W, N] → [C, H, part, k, N] → [C, 3, l, k, N]. */
    spread(emit, map) {
      const [channels, height, width, batch] = fourAxes(map.shape);
      const lines = emit.reshape(map, [channels * height, width, batch]);
      const alongWidth = emit.node('MatMul', [emit.matrix(columns), lines]);
      const alongBoth = emit.node('MatMul', [
        emit.matrix(rows),
        emit.reshape(alongWidth, [channels, height * 2, k * batch]),
      ]);
      return emit.reshape(alongBoth, [channels, rows.length * k, batch]);
    },
    /** [3, l, k, C, N] → [H, part, k, C, N] → [H, W, C, N] → [C, H, W, N]. */
    gather(emit, points) {
      const [, channels, batch] = points.shape as readonly [number, number, number];
      const [toRows, toColumns] = [transposed(rows), transposed(columns)];
      const [height, width] = [toRows.length / 2, toColumns.length];
      const line = channels * batch;
      const alongHeight = emit.node('MatMul', [
        emit.matrix(toRows),
        emit.reshape(points, [productsPerFrequency * l, k * line]),
      ]);
      const alongBoth = emit.node('MatMul', [
        emit.matrix(toColumns),
        emit.reshape(alongHeight, [height, 2 * k, line]),
      ]);
      const byPosition = emit.reshape(alongBoth, [height, width, channels, batch]);
      return emit.transpose(byPosition, [2, 0, 1, 3]);
    },
  });
  return {
    kernel,
    input: axes(input.rows, input.columns),
    output: axes(transposed(output.rows), transposed(output.columns)),
  };
}
