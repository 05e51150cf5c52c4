import { countOf } from '../counts.js';
import { inChunks, type ProgressOptions, startProgress, yieldToEventLoop } from '../progress.js';
import type { Random } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { kMeans, squaredDistance } from './cluster.js';

/** Neighbours that typicality uses (Hacohen et al. 2022, section 3.2). */
const neighbourCount = 20;

/** Clusters at most: beyond, they hold too few points to tell what is typical (the authors' limit). */
const maxClusters = 500;

/** Points whose neighbours are compared, at most: time grows with the square, and a sample ranks density as well. */
const maxCompared = 4000;

/** Comparisons between two checks of the abort signal: a few milliseconds' work. */
const numbersAtATime = 2 ** 21;

/** A point to be labelled. */
export interface TypicalPoint {
  /** Of the features. */
  readonly row: number;
  /** Points in its cluster, which it stands for. */
  readonly clusterSize: number;
}

export interface TypicalOptions extends ProgressOptions {
  /** How many to pick; fewer are returned if fewer are unlabelled. */
  readonly count: number;
  /** Rows that have a label already: they cover their clusters and are not picked. */
  readonly labelled?: ArrayLike<number>;
  /** Decides where k-means begins: the same stream gives the same points. */
  readonly random: Random;
}

/**
 * TypiClust: of every cluster that holds no label yet, the largest first, the most typical point.
 *
 * k-means makes as many clusters as there are labels, old and wanted; typicality(x) = 1 / mean distance to the 20
 * nearest neighbours of x in its cluster. Once every cluster is covered, those with the fewest labels come again.
 *
 * @example
 * const points = await typicalPoints(features, { count: 20, random: Random.seeded(12) });
 * @param features float32 [n, d]: any representation in which near means alike
 * @returns distinct rows, none of them labelled, the most useful first
 * @throws QuarterturnError `interrupted` if the signal is aborted
 * @see Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets", 2022
 */
export async function typicalPoints(
  features: Tensor<'float32'>,
  { count, labelled = [], random, emit, signal }: TypicalOptions,
): Promise<TypicalPoint[]> {
  const listening = { emit, signal };
  const [n = 0] = features.shape;
  const taken = new Uint8Array(n);
  for (let i = 0; i < labelled.length; i++) taken[labelled[i]!] = 1;
  const wanted = Math.min(count, n - labelled.length);
  if (wanted < 1) return [];
  const k = Math.min(labelled.length + wanted, maxClusters);
  const { assignments, count: clusters } = await kMeans(features, k, random.split('k-means'), listening);
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (const [i, cluster] of assignments.entries()) members[cluster]!.push(i);
  const groups = members.map((rows, cluster) => ({
    rows,
    labels: rows.filter((row) => taken[row] === 1).length,
    // Only clusters that are asked for a point are ranked: it is the costly part.
    ranked: undefined as number[] | undefined,
    random: random.split('neighbours', cluster),
  }));

  const picks: TypicalPoint[] = [];
  const pass = startProgress(listening, 'typical images', wanted);
  const progress = (share: number) =>
    pass(picks.length + share, `${picks.length} of ${countOf(wanted, 'image')}`);
  while (picks.length < wanted) {
    const open = groups.filter(({ rows, labels }) => labels < rows.length);
    const group = open.reduce((a, b) =>
      b.labels < a.labels || (b.labels === a.labels && b.rows.length > a.rows.length) ? b : a,
    );
    group.ranked ??= (await byTypicality(features, group.rows, group.random, progress)).filter(
      (row) => taken[row] === 0,
    );
    picks.push({ row: group.ranked.shift()!, clusterSize: group.rows.length });
    group.labels += 1;
  }
  return picks;
}

/** Rows of a cluster, the most typical first; of a cluster that is too large for it, a random sample comes first. */
async function byTypicality(
  features: Tensor<'float32'>,
  rows: readonly number[],
  random: Random,
  progress: (share: number) => Promise<void>,
): Promise<number[]> {
  const shuffled = rows.length > maxCompared ? random.shuffle([...rows]) : [...rows];
  const compared = shuffled.slice(0, maxCompared).sort((a, b) => a - b);
  const values = await typicality(features, compared, { progress });
  const order = compared.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
  return [...order.map((i) => compared[i]!), ...shuffled.slice(maxCompared)];
}

/**
 * Typicality of points among themselves: 1 / mean Euclidean distance to the `neighbours` nearest others, ∞ where these
 * are all the same as it, 0 for a point that is alone.
 * @param rows which points of the features
 * @param options.progress told the share of the points that is done, again and again
 */
export async function typicality(
  { shape, data }: Tensor<'float32'>,
  rows: ArrayLike<number>,
  options: {
    readonly neighbours?: number;
    readonly progress?: (share: number) => Promise<void>;
  } = {},
): Promise<Float64Array> {
  const { neighbours = neighbourCount, progress = yieldToEventLoop } = options;
  const d = shape[1]!;
  const k = Math.min(neighbours, rows.length - 1);
  const result = new Float64Array(rows.length);
  if (k < 1) return result;
  // Squared distances to the k nearest so far, ascending.
  const nearest = new Float64Array(k);
  await inChunks(
    rows.length,
    numbersAtATime / (rows.length * d),
    (from, to) => {
      for (let i = from; i < to; i++) {
        nearest.fill(Number.POSITIVE_INFINITY);
        for (let j = 0; j < rows.length; j++) {
          if (i === j) continue;
          const distance = squaredDistance(data, rows[i]! * d, data, rows[j]! * d, d);
          if (distance >= nearest[k - 1]!) continue;
          let place = k - 1;
          for (; place > 0 && nearest[place - 1]! > distance; place--) nearest[place] = nearest[place - 1]!;
          nearest[place] = distance;
        }
        let sum = 0;
        for (const squared of nearest) sum += Math.sqrt(squared);
        result[i] = k / sum;
      }
    },
    (done) => progress(done / rows.length),
  );
  return result;
}
