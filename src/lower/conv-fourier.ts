import { type Attribute, float, int } from '../onnx/model.js';
import { at, fourAxes } from '../tensor/elements.js';
import type { ConvProblem, FastConv } from './conv-problem.js';
import type { Emitter, Handle } from './emitter.js';
import {
  fourierTransforms,
  frequenciesOf,
  periodOf,
  productsPerFrequency,
  type Transforms,
} from './fourier.js';
import { type Matrix, transposed } from './matrix.js';

/** With fewer channels on either side the transforms, whose cost grows with their sum, outweigh the product's gain. */
const minChannels = 16;

/** Columns that each of the small products has at least. */
const minBatch = 16;

/** How many times fewer multiplications there must be. */
const minGain = 2;

/** Transforms take time with the period: on larger maps Winograd's tiles are faster. */
const longestPeriod = 16;

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
 * A map becomes points [C, 3, l, k, N]: three numbers for each frequency. They are multiplied as matrices over the
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
  readonly #transforms: Transforms;
  /** Frequencies along the height and the width. */
  readonly #frequencies: readonly [number, number];

  constructor(emit: Emitter, problem: ConvProblem) {
    this.#emit = emit;
    this.#problem = problem;
    const [height, width] = problem.axes;
    this.#transforms = fourierTransforms(height, width);
    this.#frequencies = [periodOf(height), frequenciesOf(periodOf(width))];
  }

  /** y [O, H', W', N] of x and the kernel w [O, C, kh, kw]: output·((kernel·w)·(input·x)). */
  forward(x: Handle, w: Handle): Handle {
    const { output } = this.#transforms;
    const points = this.#product(this.#kernelPoints(w), this.#inputPoints(x), { transBatchB: int(1) });
    return this.#fromPoints(points, output.rows, output.columns);
  }

  /** dx [C, H, W, N]: inputᵀ·((kernel·w)ᵀ·(outputᵀ·dy)). */
  inputGrad(dy: Handle, w: Handle): Handle {
    const { input } = this.#transforms;
    const flags = { transA: int(1), transBatchB: int(1) };
    const points = this.#product(this.#kernelPoints(w), this.#outputPoints(dy), flags);
    return this.#fromPoints(points, transposed(input.rows), transposed(input.columns));
  }

  /** dw [O, C, kh, kw]: kernelᵀ·((outputᵀ·dy)·(input·x)ᵀ). */
  weightGrad(x: Handle, dy: Handle): Handle {
    const emit = this.#emit;
    const { channels, outChannels, axes } = this.#problem;
    const flags = { transBatchA: int(1), transBatchB: int(1), transB: int(1) };
    const products = this.#product(this.#outputPoints(dy), this.#inputPoints(x), flags);
    const flat = emit.reshape(products, [this.#transforms.kernel.length, outChannels * channels]);
    const byTap = emit.node('MatMul', [emit.matrix(transposed(this.#transforms.kernel)), flat]);
    const dw = emit.transpose(byTap, [1, 0]);
    return emit.reshape(dw, [outChannels, channels, axes[0].kernel, axes[1].kernel]);
  }

  #product(a: Handle, b: Handle, flags: Readonly<Record<string, Attribute>>): Handle {
    return this.#emit.microsoft('FusedMatMul', [a, b], { ...flags, alpha: float(1) });
  }

  /** The kernel as matrices [3, l, k, O, C]. */
  #kernelPoints(w: Handle): Handle {
    const emit = this.#emit;
    const { channels, outChannels } = this.#problem;
    const { kernel } = this.#transforms;
    const flat = emit.reshape(w, [outChannels * channels, at(kernel, 0).length]);
    const byTap = emit.transpose(flat, [1, 0]);
    const points = emit.node('MatMul', [emit.matrix(kernel), byTap]);
    return emit.reshape(points, [productsPerFrequency, ...this.#frequencies, outChannels, channels]);
  }

  #inputPoints(x: Handle): Handle {
    const { columns, rows } = this.#transforms.input;
    return this.#toPoints(x, columns, rows);
  }

  #outputPoints(dy: Handle): Handle {
    const { columns, rows } = this.#transforms.output;
    return this.#toPoints(dy, transposed(columns), transposed(rows));
  }

  /** [C, H, W, N] → [C, H, part, k, N] → [C, 3, l, k, N]. */
  #toPoints(map: Handle, columns: Matrix, rows: Matrix): Handle {
    const emit = this.#emit;
    const [channels, height, width, batch] = fourAxes(map.shape);
    const [l, k] = this.#frequencies;
    const lines = emit.reshape(map, [channels * height, width, batch]);
    const alongWidth = emit.node('MatMul', [emit.matrix(columns), lines]);
    const alongBoth = emit.node('MatMul', [
      emit.matrix(rows),
      emit.reshape(alongWidth, [channels, height * 2, k * batch]),
    ]);
    return emit.reshape(alongBoth, [channels, productsPerFrequency, l, k, batch]);
  }

  /** [3, l, k, C, N] → [H, part, k, C, N] → [H, W, C, N] → [C, H, W, N]. */
  #fromPoints(points: Handle, rows: Matrix, columns: Matrix): Handle {
    const emit = this.#emit;
    const [channels, batch] = [at(points.shape, 3), at(points.shape, 4)];
    const [height, width] = [rows.length / 2, columns.length];
    const [l, k] = this.#frequencies;
    const line = channels * batch;
    const alongHeight = emit.node('MatMul', [
      emit.matrix(rows),
      emit.reshape(points, [productsPerFrequency * l, k * line]),
    ]);
    const alongBoth = emit.node('MatMul', [
      emit.matrix(columns),
      emit.reshape(alongHeight, [height, 2 * k, line]),
    ]);
    const byPosition = emit.reshape(alongBoth, [height, width, channels, batch]);
    return emit.transpose(byPosition, [2, 0, 1, 3]);
  }
}
