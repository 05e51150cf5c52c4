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
