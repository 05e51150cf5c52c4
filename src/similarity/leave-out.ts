import { type ProgressOptions, startProgress } from '../progress.js';
import { balanceClasses } from './class-balance.js';
import { type KnownLabels, type NeighbourGraph, shortWalkSteps, walk } from './propagate.js';

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
 * Fashion-MNIST and CIFAR-10, labels held back ask for 1 to 2.8 times the logarithm.
 */
const sharpening = 1.4;

/**
 * What the neighbours say of each labelled image without its own label: the other labels spread over the graph (see
 * `propagateLabels`), and the classes that arrive are weighed in the same way.
 *
 * Spreading adds up: what all labels of a class bring is the sum of what parts of them bring. So each of three parts is spread by
 * itself, once, and that of a label is left out where the label is judged. Other classes are whole.
 *
 * @param classCount K
 * @param context progress listener and abort signal
 * @returns logits: 1.4 · ln of the shares that arrive, float32 [labels, K]; zeros where nothing does, and for the only label of a
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
  const steps = shortWalkSteps(graph.count, count);
  const progress = startProgress(context, 'labels spread without some', parts.length);
  const scores = new Float64Array(count * classCount);
  // Of all images, by which shares are estimated.
  const everywhere = new Float32Array(graph.count * classCount);
  // What the part of each label brought, to its image and to all.
  const own = new Float64Array(count);
  const ownTotal = new Float64Array(count);
  for (const [done, { members, ofClass }] of parts.entries()) {
    const start = new Float32Array(graph.count);
    for (const i of members) start[rows[i] ?? 0] = 1;
    const arrived = await walk(graph, start, steps, (share) =>
      progress(done + share, `${done} of ${parts.length} parts of the labels`),
    );
    const total = arrived.reduce((sum, score) => sum + score, 0);
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
  const balance = await balanceClasses(everywhere, classes, classCount, () => progress(parts.length));
  const logits = new Float32Array(count * classCount);
  const isOnly = onlyOfClass(classes);
  for (let i = 0; i < count; i++) {
    if (isOnly(i)) continue;
    const shares = scores.slice(i * classCount, (i + 1) * classCount);
    // The rest of its class stands for the whole of it.
    const ofClass = classes[i]!;
    const total = balance.totals[ofClass]!;
    const rest = total - (ownTotal[i] ?? 0);
    shares[ofClass] = rest > 0 ? Math.max(0, shares[ofClass]! - (own[i] ?? 0)) * (total / rest) : 0;
    // What comes from everywhere is left in, other than where classes are told apart: it is what an image of no clear class has.
    for (let k = 0; k < classCount; k++) shares[k]! *= balance.shares[k]! / (balance.totals[k]! || 1);
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
