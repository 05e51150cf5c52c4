import { subsetOf } from '../../data/dataset.js';
import { QuarterturnError } from '../../errors.js';
import { foldsOf, type HeldBackSplit, heldBackSplits } from '../../labels/held-back.js';
import { startProgress } from '../../progress.js';
import { NullStore } from '../../store/checkpoint.js';
import type { Evidence } from '../../store/run-record.js';
import type { Tensors } from '../../tensor/tensor.js';
import { evaluate } from '../../train/evaluate.js';
import { type RecipeContext, silentContext } from '../context.js';
import { labelledSet } from '../labelled-set.js';
import { labelledImages } from '../labels.js';
import { type FineTuneStage, finetuneName, learnLabels } from './finetune.js';

/**
 * Cross-validates a stage that learns from the labels alone. For each fold of the labels, the stage is trained on the
 * other folds and classifies the one held back. This costs one training a fold, and none of the trained networks is kept.
 * A training that diverges recovers no labels.
 *
 * @returns undefined if a class has a single label, since nothing can then be held back
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 * @see Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974
 */
export async function crossValidate(
  context: RecipeContext,
  draw: number,
  stage: FineTuneStage,
  backbone: Tensors | undefined,
): Promise<Evidence | undefined> {
  const labelled = labelledImages(context, draw);
  const folds = foldsOf(labelled.labels!);
  if (folds === undefined) return undefined;
  const splits = heldBackSplits(folds);
  const title =
    stage === finetuneName ? 'fine-tuning with labels held back' : 'training with labels held back';
  const progress = startProgress(context, title, splits.length);
  const silent = { ...silentContext(context), store: new NullStore() };
  const foundIn = async ({ heldBack, kept }: HeldBackSplit): Promise<number> => {
    const { network, weights } = await learnLabels(silent, {
      labelled: subsetOf(labelled, Uint32Array.from(kept)),
      backbone,
      draw,
      stage,
    });
    const set = labelledSet(title, labelled, Uint32Array.from(heldBack));
    const { predictions, targets } = await evaluate(network, weights, set, silent);
    return targets.filter((target, at) => predictions[at] === target).length;
  };
  let [found, of] = [0, 0];
  for (const [i, split] of splits.entries()) {
    found += await foundIn(split).catch((error: unknown) => {
      if (error instanceof QuarterturnError && error.code === 'diverged') return 0;
      throw error;
    });
    of += split.heldBack.length;
    await progress(i + 1, `${i + 1} of ${splits.length} folds`);
  }
  return { stage, found, of };
}

/** The images that a classifier learned from, most first: the whole pile, those of pretraining, the labelled ones. */
export const imagesSeen = ['pile', 'pretraining', 'labels'] as const;
export type ImagesSeen = (typeof imagesSeen)[number];

/** A classifier that may be kept, and its evidence if labels could be held back. */
export interface Candidate {
  readonly learnsFrom: ImagesSeen;
  readonly evidence: Evidence | undefined;
}

/**
 * Chooses the classifier to keep. Every classifier within one standard error of the best on held-back labels is a
 * candidate; of these, the one that learned from the most images wins, because a hundred labels cannot tell a difference
 * of five points from chance. If nothing could be held back, that order alone decides.
 *
 * @see Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984, section 3.4.3, on one standard
 *   error
 */
export function bestOf<T extends Candidate>(candidates: readonly T[]): T | undefined {
  const withEvidence = candidates.flatMap(({ evidence }) => (evidence ? [evidence] : []));
  const [best] = withEvidence.sort((a, b) => b.found / b.of - a.found / a.of);
  const ordered = imagesSeen.flatMap((seen) => candidates.filter(({ learnsFrom }) => learnsFrom === seen));
  if (best === undefined || withEvidence.length < candidates.length) return ordered[0];
  return ordered.find(({ evidence }) => !isClearlyWorse(evidence!, best));
}

/** Whether `a` recovered fewer labels than `b`, by more than the standard error of their difference. */
export function isClearlyWorse(
  a: Pick<Evidence, 'found' | 'of'>,
  b: Pick<Evidence, 'found' | 'of'>,
): boolean {
  const [p, q] = [a.found / a.of, b.found / b.of];
  return q - p > Math.sqrt((p * (1 - p)) / a.of + (q * (1 - q)) / b.of);
}
