/** A schedule maps the number of steps done (0 for the first step) to the learning rate of the next. */
export type Schedule = (step: number) => number;

/** The same rate throughout. */
export function constantRate(learningRate: number): Schedule {
  return () => learningRate;
}

/** lr / (1 + decay·step), Keras's `decay`. */
export function inverseTime(learningRate: number, decay: number): Schedule {
  return (step) => learningRate / (1 + decay * step);
}

export interface OneCycleSettings {
  /** The top of the cycle. */
  readonly peak: number;
  readonly totalSteps: number;
  /** Share of the steps that climb; 0.25, a little under Smith's 0.3–0.45, since short runs need the descent more. */
  readonly warmup?: number;
  /** Rate of the first step as a share of the peak. */
  readonly start?: number;
}

/**
 * One cycle (Smith & Topin 2018): linear climb from `start`·peak to the peak, then half a cosine down to 0 — large
 * steps while the loss is rough, none at the end. Reaches a good minimum in a fraction of a constant rate's steps.
 */
export function oneCycle({ peak, totalSteps, warmup = 0.25, start = 0.1 }: OneCycleSettings): Schedule {
  const top = Math.max(1, Math.round(totalSteps * warmup));
  return (step) => {
    if (step < top) return peak * (start + ((1 - start) * step) / top);
    const progress = Math.min(1, (step - top) / Math.max(1, totalSteps - top));
    return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}
