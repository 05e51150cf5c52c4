import type { Handle } from './emitter.js';

/** One axis of a convolution with step 1. */
export interface ConvAxis {
  readonly size: number;
  readonly outSize: number;
  readonly kernel: number;
  /** Padding in front; negative where that much of the map is left out. */
  readonly before: number;
}

/** A k×k convolution of a map [C, H, W, N]. */
export interface ConvProblem {
  readonly batch: number;
  readonly channels: number;
  readonly outChannels: number;
  /** Height and width. */
  readonly axes: readonly [ConvAxis, ConvAxis];
}

/** A convolution of maps [C, H, W, N] with few multiplications, and both its gradients. */
export interface FastConv {
  /** y [O, H', W', N] of x and the kernel w [O, C, kh, kw]. */
  forward(x: Handle, w: Handle): Handle;
  /** dx [C, H, W, N] of dy, or of gain [O, 1] times dy by channel. */
  inputGrad(dy: Handle, w: Handle, gain?: Handle): Handle;
  /** dw [O, C, kh, kw]. */
  weightGrad(x: Handle, dy: Handle): Handle;
}
