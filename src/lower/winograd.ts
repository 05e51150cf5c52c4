import { at } from '../tensor/elements.js';
import { type Matrix, transposed } from './matrix.js';

/** Outputs of one tile along an axis. Four spare most: 5 taps for 2.5 times fewer products, 3 taps for 2 times. */
export const tileSize = 4;

/**
 * Where polynomials are evaluated, besides infinity: small numbers and their reciprocals, whose powers stay small and are
 * exact in float32. More of them (longer kernels or tiles) would need powers of 3 or 4, and lose a digit for each pair.
 */
const finitePoints = [0, 1, -1, 2, -2, 1 / 2, -1 / 2] as const;

/** The longest kernel that these points serve. */
export const longestKernel = finitePoints.length + 2 - tileSize;

/** The three maps of F(m, r): y = output · ((kernel · g) ∘ (input · d)), with ∘ number by number. */
export interface Transforms {
  /** [m + r − 1, r]; Lavin and Gray's G. */
  readonly kernel: Matrix;
  /** [m + r − 1, m + r − 1]; their Bᵀ. */
  readonly input: Matrix;
  /** [m, m + r − 1]; their Aᵀ. */
  readonly output: Matrix;
}

/**
 * Winograd's minimal filtering: m outputs of a correlation with r taps, y[i] = Σ g[k]·d[i + k], from m + r − 1 products
 * instead of m·r.
 *
 * The product s(x) = g(x)·y(x) of polynomials with r and m coefficients has n = m + r − 1 and is known by its values at n
 * points, one of which may be infinity (the leading coefficient): s = L·((E_r g) ∘ (E_m y)), where E evaluates and L
 * interpolates. Correlation with g is the transpose of multiplication by g, hence y = E_mᵀ·((E_r g) ∘ (Lᵀ d)).
 *
 * Columns of L are Lagrange's polynomials, Π (x − pⱼ) over the other points, divided by their values at pᵢ; and the
 * product over all finite points for infinity. The divisors are moved to E_r: what is left of L is exact in float32.
 *
 * @see Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308, section 4
 */
export function winogradTransforms(m: number, r: number): Transforms {
  const n = m + r - 1;
  const points = finitePoints.slice(0, n - 1);
  const evaluated = (terms: number): Matrix => [
    ...points.map((p) => Array.from({ length: terms }, (_, k) => p ** k)),
    Array.from({ length: terms }, (_, k) => (k === terms - 1 ? 1 : 0)),
  ];
  const others = (i: number) => points.filter((_, j) => j !== i);
  const divisors = [...points.map((p, i) => others(i).reduce((value, q) => value * (p - q), 1)), 1];
  const interpolating = [...points.map((_, i) => withRoots(others(i))), withRoots(points)];
  return {
    kernel: evaluated(r).map((row, i) => row.map((value) => value / at(divisors, i))),
    input: interpolating.map((row) => Array.from({ length: n }, (_, k) => row[k] ?? 0)),
    output: transposed(evaluated(m)),
  };
}

/** Coefficients of Π (x − root), the constant one first. */
function withRoots(roots: readonly number[]): number[] {
  let polynomial = [1];
  for (const root of roots) {
    const lower = polynomial;
    polynomial = [0, ...lower].map((raised, k) => raised - root * (lower[k] ?? 0));
  }
  return polynomial;
}

/**
 * A tile's transform [n, w] for all tiles of an axis at once: [n·tiles, size], whose row (point, tile) stands over the w
 * positions from tile·m − before on. Positions outside the axis are zeros of the padding: their columns are left out.
 */
export function overTiles(transform: Matrix, tiles: number, size: number, before: number): Matrix {
  return transform.flatMap((row) =>
    Array.from({ length: tiles }, (_, tile) =>
      Array.from({ length: size }, (_, position) => row[position - (tile * tileSize - before)] ?? 0),
    ),
  );
}
