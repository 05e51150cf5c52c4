import type { ImageDataset } from '../data/dataset.js';
import { orientedGradients, orientedGradientsLength } from '../features/oriented-gradients.js';
import { inParts, type Listening, passProgress } from '../pass.js';
import { nearestNeighbours } from '../similarity/neighbours.js';
import {
  type KnownLabels,
  type NeighbourGraph,
  neighbourGraph,
  propagateLabels,
} from '../similarity/propagate.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { type RecipeContext, randomFor } from './context.js';
import { classNamesOf, labelledIndices } from './labels.js';

/** Images at most, since the time to compare them grows with the square: 60,000 take half a minute on 2 cores. */
const largestPile = 60_000;

/**
 * Neighbours of each image. On MNIST 99.1 % of the nearest are of the image's own class, 97.9 % of the first ten; with
 * five, a part of the pile is cut off from the labels.
 */
const neighbourCount = 10;

/** Images that are described and connected to tell how long it takes for all. */
const probedImages = 2048;

/** Rows that are compared with all to tell how long it takes for the rest: twice, few and more. */
const comparedRows = [256, 1536] as const;

/** Pixels of the images that are described between two looks at whether to stop: some milliseconds. */
const pixelsAtATime = 2 ** 17;

/** Images of the training set, and which of them look alike. Nothing in it depends on labels. */
export interface PileGraph {
  /** Indices into the training set, ascending: the rows of the graph. */
  readonly images: Uint32Array;
  readonly graph: NeighbourGraph;
}

/**
 * Which images look alike: near in the cosine of their oriented gradients.
 *
 * Pixels know where strokes lie (97.8 % of nearest neighbours are of the same class on MNIST, at 14×14 pixels), a backbone
 * pretrained on rotations which way up a shape is (97.9 % by its first block, 91 % by its second).
 */
export async function pileGraph(context: PileContext): Promise<PileGraph> {
  const images = pileOf(context);
  const features = await shapesOf(context, images);
  const title = `neighbours of ${images.length} images`;
  const neighbours = await nearestNeighbours(features, neighbourCount, context, title);
  return { images, graph: await neighbourGraph(neighbours, context) };
}

/** All that it takes to find neighbours: nothing is stored. */
export type PileContext = Omit<RecipeContext, 'store'>;

/** How long it takes on this machine, in ms. */
export interface PileTimes {
  readonly graphMs: number;
  /** To spread labels over the graph once, so that none changes any more. */
  readonly spreadMs: number;
}

/** Times for the whole pile, from those for a part of it. */
export async function predictPile(context: PileContext): Promise<PileTimes> {
  const all = Math.min(context.data.train.count, largestPile);
  const some = Uint32Array.from({ length: Math.min(probedImages, all) }, (_, i) => i);
  const quiet = { ...context, emit: undefined };
  const share = some.length / all;
  const started = performance.now();
  const features = await shapesOf(quiet, some);
  const describedMs = performance.now() - started;
  const comparedMs = await timeToCompare(features, all, quiet);
  const neighbours = await nearestNeighbours(features, neighbourCount, quiet, 'neighbours');
  const found = performance.now();
  const graph = await neighbourGraph(neighbours, quiet);
  const classes = classNamesOf(context).length;
  const known = { rows: some.subarray(0, classes), classes: some.subarray(0, classes) };
  const connected = performance.now();
  await propagateLabels(graph, known, classes, quiet);
  return {
    graphMs: comparedMs + (describedMs + connected - found) / share,
    spreadMs: (performance.now() - connected) / share,
  };
}

/**
 * Time to compare as many images as a whole pile has, in ms: each of a few with all. A small pile would not tell, since
 * its products stay in the cache.
 */
async function timeToCompare(
  { data }: Tensor<'float32'>,
  count: number,
  context: PileContext,
): Promise<number> {
  const rows = new Float32Array(count * orientedGradientsLength);
  for (let at = 0; at < rows.length; at += data.length) rows.set(data.subarray(0, rows.length - at), at);
  const pile = tensor('float32', [count, orientedGradientsLength], rows);
  const timeFor = async (rowCount: number) => {
    const started = performance.now();
    await nearestNeighbours(pile, neighbourCount, context, 'neighbours', rowCount);
    return performance.now() - started;
  };
  const [few, more] = comparedRows.map((rowCount) => Math.min(rowCount, count)) as [number, number];
  const fewMs = await timeFor(few);
  if (few === count) return fewMs;
  const moreMs = await timeFor(more);
  // What both take whatever the number of rows, to compile the product above all, is counted once.
  return moreMs + Math.max(0, ((moreMs - fewMs) / (more - few)) * (count - more));
}

/** Whether a pile is too large to be compared as a whole. */
export function isSampled({ count }: Pick<ImageDataset, 'count'>): boolean {
  return count > largestPile;
}

/** The labelled images of all draws, and as many of the others as there is time for. */
function pileOf(context: PileContext): Uint32Array {
  const { count } = context.data.train;
  if (!isSampled(context.data.train)) return Uint32Array.from({ length: count }, (_, i) => i);
  const draws = Array.from({ length: context.settings.draws }, (_, draw) => draw);
  const chosen = new Set(draws.flatMap((draw) => [...labelledIndices(context, draw)]));
  for (const index of randomFor(context, 'pile', 'graph').permutation(count)) {
    if (chosen.size >= largestPile) break;
    chosen.add(index);
  }
  return Uint32Array.from(chosen).sort();
}

/**
 * What images look like, in rows of length 1 (see `orientedGradients`).
 * @param images indices into the training set
 * @throws QuarterturnError `interrupted` when the context's signal says so
 */
export async function shapesOf(
  context: Listening & Pick<PileContext, 'data'>,
  images: Uint32Array,
): Promise<Tensor<'float32'>> {
  const title = `shapes of ${images.length} images`;
  const rows = new Float32Array(images.length * orientedGradientsLength);
  const progress = passProgress(context, title, images.length);
  const { train } = context.data;
  await inParts(
    images.length,
    pixelsAtATime / (train.height * train.width),
    (from, to) =>
      rows.set(orientedGradients(train, images.subarray(from, to)).data, from * orientedGradientsLength),
    progress,
  );
  return tensor('float32', [images.length, orientedGradientsLength], rows);
}

/** A draw's labels as rows of the graph. */
export function knownLabels(
  { images }: PileGraph,
  labelled: { readonly indices: Uint32Array; readonly classes: ArrayLike<number> },
): KnownLabels {
  const rowOf = new Map(Array.from(images, (index, row) => [index, row]));
  return { rows: Array.from(labelled.indices, (index) => rowOf.get(index)!), classes: labelled.classes };
}
