import { inChunks, type ProgressOptions, startProgress } from '../progress.js';
import type { Neighbours } from './neighbours.js';

/**
 * An undirected graph of images with weighted edges, row by row: those of row i are `targets` and `weights` from
 * `offsets[i]` to `offsets[i + 1]`.
 */
export interface NeighbourGraph {
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
  readonly weights: Float32Array;
}

/** Power of the cosine that an edge weighs: of neighbours of 0.9 and 0.8, the first counts ten times as much. */
const sharpness = 20;

/** Images whose neighbours are connected between two checks of the abort signal: a few milliseconds' work. */
const imagesAtATime = 1000;

/**
 * The neighbour graph, made symmetric and normalised by degree: S = D^(−½) W D^(−½). An edge weighs cosine²⁰, and twice
 * that if each end is among the other's neighbours.
 *
 * @param context progress listener and abort signal
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 * @see Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with Local and Global Consistency", 2003, section 2
 */
export async function neighbourGraph(
  { count: k, indices, similarities }: Neighbours,
  context: ProgressOptions = {},
): Promise<NeighbourGraph> {
  const count = k === 0 ? 0 : indices.length / k;
  const progress = startProgress(context, 'neighbours connected', 3 * count);
  // Of each row, edges to its own neighbours and from those whose neighbour it is; where each is the other's, an edge stands twice.
  const begins = new Uint32Array(count + 1).fill(k, 1);
  for (const j of indices) begins[j + 1]!++;
  for (let i = 0; i < count; i++) begins[i + 1]! += begins[i]!;
  const targets = new Uint32Array(2 * indices.length);
  const sums = new Float64Array(2 * indices.length);
  const ends = begins.slice(0, count);
  const connect = (i: number, j: number, weight: number): void => {
    const edge = ends[i]!++;
    targets[edge] = j;
    sums[edge] = weight;
  };
  await inChunks(
    count,
    imagesAtATime,
    (from, to) => {
      for (let i = from; i < to; i++) {
        for (let at = i * k; at < (i + 1) * k; at++) {
          const weight = Math.max(similarities[at]!, 0) ** sharpness;
          connect(i, indices[at]!, weight);
          connect(indices[at]!, i, weight);
        }
      }
    },
    progress,
  );
  // Edges that stand twice are added up, and the lists moved together.
  const offsets = new Uint32Array(count + 1);
  const degrees = new Float64Array(count);
  const places = new Uint32Array(count);
  await inChunks(
    count,
    imagesAtATime,
    (from, to) => {
      for (let i = from; i < to; i++) {
        const first = offsets[i]!;
        let end = first;
        for (let edge = begins[i]!; edge < begins[i + 1]!; edge++) {
          const j = targets[edge]!;
          const place = places[j]!;
          if (place >= first && place < end && targets[place] === j) {
            sums[place]! += sums[edge]!;
            continue;
          }
          places[j] = end;
          targets[end] = j;
          sums[end++] = sums[edge]!;
        }
        let degree = 1e-9;
        for (let edge = first; edge < end; edge++) degree += sums[edge]!;
        degrees[i] = degree;
        offsets[i + 1] = end;
      }
    },
    (done) => progress(count + done),
  );
  const edges = offsets[count]!;
  const weights = new Float32Array(edges);
  await inChunks(
    count,
    imagesAtATime,
    (from, to) => {
      for (let i = from; i < to; i++) {
        for (let edge = offsets[i]!; edge < offsets[i + 1]!; edge++) {
          weights[edge] = sums[edge]! / Math.sqrt(degrees[i]! * degrees[targets[edge]!]!);
        }
      }
    },
    (done) => progress(2 * count + done),
  );
  return { count, offsets, targets: targets.slice(0, edges), weights };
}
