import type { Contender } from './contender.js';

/**
 * What stands before a training row is timed: the same steps as everybody's, computed in float64. Losses in float32 leave
 * them with every step, and how soon depends on the data, so that no fixed tolerance tells drift from a fault. PyTorch's
 * own float32 does: nobody may be much farther from float64 than the closest PyTorch has been up to the same step.
 */
export interface Gate {
  readonly steps: number;
  readonly reference: Contender;
  /** PyTorch in float32. */
  readonly witnesses: readonly Contender[];
}

/** Enough for a wrong gradient or momentum to show: a learning rate that is off by 1 % does in the third step. */
export const gateSteps = 10;

/** How many times farther than PyTorch: two right programs round in different places, and leave float64 at different steps. */
const factor = 4;

/** What rounding may add with each step where PyTorch is closer: its BatchNorm adds in float64 in contiguous maps. */
const floorPerStep = 2e-5;

/** How far losses are from the reference's: the largest distance up to each step. */
export function driftOf(losses: readonly number[], reference: readonly number[]): number[] {
  let largest = 0;
  return reference.map((loss, i) => {
    largest = Math.max(largest, Math.abs((losses[i] ?? Number.NaN) - loss));
    return largest;
  });
}

/**
 * How far a loss may be from the reference's, step by step.
 * @param witnesses drifts of PyTorch in float32, at least one
 */
export function allowedDrift(witnesses: readonly (readonly number[])[]): number[] {
  const [first, ...others] = witnesses;
  return first!.map((drift, i) => {
    const closest = Math.min(drift, ...others.map((other) => other[i]!));
    return floorPerStep * (i + 1) + factor * closest;
  });
}

/** Why losses are wrong; undefined where they stay within what is allowed. */
export function outOfDrift(drift: readonly number[], allowed: readonly number[]): string | undefined {
  const step = drift.findIndex((distance, i) => !(distance <= allowed[i]!));
  if (step < 0) return undefined;
  return (
    `wrong: off float64 by ${drift[step]!.toExponential(1)} in step ${step + 1} ` +
    `(allowed: ${allowed[step]!.toExponential(1)})`
  );
}
