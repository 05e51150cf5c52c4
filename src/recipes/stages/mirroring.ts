import { gradientEncoder } from '../../features/gradient-encoder.js';
import { heldBackSplits } from '../../labels/held-back.js';
import { isClosedUnderMirroring, mirroredShare } from '../../similarity/mirrored-share.js';
import type { Neighbours } from '../../similarity/neighbours.js';
import { neighbourGraph, recoverHeldBack } from '../../similarity/propagate.js';
import type { MirroringChoice } from '../../store/mirroring-choice.js';
import type { RecipeContext } from '../context.js';
import { classNamesOf } from '../labels.js';
import { describedFor, knownLabels, neighboursOf } from '../pile-graph.js';
import type { RunSettings } from '../settings.js';
import { isProbablyBetter, type Score, scoreOfEach } from './choice.js';
import { comparisonSample } from './sample.js';

/**
 * Finds out whether images keep their class when they are mirrored, left for right. The pile says it first, without any label: where left
 * and right are the same, mirror images are as much at home in it as its images are (`similarity/mirrored-share.ts`). Labels have
 * to agree, since the mirror image of a b is a d: labels that are held back must not be found less often, by more than a standard
 * error, when the others spread over images that may be mirrored. Images are compared by oriented gradients, which tell left
 * from right.
 *
 * @returns not to be mirrored where no label can be held back
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function chooseMirroring(context: RecipeContext, draw: number): Promise<MirroringChoice> {
  const { images, known } = comparisonSample(context, draw);
  const encoder = gradientEncoder(context.data.train.images.channels);
  const described = await describedFor(context, { images, encoder, mirrored: true });
  const asTheyAre = await neighboursOf(described.features, context);
  const mirrored = await neighboursOf(described.features, context, described.mirrored);
  const share = mirroredShare(asTheyAre, mirrored);
  const refused = { mirrored: false, share, labels: null };
  if (!isClosedUnderMirroring(share)) return { ...refused, reason: 'pile' };
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
    mirrored: !isProbablyBetter(before, after),
    share,
    reason: 'labels',
    labels: { asTheyAre: before.found, mirrored: after.found, of: after.of },
  };
}

/** The settings with every distortion of images mirroring every other one, too. */
export function withMirroring(settings: RunSettings): RunSettings {
  const { finetune, selfTrain } = settings;
  const mirror = <T extends NonNullable<typeof finetune.augmentation>>(strength: T): T => ({
    ...strength,
    flipHorizontal: true,
  });
  return {
    ...settings,
    finetune: { ...finetune, augmentation: finetune.augmentation && mirror(finetune.augmentation) },
    selfTrain: selfTrain && {
      ...selfTrain,
      mild: mirror(selfTrain.mild),
      strong: mirror(selfTrain.strong),
    },
  };
}
