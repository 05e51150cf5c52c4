import { gradientEncoder } from '../../features/gradient-encoder.js';
import { heldBackSplits } from '../../labels/held-back.js';
import { isClosed, mirroredShare } from '../../similarity/closure.js';
import { neighbourGraph } from '../../similarity/neighbour-graph.js';
import type { Neighbours } from '../../similarity/neighbours.js';
import { recoverHeldBack } from '../../similarity/propagate.js';
import type { Invariance } from '../../store/invariance.js';
import type { RecipeContext } from '../context.js';
import { classNamesOf } from '../labels.js';
import { describedFor, knownLabels, neighboursOf } from '../pile-graph.js';
import { isBetterForCertain, type Score, scoreOfEach } from './choice.js';
import type { ComparisonSample } from './sample.js';

/**
 * Finds out whether images keep their class when they are mirrored, left for right. The pile says it first, without any label: where left
 * and right are the same, half of the images are more like the mirror image of another than like any other as it is. Labels have
 * to agree, since the mirror image of a b is a d: labels that are held back must not be found less often, by more than two standard
 * errors, when the others spread over images that may be mirrored. Images are compared by oriented gradients, which tell left
 * from right.
 *
 * @returns that it does not hold where no label can be held back
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function judgeMirroring(
  context: RecipeContext,
  { images, known }: ComparisonSample,
): Promise<Invariance> {
  const encoder = gradientEncoder(context.data.train.images.channels);
  const described = await describedFor(context, { images, encoder, mirrored: true });
  const asTheyAre = await neighboursOf(described.features, context);
  const mirrored = await neighboursOf(described.features, context, described.mirrored);
  const share = mirroredShare(asTheyAre, mirrored);
  const refused = { change: 'mirroring', holds: false, share, labels: null } as const;
  if (!isClosed(share)) return { ...refused, reason: 'pile' };
  const splits = heldBackSplits(known.classes);
  if (splits.length === 0) return { ...refused, reason: 'unconfirmed' };

  const classCount = classNamesOf(context).length;
  const scoreBy = async (neighbours: Neighbours): Promise<Score> => {
    const pile = { images, graph: await neighbourGraph(neighbours, context) };
    const labels = knownLabels(pile, known);
    return scoreOfEach(await recoverHeldBack(pile.graph, labels, classCount, splits, context));
  };
  const [before, after] = [await scoreBy(asTheyAre), await scoreBy(mirrored)];
  return {
    ...{ change: 'mirroring', holds: !isBetterForCertain(before, after), share, reason: 'labels' },
    labels: { asTheyAre: before.found, changed: after.found, of: after.of },
  };
}
