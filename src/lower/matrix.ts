import { at } from '../tensor/elements.js';

/** Numbers row by row. */
export type Matrix = readonly (readonly number[])[];

/** 0 … length − 1. */
export const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);

export function transposed(matrix: Matrix): Matrix {
  return at(matrix, 0).map((_, column) => matrix.map((row) => at(row, column)));
}

/** u ⊗ v: entry [(i, k), (j, l)] is u[i, j]·v[k, l]. */
export function kronecker(u: Matrix, v: Matrix): Matrix {
  return u.flatMap((uRow) => v.map((vRow) => uRow.flatMap((a) => vRow.map((b) => a * b))));
}
