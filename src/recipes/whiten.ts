import type { Random } from '../random/random.js';
import { float32, type Tensor } from '../tensor/tensor.js';

/** Rows that the covariance is taken from, at most: it needs far fewer than there are. */
const maxRows = 5000;

/** Rounds of subspace iteration; components that are still mixed then have like variances, which whitening makes one. */
const rounds = 30;

/** Directions of less than this share of the largest variance are noise, which whitening would make as loud as the rest. */
const leastShare = 0.01;

/** What is left by rounding of a direction that is not there. */
const rounding = 1e-9;

/**
 * Features in which every direction counts alike: each column standardised, then the `components` directions of largest
 * variance, those next to none left out, each scaled to variance 1, then each row scaled to length 1.
 *
 * y = D^(−½) Vᵀ z, where z is the standardised row and V D Vᵀ the leading part of its covariance (PCA whitening). Columns
 * without variance say nothing and become 0. Distances between rows do not depend on the signs and turns that V leaves
 * open.
 *
 * @param features float32 [n, d]
 * @returns float32 [n, at most `components`]
 */
export function whitened(features: Tensor<'float32'>, components: number, random: Random): Tensor<'float32'> {
  const z = standardised(features);
  const basis = principalDirections(z, components, random);
  const [n, d] = z.shape as [number, number];
  const r = Math.max(1, basis.length);
  const rows = new Float32Array(n * r);
  for (const [j, { direction, variance }] of basis.entries()) {
    const scale = 1 / Math.sqrt(variance);
    for (let i = 0; i < n; i++) rows[i * r + j] = scale * dot(direction, z.data.subarray(i * d, (i + 1) * d));
  }
  for (let i = 0; i < n; i++) {
    const row = rows.subarray(i * r, (i + 1) * r);
    const length = Math.sqrt(dot(row, row));
    if (length > 0) for (let j = 0; j < r; j++) row[j]! /= length;
  }
  return float32([n, r], rows);
}

/** Each column less its mean, by its standard deviation; a column without any is 0. */
function standardised({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [n, d] = shape as [number, number];
  const mean = new Float64Array(d);
  const variance = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d]! += data[i]! / n;
  for (let i = 0; i < data.length; i++) variance[i % d]! += (data[i]! - mean[i % d]!) ** 2 / n;
  const largest = variance.reduce((a, b) => Math.max(a, b), 0);
  const scale = variance.map((v) => (v > largest * 1e-12 ? 1 / Math.sqrt(v) : 0));
  return float32(
    shape,
    data.map((x, i) => (x - mean[i % d]!) * scale[i % d]!),
  );
}

interface Component {
  /** Of length 1. */
  readonly direction: Float64Array;
  readonly variance: number;
}

/** Leading eigenvectors of ZᵀZ / n by subspace iteration: multiply, then make orthonormal (Gram–Schmidt). */
function principalDirections(
  { shape, data }: Tensor<'float32'>,
  components: number,
  random: Random,
): Component[] {
  const [n, d] = shape as [number, number];
  const sample =
    n > maxRows ? random.permutation(n).slice(0, maxRows) : Uint32Array.from({ length: n }, (_, i) => i);
  const covariance = Array.from({ length: d }, () => new Float64Array(d));
  for (const i of sample) {
    const row = data.subarray(i * d, (i + 1) * d);
    for (let a = 0; a < d; a++) {
      const line = covariance[a]!;
      const x = row[a]! / sample.length;
      for (let b = 0; b < d; b++) line[b]! += x * row[b]!;
    }
  }
  let basis: Component[] = Array.from({ length: Math.min(components, d) }, () => ({
    direction: Float64Array.from({ length: d }, () => random.normal()),
    variance: 0,
  }));
  for (let round = 0; round < rounds; round++) {
    basis = orthonormal(
      basis.map(({ direction }) => Float64Array.from(covariance, (line) => dot(line, direction))),
    );
  }
  return basis.filter(({ variance }) => variance > leastShare * basis[0]!.variance);
}

/** Vectors made orthonormal one after the other, with the lengths that were left of them; those of next to none go. */
function orthonormal(vectors: readonly Float64Array[]): Component[] {
  const basis: Component[] = [];
  for (const vector of vectors) {
    for (const { direction } of basis) {
      const along = dot(direction, vector);
      for (let j = 0; j < vector.length; j++) vector[j]! -= along * direction[j]!;
    }
    const length = Math.sqrt(dot(vector, vector));
    if (length > rounding * (basis[0]?.variance ?? 0)) {
      basis.push({ direction: vector.map((x) => x / length), variance: length });
    }
  }
  return basis;
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
