export { type Interval, wilsonInterval } from '../train/wilson.js';

/** Mean and sample standard deviation of several runs of one thing. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Mean `m = Σx / n` and sample standard deviation `s = √(Σ(x − m)² / (n − 1))`.
 *
 * n − 1, because a handful of label draws stands for all that could have been drawn. One value deviates by 0, none
 * has neither (NaN).
 */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  if (values.length < 2) return { mean, deviation: values.length === 1 ? 0 : Number.NaN };
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
