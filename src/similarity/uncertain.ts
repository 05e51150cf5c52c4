import type { ProgressOptions } from '../progress.js';
import type { Random } from '../random/random.js';
import { float32, type Tensor } from '../tensor/tensor.js';
import { kMeans } from './cluster.js';

/** Candidates for every image wanted (Zhdanov 2019 uses 10 and 50). */
const candidatesPerPick = 10;

export interface UncertainOptions extends ProgressOptions {
  /** How many to choose; fewer are returned if fewer are left. */
  readonly count: number;
  /** Rows that are not to be chosen. */
  readonly taken: ReadonlySet<number>;
  readonly random: Random;
}

/**
 * Diverse uncertain points. The 10 × `count` rows with the least margins (probability of the best class minus that of the
 * second) are divided into `count` clusters, and each cluster gives its least margin. Without clusters, most picks would
 * show one and the same confusion.
 *
 * @param features float32 [n, d]
 * @param margins of the n points
 * @returns distinct rows, the least margin first
 * @throws QuarterturnError `interrupted` if the signal is aborted
 * @see Zhdanov, "Diverse mini-batch Active Learning", 2019
 */
export async function uncertainPoints(
  features: Tensor<'float32'>,
  margins: ArrayLike<number>,
  { count, taken, random, emit, signal }: UncertainOptions,
): Promise<number[]> {
  const [n, d] = features.shape as [number, number];
  const byMargin = (a: number, b: number) => margins[a]! - margins[b]! || a - b;
  const candidates = Array.from({ length: n }, (_, i) => i)
    .filter((i) => !taken.has(i))
    .sort(byMargin)
    .slice(0, candidatesPerPick * count);
  if (candidates.length === 0) return [];
  const rows = new Float32Array(candidates.length * d);
  for (const [i, row] of candidates.entries())
    rows.set(features.data.subarray(row * d, (row + 1) * d), i * d);
  const points = float32([candidates.length, d], rows);
  const { assignments } = await kMeans(points, count, random, { emit, signal });
  // Candidates come in the order of their margins: the first of a cluster is the one.
  const firsts = new Map<number, number>();
  for (const [i, cluster] of assignments.entries())
    if (!firsts.has(cluster)) firsts.set(cluster, candidates[i]!);
  const chosen = new Set(firsts.values());
  // Images that are all alike make fewer clusters: then simply the next ones.
  for (const candidate of candidates) if (chosen.size < count) chosen.add(candidate);
  return [...chosen].sort(byMargin);
}
