import { FourierConv, paysByFourier } from './conv-fourier.js';
import type { ConvProblem } from './conv-problem.js';
import { paysByWinograd, WinogradConv } from './conv-winograd.js';
import type { Emitter } from './emitter.js';

/** A convolution of maps [C, H, W, N] with few multiplications, and both its gradients. */
export interface FastConv {
  /** y [O, H', W', N] of x and the kernel w [O, C, kh, kw]. */
  forward(x: string, w: string): string;
  /** dx [C, H, W, N]. */
  inputGrad(dy: string, w: string): string;
  /** dw [O, C, kh, kw]. */
  weightGrad(x: string, dy: string): string;
}

/** The fastest of them for a convolution, where any is faster than the direct way (docs/performance.md). */
export function fastConv(emit: Emitter, problem: ConvProblem): FastConv | undefined {
  if (paysByFourier(problem)) return new FourierConv(emit, problem);
  if (paysByWinograd(problem)) return new WinogradConv(emit, problem);
  return undefined;
}
