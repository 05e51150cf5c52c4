/** Numbers as people read them, the same in the terminal and in the report. */

import { formatCount } from '../counts.js';
import type { Interval } from '../train/wilson.js';

export { byCount, countOf, formatCount } from '../counts.js';

/** Stands where a figure does not exist. */
export const absent = '—';

/** 0.9948 -> `99.48 %`. */
export function formatPercent(fraction: number, decimals = 2): string {
  return Number.isFinite(fraction) ? `${(fraction * 100).toFixed(decimals)} %` : absent;
}

/** Of a share whose interval is wider, a decimal of a per cent is chance: of a hundred labels one alone is a whole one. */
const widestWithDecimal = 0.05;

/**
 * A share that is known to lie within an interval, with no digit that this leaves open: whole per cents where it is wider than
 * 5 points, one decimal where it is not.
 * @example
 * formatWithin(0.753, { low: 0.65, high: 0.9 }); // '75 %'
 * formatWithin(0.9928, { low: 0.981, high: 0.997 }); // '99.3 %'
 */
export function formatWithin(share: number, interval: Interval): string {
  return formatPercent(share, decimalsWithin(interval));
}

/** An interval in the same digits: `65 to 90 %`, `98.1 to 99.7 %`. */
export function formatInterval(interval: Interval): string {
  const { low, high } = interval;
  return `${(100 * low).toFixed(decimalsWithin(interval))} to ${formatWithin(high, interval)}`;
}

function decimalsWithin({ low, high }: Interval): number {
  // A width of just 5 points is none that is wider, whatever the difference of two fractions is rounded to.
  return high - low > widestWithDecimal + 1e-9 ? 0 : 1;
}

/** A mean cross-entropy in nats, four decimals: 0.01534 -> `0.0153`. */
export function formatLoss(loss: number): string {
  return Number.isFinite(loss) ? loss.toFixed(4) : absent;
}

/** The two largest units that matter: `850 ms`, `12.3 s`, `4 min 12 s`, `1 h 24 min`, `2 d 3 h`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return absent;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  // Rounded before it is divided, so that 119.9 s does not become `1 min 60 s`.
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Binary units, three significant digits: `512 B`, `320 MiB`, `1.56 GiB`. */
export function formatBytes(sizeBytes: number): string {
  if (!Number.isFinite(sizeBytes)) return absent;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = sizeBytes;
  let unit = 0;
  // 999.5 and not 1024: `1020 MiB` would be a fourth digit.
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const decimals = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${size.toFixed(decimals)} ${units[unit]}`;
}

/** Whole images per second from 100 on, one decimal below. */
export function formatRate(imagesPerSecond: number): string {
  if (!Number.isFinite(imagesPerSecond)) return absent;
  const rate = imagesPerSecond < 99.95 ? imagesPerSecond.toFixed(1) : formatCount(imagesPerSecond);
  return `${rate} images/s`;
}

/** [28, 28, 192] -> `(28, 28, 192)`, as Keras prints a shape. */
export function formatShape(shape: readonly number[]): string {
  return `(${shape.join(', ')})`;
}
