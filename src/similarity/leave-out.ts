import { type ProgressOptions, startProgress } from '../progress.js';
import {
  heldBackSteps,
  type KnownLabels,
  type NeighbourGraph,
  reach,
  scaleToClassShares,
  spread,
} from './propagate.js';

/**
 * Parts that the labels of each class are dealt out to, of which that of a label is left out. With 10 labels a class, as many wrong
 * ones are found on MNIST and Fashion-MNIST as where each is left out by itself, in a third of the time.
 */
const partsOfClass = 3;

/** How often labels are spread to find out what neighbours say without them, in class-after-class passes over the graph. */
export const passesWithoutOwn = partsOfClass;

/** Share of a class whose labels do not reach an image: a millionth, so that it has a logarithm. */
const leastShare = 1e-6;

/**
 * What logarithms of shares are multiplied by. Scores of neighbours differ less between classes than probabilities do: on MNIST,
 * Fashion-MNIST and CIFAR-10, labels held back ask for 1.2 to 5 times the logarithm, 2.4 in the middle.
 */
const sharpening = 2;

/**
 * What the neighbours say of each labelled image without its own label: the other labels spread over the graph (see
 * `propagateLabels`), and the scores that arrive are scaled in the same way, so that the total of each class is the share of the pile
 * that it is estimated to have.
 *
 * Spreading adds up: what all labels of a class bring is the sum of what parts of them bring. So each of three parts is spread by
 * itself, once, and that of a label is left out where the label is judged. Other classes are whole.
 *
 * @param classCount K
 * @param context progress listener and abort signal
 * @returns logits: twice ln of the shares that arrive, float32 [labels, K]; zeros where nothing does, and for the only label of a
 *   class, without which nobody could name the class
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function spreadWithoutOwn(
  graph: NeighbourGraph,
  known: KnownLabels,
  classCount: number,
  context: ProgressOptions = {},
): Promise<Float32Array> {
  const { rows, classes } = known;
  const count = rows.length;
  const parts = partsOf(classes, classCount);
  const progress = startProgress(context, 'labels spread without some', parts.length);
  const scores = new Float64Array(count * classCount);
  // Of all images, by which shares are estimated.
  const everywhere = new Float32Array(graph.count * classCount);
  const totals = new Float64Array(classCount);
  // What the part of each label brought, to its image and to all.
  const own = new Float64Array(count);
  const ownTotal = new Float64Array(count);
  for (const [done, { members, ofClass }] of parts.entries()) {
    const start = new Float32Array(graph.count);
    for (const i of members) start[rows[i] ?? 0] = 1;
    const arrived = await spread(graph, start, reach, heldBackSteps, (share) =>
      progress(done + share, `${done} of ${parts.length} parts of the labels`),
    );
    const total = arrived.reduce((sum, score) => sum + score, 0);
    totals[ofClass] = (totals[ofClass] ?? 0) + total;
    for (let i = 0; i < graph.count; i++) {
      const at = i * classCount + ofClass;
      everywhere[at] = (everywhere[at] ?? 0) + (arrived[i] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const at = i * classCount + ofClass;
      scores[at] = (scores[at] ?? 0) + (arrived[rows[i] ?? 0] ?? 0);
    }
    for (const i of members) {
      own[i] = arrived[rows[i] ?? 0] ?? 0;
      ownTotal[i] = total;
    }
  }
  const scales = await scaleToClassShares(everywhere, classCount, () => progress(parts.length));
  const logits = new Float32Array(count * classCount);
  const isOnly = onlyOfClass(classes);
  for (let i = 0; i < count; i++) {
    if (isOnly(i)) continue;
    const shares = Array.from({ length: classCount }, (_, k) => {
      const isOwn = k === classes[i];
      const total = totals[k] ?? 0;
      const score = (scores[i * classCount + k] ?? 0) - (isOwn ? (own[i] ?? 0) : 0);
      const rest = total - (isOwn ? (ownTotal[i] ?? 0) : 0);
      // The rest of its class stands for the whole of it.
      return rest > 0 ? Math.max(0, score) * (scales[k] ?? 0) * (total / rest) : 0;
    });
    const sum = shares.reduce((a, b) => a + b, 0);
    if (sum === 0) continue;
    shares.forEach((share, k) => {
      logits[i * classCount + k] = sharpening * Math.log(share / sum + leastShare);
    });
  }
  return logits;
}

interface LabelPart {
  /** Positions of labels, all of one class. */
  readonly members: readonly number[];
  readonly ofClass: number;
}

/** Labels are dealt out in turn, so that no part is a stretch of the order in which they were given. */
function partsOf(classes: ArrayLike<number>, classCount: number): readonly LabelPart[] {
  const parts = Array.from({ length: classCount * partsOfClass }, (_, at) => ({
    ofClass: Math.floor(at / partsOfClass),
    members: [] as number[],
  }));
  const dealt = new Uint32Array(classCount);
  for (let i = 0; i < classes.length; i++) {
    const ofClass = classes[i] ?? 0;
    const turn = dealt[ofClass] ?? 0;
    dealt[ofClass] = turn + 1;
    parts[ofClass * partsOfClass + (turn % partsOfClass)]?.members.push(i);
  }
  return parts.filter(({ members }) => members.length > 0);
}

function onlyOfClass(classes: ArrayLike<number>): (i: number) => boolean {
  const counts = new Map<number, number>();
  for (let i = 0; i < classes.length; i++)
    counts.set(classes[i] ?? 0, (counts.get(classes[i] ?? 0) ?? 0) + 1);
  return (i) => counts.get(classes[i] ?? 0) === 1;
}
