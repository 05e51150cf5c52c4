/** Where a share lies that was measured on some items: 0–1 each, `low ≤ high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's interval for a share of which `found` of `of` were seen (Wilson 1927; Brown, Cai and DasGupta 2001, section
 * 3.1.1), at 95 % confidence:
 *
 *   centre = (p + z²/2n) / (1 + z²/n),  half = z / (1 + z²/n) · √(p(1 − p)/n + z²/4n²)
 *
 * It stays within 0 and 1 and holds what it promises for a handful of items and for shares near 0 or 1, where the normal
 * interval does not.
 *
 * @param found 0 … of
 * @param of at least 1; none at all tell nothing, and the interval is all of 0–1
 */
export function wilsonInterval(found: number, of: number): Interval {
  if (of === 0) return { low: 0, high: 1 };
  const p = found / of;
  const z2 = z95 ** 2;
  const shrink = 1 + z2 / of;
  const centre = (p + z2 / (2 * of)) / shrink;
  const half = (z95 / shrink) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of ** 2));
  // Rounding must not push an end beyond what was seen.
  return { low: Math.max(0, Math.min(p, centre - half)), high: Math.min(1, Math.max(p, centre + half)) };
}

/** Standard deviations within which 95 % of a normal distribution lie. */
const z95 = 1.959964;
