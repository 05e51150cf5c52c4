import { countOf } from '../counts.js';
import { type ProgressOptions, startProgress } from '../progress.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { balanceClasses, weighClasses } from './class-balance.js';
import type { NeighbourGraph } from './neighbour-graph.js';
import { stepThrough, type WalkProgress, walk } from './walk.js';

/** Share of the neighbours in a smoothed prediction; the classifier's own probabilities have the rest, a fifth. */
const smoothing = 0.8;

const smoothingSteps = 30;

/**
 * Steps of a walk where there is a label for each image. Chosen among 3, 4 and 5: MNIST prefers 5, Fashion-MNIST and CIFAR-10 prefer 3,
 * and 4 is within half a point of the best of each with 20, 100 and 1,000 labels.
 */
const walkScale = 4;

/** Steps of a walk at most where labels are held back: which of them are found again shows after few. */
const heldBackSteps = 30;

/**
 * Steps of a walk at most where what it brings only teaches a network that is tried. On four draws of MNIST, Fashion-MNIST and CIFAR-10 each,
 * two thirds of 100 labels name −0.8 to 1.0 points more of the pile than in 121 steps, 0.0 in the mean.
 */
export const mostTriedSteps = 60;

/**
 * Steps of a walk from a few labels: T = 4·√(images / labels), rounded. It grows with the number of images that a label has to reach,
 * and stays short where labels lie close: a long walk forgets where it came from.
 *
 * @param most steps at most; default: as many as it comes to
 */
export function walkSteps(images: number, labels: number, most = Number.POSITIVE_INFINITY): number {
  return Math.min(most, Math.max(1, Math.round(walkScale * Math.sqrt(images / Math.max(1, labels)))));
}

/** Steps of a walk where labels are held back: fewer, since it is walked again and again. */
export function shortWalkSteps(images: number, labels: number): number {
  return walkSteps(images, labels, heldBackSteps);
}

export interface PropagateOptions extends ProgressOptions {
  /** Steps of the walk at most; default: {@link walkSteps}. */
  readonly mostSteps?: number | undefined;
}

/** Images whose class is known: rows of the graph and their classes. */
export interface KnownLabels {
  readonly rows: ArrayLike<number>;
  readonly classes: ArrayLike<number>;
}

/** Some of the labels, by their positions. */
export function chosenLabels({ rows, classes }: KnownLabels, positions: readonly number[]): KnownLabels {
  return { rows: positions.map((at) => rows[at]!), classes: positions.map((at) => classes[at]!) };
}

/**
 * Classifies all images from a few labels alone: from each label, walks go to the neighbours of its image and on to theirs (see
 * {@link walk}), and the classes that they bring to an image are weighed against each other (see {@link balanceClasses}).
 *
 * @param classCount K
 * @param options progress listener and abort signal, steps at most
 * @returns float32 [n · K], rows that add up to 1 if a label has reached them, else 0
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 * @see Calder, Cook, Thorpe and Slepčev, "Poisson learning: graph based semi-supervised learning at very low label rates", 2020,
 *   section 2.1, on walks of limited length and what they bring on average
 */
export function propagateLabels(
  graph: NeighbourGraph,
  known: KnownLabels,
  classCount: number,
  { mostSteps, ...context }: PropagateOptions = {},
): Promise<Float32Array> {
  const progress = spreadProgress(context, 'labels spread', classCount);
  const steps = walkSteps(graph.count, known.rows.length, mostSteps);
  return scoresFrom(graph, known, classCount, steps, progress);
}

async function scoresFrom(
  graph: NeighbourGraph,
  known: KnownLabels,
  classCount: number,
  steps: number,
  progress: WalkProgress,
): Promise<Float32Array> {
  const start = new Float32Array(graph.count * classCount);
  setKnown(start, known, classCount);
  const scores = await walk(graph, start, steps, progress);
  const balance = await balanceClasses(scores, known.classes, classCount, () => progress(1));
  for (let own = 0; own < scores.length; own += classCount) {
    weighClasses(scores.subarray(own, own + classCount), balance);
  }
  setKnown(scores, known, classCount);
  return normalised(scores, classCount);
}

/** Reports progress over the classes, of which some spread at a time. */
function spreadProgress(context: ProgressOptions, title: string, classCount: number): WalkProgress {
  const pass = startProgress(context, title, classCount);
  return (share) =>
    pass(share * classCount, `${Math.floor(share * classCount)} of ${countOf(classCount, 'class')}`);
}

/**
 * A classifier's probabilities, corrected by those of the neighbours (Huang et al. 2021, "Combining Label Propagation and
 * Simple Models Out-performs Graph Neural Networks", section 3.3). A network is often certain of its
 * mistakes; similarity of images is independent of them.
 *
 * @param probabilities float32 [n · K]
 * @param context progress listener and abort signal
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function smoothPredictions(
  graph: NeighbourGraph,
  probabilities: Float32Array,
  known: KnownLabels,
  context: ProgressOptions = {},
): Promise<Float32Array> {
  const classCount = probabilities.length / graph.count;
  const start = probabilities.slice();
  setKnown(start, known, classCount);
  const progress = spreadProgress(context, 'classes smoothed', classCount);
  const steps = { alpha: smoothing, steps: smoothingSteps, result: 'last' } as const;
  const scores = await stepThrough(graph, start, steps, progress);
  setKnown(scores, known, classCount);
  return normalised(scores, classCount);
}

/** Known labels keep their class, whatever the scores. */
export function setKnown(scores: Float32Array, { rows, classes }: KnownLabels, classCount: number): void {
  for (let i = 0; i < rows.length; i++) {
    const own = rows[i]! * classCount;
    scores.fill(0, own, own + classCount);
    scores[own + classes[i]!] = 1;
  }
}

function normalised(scores: Float32Array, classCount: number): Float32Array {
  for (let own = 0; own < scores.length; own += classCount) {
    const row = scores.subarray(own, own + classCount);
    const total = row.reduce((sum, score) => sum + score, 0);
    if (total > 0) for (let k = 0; k < classCount; k++) row[k]! /= total;
  }
  return scores;
}

/** Images with the class that they are taken to have. */
export interface PseudoLabels {
  /** Rows of the graph, ascending. */
  readonly rows: Uint32Array;
  readonly classes: Int32Array;
}

/** An image is unsure if its two best classes are closer than this. */
export const unsureMargin = 0.1;

/**
 * The most probable class of each image, without those that are unsure (see {@link unsureMargin}); where they are many, without the
 * most unsure. Others are never left out, however few are unsure: they are mostly of a class or two, and mostly right, and a network that
 * does not see them never learns these classes' rarer forms.
 *
 * @param scores float32 [n · K]
 * @param doubtful share of the images that are left out at most, 0 to below 1
 */
export function pseudoLabels(scores: Float32Array, classCount: number, doubtful: number): PseudoLabels {
  const { margins, best } = marginsOf(scores, classCount);
  const count = margins.length;
  const least = Math.min(unsureMargin, margins.slice().sort()[Math.floor(count * doubtful)]!);
  // An image that no label has reached has no class.
  const rows = Uint32Array.from({ length: count }, (_, i) => i).filter(
    (i) => margins[i]! >= least && margins[i]! > 0,
  );
  return { rows, classes: Int32Array.from(rows, (i) => best[i]!) };
}

/**
 * The images that are unsure (see {@link unsureMargin}), ascending.
 * @param scores float32 [n · K]
 */
export function unsureRows(scores: Float32Array, classCount: number): Uint32Array {
  const { margins } = marginsOf(scores, classCount);
  return Uint32Array.from(margins.keys()).filter((i) => margins[i]! < unsureMargin);
}

interface Margins {
  /** How much the best class of each image is ahead of the next. */
  readonly margins: Float32Array;
  readonly best: Int32Array;
}

function marginsOf(scores: Float32Array, classCount: number): Margins {
  const count = scores.length / classCount;
  const margins = new Float32Array(count);
  const best = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let [first, second] = [-1, -1];
    for (let k = 0; k < classCount; k++) {
      const score = scores[i * classCount + k]!;
      if (score > first) {
        [first, second] = [score, first];
        best[i] = k;
      } else if (score > second) second = score;
    }
    margins[i] = first - Math.max(second, 0);
  }
  return { margins, best };
}

/**
 * Finds out which of the labels that are held back propagation recovers from the other labels. This measures the graph with nothing
 * but the labels.
 *
 * @param splits which labels are held back and which are kept, as positions in `known`
 * @param context progress listener and abort signal
 * @returns of each label held back whether it was found, split by split
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function recoverHeldBack(
  graph: NeighbourGraph,
  known: KnownLabels,
  classCount: number,
  splits: readonly { readonly heldBack: readonly number[]; readonly kept: readonly number[] }[],
  context: ProgressOptions = {},
): Promise<readonly boolean[]> {
  const progress = startProgress(context, 'labels held back', splits.length);
  const found: boolean[] = [];
  for (const [done, { heldBack, kept }] of splits.entries()) {
    const scores = await scoresFrom(
      graph,
      chosenLabels(known, kept),
      classCount,
      shortWalkSteps(graph.count, kept.length),
      (share) => progress(done + share, `${done} of ${splits.length} folds`),
    );
    const { rows, classes } = chosenLabels(known, heldBack);
    for (let n = 0; n < rows.length; n++) {
      const row = scores.subarray(rows[n]! * classCount, (rows[n]! + 1) * classCount);
      found.push(indexOfLargest(row) === classes[n]);
    }
  }
  return found;
}
