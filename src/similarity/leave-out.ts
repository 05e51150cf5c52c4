import { type ProgressOptions, startProgress } from '../progress.js';
import { balanceClasses, totalsByClass } from './class-balance.js';
import type { NeighbourGraph } from './neighbour-graph.js';
import { chosenLabels, type KnownLabels, setKnown, shortWalkSteps } from './propagate.js';
import { walk } from './walk.js';

/**
 * Parts that the labels of each class are dealt out to, of which that of a label is left out. With 10 labels a class, as many wrong
 * ones are found on MNIST and Fashion-MNIST as where each is left out by itself, in a third of the time.
 */
const partsOfClass = 3;

/** How often labels are spread to find out what neighbours say without them. */
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
 * Spreading adds up: what all labels of a class bring is the sum of what parts of them bring. So each of three parts of
 * every class is spread by itself, once, and that of a label is left out where the label is judged. Other classes are whole.
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
  for (const [done, members] of parts.entries()) {
    const start = new Float32Array(graph.count * classCount);
    setKnown(start, chosenLabels(known, members), classCount);
    const arrived = await walk(graph, start, steps, (share) =>
      progress(done + share, `${done} of ${parts.length} parts of the labels`),
    );
    const totals = totalsByClass(arrived, classCount);
    for (let at = 0; at < arrived.length; at++) everywhere[at]! += arrived[at]!;
    for (let i = 0; i < count; i++) {
      const from = rows[i]! * classCount;
      for (let k = 0; k < classCount; k++) scores[i * classCount + k]! += arrived[from + k]!;
    }
    for (const i of members) {
      own[i] = arrived[rows[i]! * classCount + classes[i]!]!;
      ownTotal[i] = totals[classes[i]!]!;
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

/**
 * Positions of labels, part by part, each of them with labels of all classes. Those of a class are dealt out in turn, so that no part is a
 * stretch of the order in which they were given.
 */
function partsOf(classes: ArrayLike<number>, classCount: number): readonly (readonly number[])[] {
  const parts = Array.from({ length: partsOfClass }, () => [] as number[]);
  const dealt = new Uint32Array(classCount);
  for (let i = 0; i < classes.length; i++) {
    const turn = dealt[classes[i]!]!++;
    parts[turn % partsOfClass]!.push(i);
  }
  return parts.filter((members) => members.length > 0);
}

function onlyOfClass(classes: ArrayLike<number>): (i: number) => boolean {
  const counts = new Map<number, number>();
  for (let i = 0; i < classes.length; i++)
    counts.set(classes[i] ?? 0, (counts.get(classes[i] ?? 0) ?? 0) + 1);
  return (i) => counts.get(classes[i] ?? 0) === 1;
}
