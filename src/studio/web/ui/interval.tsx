import { percent } from './words.js';

export interface IntervalProps {
  /** Shares from 0 to 1. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A share with its interval, on a scale from 0 to 100 per cent. */
export function Interval({ value, low, high }: IntervalProps) {
  const at = (share: number): string => `${100 * Math.max(0, Math.min(1, share))}%`;
  return (
    <span
      class="interval"
      role="img"
      aria-label={`${percent(value, 1)}, between ${percent(low, 1)} and ${percent(high, 1)}`}
    >
      <span class="interval-range" style={{ left: at(low), width: at(high - low) }} />
      <span class="interval-value" style={{ left: at(value) }} />
    </span>
  );
}
