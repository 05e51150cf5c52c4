import { z } from 'zod';

const numbers = z.array(z.number()).readonly();

/** What images of one kind have in common: the mean and the spread of their traits (`pictureTraits`). */
export const likenessSchema = z
  .object({
    /** Mean of each of the D traits. */
    centre: numbers,
    /** Deviation of each. */
    scale: z.array(z.number().positive()).readonly(),
    /** Inverse of the correlations, row by row: D × D. */
    inverse: numbers,
  })
  .readonly()
  .refine(
    ({ centre, scale, inverse }) =>
      scale.length === centre.length && inverse.length === centre.length ** 2 && centre.length > 0,
    { error: 'expected D means, D deviations and D × D numbers' },
  );
export type Likeness = z.infer<typeof likenessSchema>;

/**
 * Correlations are taken for so much smaller than they were seen: those of a hundred images are not known better, and without it a
 * direction in which so few hardly differ would count for more than all others.
 */
const shrinkage = 0.3;
/** A trait that never differs tells nothing but gross differences. */
const leastScale = 1e-3;
/** Parts that images are divided into, to see how far each lies from the others. */
const parts = 10;

/**
 * Describes images of one kind by the mean and the spread of their traits.
 * @param rows D traits of each image
 */
export function fitLikeness(rows: readonly Float64Array[]): Likeness {
  const n = rows.length;
  const d = rows[0]?.length ?? 0;
  const centre = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) centre[i]! += row[i]! / n;
  const scale = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) scale[i]! += (row[i]! - centre[i]!) ** 2 / n;
  for (let i = 0; i < d; i++) scale[i] = Math.sqrt(scale[i]!) + leastScale;
  const correlations = new Float64Array(d * d);
  for (const row of rows) {
    const z = row.map((x, i) => (x - centre[i]!) / scale[i]!);
    for (let i = 0; i < d; i++) for (let k = 0; k < d; k++) correlations[i * d + k]! += (z[i]! * z[k]!) / n;
  }
  for (let i = 0; i < d * d; i++) {
    const isDiagonal = i % (d + 1) === 0;
    correlations[i] = (1 - shrinkage) * correlations[i]! + (isDiagonal ? shrinkage : 0);
  }
  return { centre: [...centre], scale: [...scale], inverse: [...inverseOf(correlations, d)] };
}

/**
 * How far an image lies from images of one kind: the square of Mahalanobis' distance, zᵀ R⁻¹ z of its standardised traits z.
 * @see Mahalanobis, "On the generalised distance in statistics", 1936
 */
export function distanceFrom({ centre, scale, inverse }: Likeness, traits: Float64Array): number {
  const z = traits.map((x, i) => (x - (centre[i] ?? 0)) / (scale[i] ?? 1));
  const d = centre.length;
  return z.reduce(
    (sum, zi, i) => sum + zi * z.reduce((row, zk, k) => row + zk * (inverse[i * d + k] ?? 0), 0),
    0,
  );
}

/** How far each image lies from the others, in the measure of `distanceFrom`: from nine tenths of them, without its own. */
export function distancesFromOthers(rows: readonly Float64Array[]): Float64Array {
  const distances = new Float64Array(rows.length);
  for (let part = 0; part < Math.min(parts, rows.length); part++) {
    const others = fitLikeness(rows.length === 1 ? rows : rows.filter((_, i) => i % parts !== part));
    rows.forEach((row, i) => {
      if (i % parts === part) distances[i] = distanceFrom(others, row);
    });
  }
  return distances;
}

/** Inverse of a positive definite matrix, by Gauss and Jordan: its pivots are above 0, so that no rows are swapped. */
function inverseOf(matrix: Float64Array, d: number): Float64Array {
  const left = matrix.slice();
  const right = Float64Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 : 0));
  for (let p = 0; p < d; p++) {
    const pivot = left[p * d + p]!;
    for (let k = 0; k < d; k++) {
      left[p * d + k]! /= pivot;
      right[p * d + k]! /= pivot;
    }
    for (let i = 0; i < d; i++) {
      const factor = left[i * d + p]!;
      if (i === p || factor === 0) continue;
      for (let k = 0; k < d; k++) {
        left[i * d + k]! -= factor * left[p * d + k]!;
        right[i * d + k]! -= factor * right[p * d + k]!;
      }
    }
  }
  return right;
}
