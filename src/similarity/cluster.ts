import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import { inChunks, type ProgressOptions, startProgress, yieldToEventLoop } from '../progress.js';
import type { Random } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';

/** Points grouped about their means. */
export interface Clustering {
  /** Cluster of each point, 0 … count − 1. */
  readonly assignments: Uint32Array;
  /** Mean of each cluster's points, float64 [count, d]. */
  readonly centroids: Float64Array;
  /** Number of clusters; none is empty once it has converged. */
  readonly count: number;
}

/** Lloyd iterations at most; usually it has converged by then. */
const maxIterations = 100;

/** Rounds through all pairs of a point and a cluster, at most: the seeding, the first assignment, one an iteration. */
const maxRounds = 2 + maxIterations;

/** Numbers worked on between two checks of the abort signal: a few milliseconds' work. */
const numbersAtATime = 2 ** 21;

/**
 * k-means: clusters that (locally) minimise Σᵢ ‖xᵢ − c(xᵢ)‖², by Lloyd's iterations from a k-means++ seeding.
 *
 * At convergence every point belongs to its nearest centroid, the first of several at one distance. A cluster that runs
 * empty takes over the point farthest from its own centroid. Points that are all alike need fewer clusters than asked
 * for, and get fewer: as many as there are different points.
 *
 * @param points float32 [n, d], n ≥ 1, finite
 * @param k clusters wanted
 * @param context progress listener and abort signal; the time left that is reported is an upper bound
 * @throws QuarterturnError `usage` for no points, or a k that is no positive integer; `interrupted` if the context's
 *   signal is aborted
 * @see Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding", 2007; Lloyd, "Least squares
 *   quantization in PCM", 1982
 */
export async function kMeans(
  points: Tensor<'float32'>,
  k: number,
  random: Random,
  context: ProgressOptions = {},
): Promise<Clustering> {
  const [n = 0, d = 0] = points.shape;
  if (n < 1 || !Number.isInteger(k) || k < 1) {
    throw new QuarterturnError(
      'usage',
      `k-means: expected points and k ≥ 1. Received: ${countOf(n, 'point')}, k ${k}.`,
    );
  }
  const pass = startProgress(context, `groups of ${countOf(n, 'image')}`, maxRounds);
  let rounds = 0;
  const progress = (share: number) => pass(rounds + share, `${rounds} of at most ${maxRounds} rounds`);
  const centroids = await seeding(points, k, random, progress);
  const assignments = new Uint32Array(n);
  const distances = new Float64Array(n);
  rounds++;
  await assign(points, centroids, assignments, distances, progress);
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    rounds++;
    await moveToMeans(points, centroids, assignments, distances);
    if (!(await assign(points, centroids, assignments, distances, progress))) break;
  }
  return { assignments, centroids, count: centroids.length / d };
}

/** Told which share of a round is done. */
type RoundProgress = (share: number) => Promise<void>;

/** k-means++: the first centroid any point, each further one a point drawn by its squared distance to the nearest. */
async function seeding(
  { shape, data }: Tensor<'float32'>,
  k: number,
  random: Random,
  progress: RoundProgress,
): Promise<Float64Array> {
  const [n, d] = shape as [number, number];
  const centroids = new Float64Array(k * d);
  const nearest = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let chosen = random.integer(n);
  let count = 0;
  while (true) {
    const centroid = Float64Array.from(data.subarray(chosen * d, (chosen + 1) * d));
    centroids.set(centroid, count++ * d);
    if (count === k) break;
    let total = 0;
    await inChunks(
      n,
      numbersAtATime / d,
      (from, to) => {
        let sum = total;
        for (let i = from; i < to; i++) {
          nearest[i] = Math.min(nearest[i]!, squaredDistance(data, i * d, centroid, 0, d));
          sum += nearest[i]!;
        }
        total = sum;
      },
      (done) => progress((count - 1 + done / n) / k),
    );
    if (total === 0) break; // every point is a centroid already
    let left = random.uniform(0, total);
    chosen = nearest.findIndex((weight) => {
      left -= weight;
      return left < 0 && weight > 0;
    });
    // Rounding may leave a rest: then the last point of any weight.
    if (chosen < 0) chosen = nearest.findLastIndex((weight) => weight > 0);
  }
  return centroids.slice(0, count * d);
}

/**
 * Give every point to its nearest centroid.
 * @returns whether any changed
 */
async function assign(
  { shape, data }: Tensor<'float32'>,
  centroids: Float64Array,
  assignments: Uint32Array,
  distances: Float64Array,
  progress: RoundProgress,
): Promise<boolean> {
  const [n, d] = shape as [number, number];
  let changed = false;
  await inChunks(
    n,
    numbersAtATime / centroids.length,
    (from, to) => {
      for (let i = from; i < to; i++) {
        let best = 0;
        let least = Number.POSITIVE_INFINITY;
        for (let c = 0; c * d < centroids.length; c++) {
          const distance = squaredDistance(data, i * d, centroids, c * d, d);
          if (distance < least) {
            best = c;
            least = distance;
          }
        }
        if (assignments[i] !== best) changed = true;
        assignments[i] = best;
        distances[i] = least;
      }
    },
    (done) => progress(done / n),
  );
  return changed;
}

/** Every centroid to the mean of its points; one without any to the farthest point of a cluster that has several. */
async function moveToMeans(
  { shape, data }: Tensor<'float32'>,
  centroids: Float64Array,
  assignments: Uint32Array,
  distances: Float64Array,
): Promise<void> {
  const [n, d] = shape as [number, number];
  const sizes = new Uint32Array(centroids.length / d);
  for (const cluster of assignments) sizes[cluster]! += 1;
  for (const [cluster, size] of sizes.entries()) {
    if (size > 0) continue;
    let farthest = -1;
    for (let i = 0; i < n; i++) {
      if (sizes[assignments[i]!]! > 1 && (farthest < 0 || distances[i]! > distances[farthest]!)) farthest = i;
    }
    sizes[assignments[farthest]!]! -= 1;
    assignments[farthest] = cluster;
    distances[farthest] = 0;
    sizes[cluster] = 1;
  }
  centroids.fill(0);
  await inChunks(
    n,
    numbersAtATime / d,
    (from, to) => {
      for (let i = from; i < to; i++) {
        const centroid = assignments[i]! * d;
        for (let j = 0; j < d; j++) centroids[centroid + j]! += data[i * d + j]! / sizes[assignments[i]!]!;
      }
    },
    yieldToEventLoop,
  );
}

/** ‖a − b‖² of d numbers from an offset in each array. */
export function squaredDistance(
  a: Float32Array | Float64Array,
  fromA: number,
  b: Float32Array | Float64Array,
  fromB: number,
  d: number,
): number {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = a[fromA + j]! - b[fromB + j]!;
    sum += difference * difference;
  }
  return sum;
}
