import { countOf } from '../counts.js';
import type { ImageDataset } from '../data/dataset.js';
import { selectImages } from '../data/image-source.js';
import { mirroredImages } from '../data/mirrored-images.js';
import type { Encoder } from '../features/encoder.js';
import { gradientEncoder } from '../features/gradient-encoder.js';
import type { ProgressOptions } from '../progress.js';
import type { Random } from '../random/random.js';
import { isClosed, mirroredShare } from '../similarity/closure.js';
import { type NeighbourGraph, neighbourGraph } from '../similarity/neighbour-graph.js';
import { blockPairs, type Neighbours, nearestNeighbours } from '../similarity/neighbours.js';
import { type KnownLabels, propagateLabels, walkSteps } from '../similarity/propagate.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { type RecipeContext, randomFor, silentContext } from './context.js';
import { classNamesOf, labelledIndices } from './labels.js';
import { openInvariances } from './settings.js';

/** Images at most, since the time to compare them grows with the square: 60,000 take some ten seconds on 2 cores. */
const largestPile = 60_000;

/**
 * Neighbours of each image. On MNIST 99.1 % of the nearest are of the image's own class, 97.9 % of the first ten; with
 * five, a part of the pile is cut off from the labels.
 */
const neighbourCount = 10;

/** Images that are described, compared and connected to predict the time for all. */
const probedImages = 4096;

/** Comparisons of which the fastest counts: what holds one up for a moment would count once for each pair of images. */
const probes = 3;

/** Images of the training set and the graph of those that look alike. It does not depend on labels. */
export interface PileGraph {
  /** Indices into the training set, ascending: the rows of the graph. */
  readonly images: Uint32Array;
  readonly graph: NeighbourGraph;
}

/**
 * Finds which images of the pile look alike, by the cosine of their rows of features.
 *
 * By oriented gradients, on MNIST 99.1 % of nearest neighbours are of the same class. Pixels at 14×14 give 97.8 %, the first block of a backbone
 * pretrained on rotations 97.9 %, its second 91 %.
 *
 * @param comparison default: as they are, by {@link encoderOf}
 */
export function pileGraph(
  context: PileContext,
  { encoder = encoderOf(context), mirrored = false }: Partial<Comparison> = {},
): Promise<PileGraph> {
  return graphOf(context, { images: pileOf(context), encoder, mirrored });
}

/** How images are compared. */
export interface Comparison {
  readonly encoder: Encoder;
  /** Whether two images are also alike where one is like the mirror image of the other. */
  readonly mirrored: boolean;
}

export interface GraphOptions extends Comparison {
  /** Indices into the training set, ascending. */
  readonly images: Uint32Array;
}

/**
 * Finds which of some images look alike.
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function graphOf(context: PileContext, options: GraphOptions): Promise<PileGraph> {
  const { features, mirrored } = await describedFor(context, options);
  const neighbours = await neighboursOf(features, context, mirrored);
  return { images: options.images, graph: await neighbourGraph(neighbours, context) };
}

/** Rows of features of some images, and of their mirror images where these are compared, too. */
export async function describedFor(
  { emit, signal, data }: PileContext,
  { images, encoder, mirrored }: GraphOptions,
): Promise<{ features: Tensor<'float32'>; mirrored: Tensor<'float32'> | undefined }> {
  const chosen = selectImages(data.train.images, images);
  const features = await encoder.describe(chosen, { emit, signal });
  return {
    features,
    mirrored: mirrored ? await encoder.describe(mirroredImages(chosen), { emit, signal }) : undefined,
  };
}

/** The nearest of images by their rows of features, and by those of their mirror images where there are any. */
export function neighboursOf(
  features: Tensor<'float32'>,
  context: PileContext,
  mirrored?: Tensor<'float32'>,
): Promise<Neighbours> {
  const title = `neighbours of ${countOf(features.shape[0] ?? 0, 'image')}`;
  return nearestNeighbours(features, context, { count: neighbourCount, title, mirrored });
}

/** The context for finding neighbours, which stores nothing. */
export type PileContext = Omit<RecipeContext, 'store'>;

/** Times on this machine, in ms. */
export interface PileTimes {
  readonly graphMs: number;
  /** To spread the labels of all classes over the graph by one step. */
  readonly spreadStepMs: number;
}

/**
 * Predicts the times for the whole pile from those for a part of it. Where evidence decides whether images are compared with mirror
 * images, too, that part says whether they will be.
 */
export async function predictPile(context: PileContext): Promise<PileTimes> {
  const all = graphSize(context.data.train.images.count);
  const some = Uint32Array.from({ length: Math.min(probedImages, all) }, (_, i) => i);
  const silent = silentContext(context);
  const share = some.length / all;
  const started = performance.now();
  const features = await describeImages(silent, some);
  const described = performance.now();
  const one = await timeToCompare(features, probedImages / 4, silent);
  const several = await timeToCompare(features, probedImages, silent);
  const found = performance.now();
  const graph = await neighbourGraph(several.neighbours, silent);
  const classes = classNamesOf(context).length;
  const known = { rows: some.subarray(0, classes), classes: some.subarray(0, classes) };
  const connected = performance.now();
  await propagateLabels(graph, known, classes, silent);
  const spread = performance.now();
  const comparingMs = (described - started) / share + comparedMs(one, several, blockPairs(all));
  const isMirrored = await willBeMirrored(silent, features, several.neighbours);
  return {
    graphMs: (isMirrored ? 2 : 1) * comparingMs + (connected - found) / share,
    spreadStepMs: (spread - connected) / share / walkSteps(some.length, known.rows.length),
  };
}

/** Whether the first images of a pile, as far as they go, say that left and right are the same in it. */
async function willBeMirrored(
  context: PileContext,
  features: Tensor<'float32'>,
  neighbours: Neighbours,
): Promise<boolean> {
  const { settings, encoder } = context;
  // A frozen network describes mirror images alike, and is compared as it is.
  if (encoder) return false;
  if (!openInvariances(settings).includes('mirroring'))
    return settings.selfTrain?.strong.flipHorizontal ?? false;
  const { images } = context.data.train;
  const some = Uint32Array.from({ length: features.shape[0] ?? 0 }, (_, i) => i);
  const mirrored = await encoderOf(context).describe(mirroredImages(selectImages(images, some)), context);
  return isClosed(mirroredShare(neighbours, await neighboursOf(features, context, mirrored)));
}

/** A comparison of a few images with each other, the fastest of {@link probes}. */
interface Compared {
  readonly neighbours: Neighbours;
  readonly pairs: number;
  readonly ms: number;
}

async function timeToCompare(
  { shape: [n, d], data }: Tensor<'float32'>,
  rows: number,
  context: PileContext,
): Promise<Compared> {
  const count = Math.min(rows, n!);
  const part = tensor('float32', [count, d!], data.subarray(0, count * d!));
  const compare = async (): Promise<Compared> => {
    const started = performance.now();
    const neighbours = await nearestNeighbours(part, context, { count: neighbourCount, title: 'neighbours' });
    return { neighbours, pairs: blockPairs(count), ms: performance.now() - started };
  };
  let fastest = await compare();
  for (let i = 1; i < probes; i++) {
    const next = await compare();
    if (next.ms < fastest.ms) fastest = next;
  }
  return fastest;
}

/** Time for many pairs of blocks, in ms; compiling the product, which both measurements include, counts once. */
export function comparedMs(
  few: Omit<Compared, 'neighbours'>,
  several: Omit<Compared, 'neighbours'>,
  pairs: number,
): number {
  if (few.pairs === several.pairs) return several.ms;
  const pairMs = Math.max(0, several.ms - few.ms) / (several.pairs - few.pairs);
  return several.ms + pairMs * (pairs - several.pairs);
}

/** Images of the graph of so many images of a training set. */
export function graphSize(images: number): number {
  return Math.min(images, largestPile);
}

/** Whether a pile is too large to be compared as a whole. */
export function isSampled({ images: { count } }: Pick<ImageDataset, 'images'>): boolean {
  return count > largestPile;
}

/** The labelled images of all draws, and as many of the others as there is room for. */
function pileOf(context: PileContext): Uint32Array {
  const { count } = context.data.train.images;
  if (!isSampled(context.data.train)) return Uint32Array.from({ length: count }, (_, i) => i);
  const draws = Array.from({ length: context.settings.draws }, (_, draw) => draw);
  const labelled = draws.flatMap((draw) => [...labelledIndices(context, draw)]);
  const random = randomFor(context, 'pile', 'graph');
  return filledUp(labelled, { count, size: largestPile, random });
}

interface FillOptions {
  /** Images that there are. */
  readonly count: number;
  readonly size: number;
  readonly random: Random;
}

/** Some images, and as many of the others, at random, as there is room for: indices, ascending. */
export function filledUp(some: Iterable<number>, { count, size, random }: FillOptions): Uint32Array {
  const chosen = new Set(some);
  for (const index of random.permutation(count)) {
    if (chosen.size >= size) break;
    chosen.add(index);
  }
  return Uint32Array.from(chosen).sort();
}

/** The encoder that describes a run's images: the one that was given, else oriented gradients, which need no file. */
export function encoderOf({ encoder, data }: Pick<PileContext, 'encoder' | 'data'>): Encoder {
  return encoder ?? gradientEncoder(data.train.images.channels);
}

/**
 * Describes images by feature rows of length 1 (see `Encoder`).
 * @param images indices into the training set
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function describeImages(
  context: ProgressOptions & Pick<PileContext, 'data' | 'encoder'>,
  images: Uint32Array,
): Promise<Tensor<'float32'>> {
  const { emit, signal } = context;
  return encoderOf(context).describe(selectImages(context.data.train.images, images), { emit, signal });
}

/** A draw's labels as rows of the graph. */
export function knownLabels(
  { images }: PileGraph,
  labelled: { readonly indices: Uint32Array; readonly classes: ArrayLike<number> },
): KnownLabels {
  return { rows: knownRows(images, labelled.indices), classes: labelled.classes };
}

/** Where some of the images stand among all. */
export function knownRows(images: Uint32Array, some: Uint32Array): number[] {
  const rowOf = new Map(Array.from(images, (index, row) => [index, row]));
  return Array.from(some, (index) => rowOf.get(index)!);
}
