import { FourierConv, paysByFourier } from './conv-fourier.js';
import type { ConvProblem, FastConv } from './conv-problem.js';
import { paysByWinograd, WinogradConv } from './conv-winograd.js';
import type { Emitter } from './emitter.js';

/** The fastest way with few multiplications for a convolution, where any is faster than the direct way (docs/performance.md). */
export function fastConv(emit: Emitter, problem: ConvProblem): FastConv | undefined {
  if (paysByFourier(problem)) return new FourierConv(emit, problem);
  if (paysByWinograd(problem)) return new WinogradConv(emit, problem);
  return undefined;
}
