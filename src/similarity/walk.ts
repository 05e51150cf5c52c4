import type { NeighbourGraph } from './neighbour-graph.js';

/** Told the share of the walking that is done. */
export type WalkProgress = (share: number) => Promise<void>;

/**
 * Columns that go over the graph together: an edge is read once for all of them, and their sums stay in registers. Of 1 to 16, five and
 * six are the fastest for ten columns, twice as fast as each by itself. More would mostly be filled up where there are few.
 */
const columnsAtATime = 5;

/** Beyond all places of an array of columns, which could be of 200 million rows. */
const mostPlaces = 2 ** 30 - 1;

/**
 * What walks over the graph bring to each image from where they start:
 *
 *   F = Σ Sᵗ·Y over t = 0 … T − 1
 *
 * @param start Y, float32 [n · columns]
 * @param steps T, 1 or more
 * @param progress told the share that is done, again and again
 */
export function walk(
  graph: NeighbourGraph,
  start: Float32Array,
  steps: number,
  progress: WalkProgress,
): Promise<Float32Array> {
  return stepThrough(graph, start, { alpha: 1, steps: steps - 1, result: 'sum' }, progress);
}

export interface Steps {
  /** Share of the neighbours in a step. */
  readonly alpha: number;
  readonly steps: number;
  /** What all steps, the start included, add up to, or where the last one comes to. */
  readonly result: 'sum' | 'last';
}

/** Steps over the graph, F ← (1 − α)·Y + α·S·F from F = Y on, some columns at a time. */
export async function stepThrough(
  graph: NeighbourGraph,
  start: Float32Array,
  { alpha, steps, result }: Steps,
  progress: WalkProgress,
): Promise<Float32Array> {
  const { count } = graph;
  const columns = start.length / count;
  const path = pathOf(graph);
  const near = alongPath(graph, path);
  const reached = new Float32Array(start.length);
  const [own, sums] = [new Float32Array(count * columnsAtATime), new Float32Array(count * columnsAtATime)];
  let [scores, next] = [own.slice(), own.slice()];
  for (let first = 0; first < columns; first += columnsAtATime) {
    const some = Math.min(columnsAtATime, columns - first);
    own.fill(0);
    for (let i = 0; i < count; i++) {
      const from = path[i]! * columns + first;
      for (let k = 0; k < some; k++) own[i * columnsAtATime + k] = start[from + k]!;
    }
    scores.set(own);
    sums.set(own);
    for (let taken = 1; taken <= steps; taken++) {
      takeStep(near, { own, scores, next, sums }, alpha);
      [scores, next] = [next, scores];
      await progress((first + (some * taken) / steps) / columns);
    }
    const found = result === 'sum' ? sums : scores;
    for (let i = 0; i < count; i++) {
      const to = path[i]! * columns + first;
      for (let k = 0; k < some; k++) reached[to + k] = found[i * columnsAtATime + k]!;
    }
  }
  return reached;
}

/** Some columns, {@link columnsAtATime} numbers for each row. */
interface Columns {
  /** The start. */
  readonly own: Float32Array;
  readonly scores: Float32Array;
  /** What the step comes to. */
  readonly next: Float32Array;
  /** What the steps so far add up to. */
  readonly sums: Float32Array;
}

/** One step of some columns. The five sums are written out: in an array they would not stay in registers. */
function takeStep(
  { count, offsets, targets, weights }: NeighbourGraph,
  { own, scores, next, sums }: Columns,
  alpha: number,
): void {
  const rest = 1 - alpha;
  let edge = 0;
  for (let i = 0; i < count; i++) {
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    let sum4 = 0;
    for (const end = offsets[i + 1]!; edge < end; edge++) {
      const weight = weights[edge]!;
      // The mask takes nothing away: it tells the compiler that places are small integers, which spares an eighth of the time.
      const from = (targets[edge]! * columnsAtATime) & mostPlaces;
      sum0 += weight * scores[from]!;
      sum1 += weight * scores[from + 1]!;
      sum2 += weight * scores[from + 2]!;
      sum3 += weight * scores[from + 3]!;
      sum4 += weight * scores[from + 4]!;
    }
    const at = i * columnsAtATime;
    next[at] = rest * own[at]! + alpha * sum0;
    next[at + 1] = rest * own[at + 1]! + alpha * sum1;
    next[at + 2] = rest * own[at + 2]! + alpha * sum2;
    next[at + 3] = rest * own[at + 3]! + alpha * sum3;
    next[at + 4] = rest * own[at + 4]! + alpha * sum4;
    for (let k = at; k < at + columnsAtATime; k++) sums[k]! += next[k]!;
  }
}

/**
 * All rows, those near each other in the graph one soon after the other: breadth first, from the first row that was not met yet. Scores
 * of neighbours are then mostly in the nearest cache, and the order of a row's edges, in which they are added up, stays as it is.
 */
function pathOf({ count, offsets, targets }: NeighbourGraph): Uint32Array {
  const path = new Uint32Array(count);
  const isMet = new Uint8Array(count);
  let met = 0;
  const meet = (row: number): void => {
    if (isMet[row]) return;
    isMet[row] = 1;
    path[met++] = row;
  };
  for (let row = 0, visited = 0; row < count; row++) {
    meet(row);
    for (; visited < met; visited++) {
      const own = path[visited]!;
      for (let edge = offsets[own]!; edge < offsets[own + 1]!; edge++) meet(targets[edge]!);
    }
  }
  return path;
}

/** The graph with its rows in another order. */
function alongPath({ count, offsets, targets, weights }: NeighbourGraph, path: Uint32Array): NeighbourGraph {
  const places = new Uint32Array(count);
  path.forEach((row, place) => {
    places[row] = place;
  });
  const near = {
    count,
    offsets: new Uint32Array(offsets.length),
    targets: new Uint32Array(targets.length),
    weights: new Float32Array(weights.length),
  };
  let at = 0;
  for (let place = 0; place < count; place++) {
    const row = path[place]!;
    for (let edge = offsets[row]!; edge < offsets[row + 1]!; edge++) {
      near.targets[at] = places[targets[edge]!]!;
      near.weights[at++] = weights[edge]!;
    }
    near.offsets[place + 1] = at;
  }
  return near;
}
