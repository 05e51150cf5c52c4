import { heldBackFoldCount } from '../../labels/held-back.js';
import { fitMixture } from '../../model/fit-mixture.js';
import { type MemberShare, mixtureOf, mixtureWeights } from '../../nn/mixture.js';
import { type FoldAnswers, pooledAnswers } from '../../store/fold-answers.js';
import { nextEpoch, notStarted } from '../../store/progress.js';
import { checkpointName } from '../../train/loop.js';
import { labelledImages } from '../labels.js';
import { pileSampleSize } from '../pile-metrics.js';
import { areToldApart } from './choice.js';
import { classifyMs } from './cost.js';
import { answersForPile, evidenceFor } from './evidence.js';
import { type Classifier, type TrainedNetwork, withEvaluation } from './finetune.js';
import { finetuneStage } from './finetune-stage.js';
import { selfTrainStage } from './self-train-stage.js';
import { type Stage, type StageDraw, seenByMixtures } from './stage.js';

export const mixtureName = 'mixture';

/**
 * The stages whose classifiers are mixed. They came to know the classes in different ways, from rotations and from the pile, so that
 * they err on different images: more so than the self-trained classifier and the one that it went on from do.
 */
const members = [finetuneStage, selfTrainStage] as const;
const memberNames = members.map(({ name }) => name);

/**
 * Labels that are believed to fall to each member before any is asked: the self-trained classifier saw the pile, and what is kept of it learned
 * several times as long as what was tried with labels held back, the fine-tuned one half as long again. With five and five, as lucky labels
 * had it, mixtures were up to 1.6 points worse than their better member; with these, of 24, one by more than 0.3 (docs/recipes.md).
 */
const belief = [5, 15];

/**
 * Share of the pile on which the mixture and the classifier that it mostly is have to differ, at least. No two classifiers differ in
 * accuracy by more than the share of images on which their answers do: for less, one network is quicker than two.
 */
const worthMixing = 0.01;

/**
 * The probabilities of the fine-tuned and of the self-trained classifier, mixed in the shares that held-back labels ask for. Where the
 * labels cannot tell which of the two is better, their mixture is better than either. Where they can, or where the mixture says what
 * one of them says, there is no need of it.
 *
 * Nothing is trained. The mixture is tried as every stage is: the networks that learned without a fold are mixed in the shares that
 * the labels of the other folds ask for.
 */
export const mixtureStage: Stage = {
  name: mixtureName,
  version: 2,
  title: 'Mixture of the fine-tuned and the self-trained',
  activity: 'mixing classifiers',
  figures: ['mixture'],
  isShared: false,
  learnsFrom: seenByMixtures,
  settingsOf: ({ selfTrain }) => (selfTrain ? { epochs: 1 } : null),
  isAskedFor: ({ selfTrain }) => selfTrain !== null,
  // Its shares come from the answers of its members, which learned from what they need.
  heedsEvidence: true,
  needs: () => members,

  async train(at) {
    const { context, draw, stageEvidence } = at;
    const made = await mixtureFor(at);
    if (!stageEvidence.readOnly) {
      // Also where none is made: the stage is done.
      const checkpoint = { tensors: made?.learned.weights ?? {}, memory: {} };
      const state = nextEpoch(notStarted(mixtureName, draw));
      await context.store.saveCheckpoint(checkpointName(mixtureName, draw), { ...checkpoint, state });
    }
    if (made === undefined) return { figures: { mixture: { test: null, members: [] } }, tested: [] };
    const { learned, shares, pileAnswers } = made;
    const labelled = labelledImages(context, draw);
    const classifier = await withEvaluation(learned, context, { labelled, title: 'mixture' });
    const { test } = classifier;
    return {
      figures: {
        mixture: {
          test: test?.metrics ?? null,
          members: memberNames.map((stage, i) => ({ stage, share: shares[i]?.share ?? 0 })),
        },
      },
      tested: [{ figure: 'mixture', step: '+ mixed with the fine-tuned', when: 'mixture', test }],
      classifier: { ...classifier, pileAnswers },
    };
  },

  async learnWithout(at, { fold }) {
    const parts = await Promise.all(members.map((stage) => at.foldNetwork(stage, fold)));
    const learned = mixed(parts, sharesFrom(at, fold) ?? []);
    if (learned) return learned;
    throw new Error(`${mixtureName}: expected answers of its members for fold ${fold}`);
  },
  networkOf: (network) => mixtureOf(network, memberNames),

  stepsOf: () => 0,
  stepMs: async () => 0,
  drawMs({ speeds }) {
    const { train, labelled, test, folds } = speeds.images;
    if (folds === 0) return 0;
    const tried = heldBackFoldCount(labelled, folds);
    const sample = Math.min(pileSampleSize, train - labelled);
    // An image goes through two networks.
    const classified = labelled + test + tried * (labelled / folds + sample);
    return 2 * classifyMs(speeds, classified) + tried * classifyMs(speeds, 0);
  },
};

interface Made {
  readonly learned: TrainedNetwork;
  readonly shares: readonly MemberShare[];
  /** What it says of a sample of the pile. */
  readonly pileAnswers: Int32Array;
}

/** @returns undefined if there is no need of a mixture, or no evidence to make one by */
async function mixtureFor(at: StageDraw): Promise<Made | undefined> {
  const shares = sharesFrom(at);
  const [one, other] = await Promise.all(members.map((stage) => evidenceFor(stage, at)));
  if (shares === undefined || !one || !other || areToldApart(one, other)) return undefined;
  const parts = members.map((stage) => at.outcomeOf(stage)?.classifier);
  const learned = mixed(parts, shares);
  if (learned === undefined) return undefined;
  const pileAnswers = await answersForPile(at.context, learned, at.draw);
  const isWorth = (await differing(at, pileAnswers, parts)) >= worthMixing;
  return isWorth ? { learned, shares, pileAnswers } : undefined;
}

/** Share of a sample of the pile on which a mixture differs from the member that it agrees with most; 0 without a pile. */
async function differing(
  { context, draw }: StageDraw,
  answers: Int32Array,
  parts: readonly (Classifier | undefined)[],
): Promise<number> {
  let least = answers.length;
  for (const part of parts) {
    if (part === undefined) continue;
    const theirs = part.pileAnswers ?? (await answersForPile(context, part, draw));
    least = Math.min(least, answers.filter((said, i) => said !== theirs[i]).length);
  }
  return least / Math.max(1, answers.length);
}

/**
 * Shares of the members by what they answered of labels held back.
 * @param without a fold whose labels are not to be asked; of a single fold, they are: two shares and two temperatures, found by
 *   hundreds of labels, owe next to nothing to any one
 * @returns undefined if a member gave no answers
 */
function sharesFrom(
  { draw, stageEvidence }: StageDraw,
  without?: number,
): readonly MemberShare[] | undefined {
  const ofMembers = memberNames.map((stage) => stageEvidence.answersOf({ stage, draw }));
  const isAnswered = (fold: number) =>
    ofMembers.every((folds) => folds.some((each) => each.fold === fold && each.logits !== null));
  const asked = (folds: readonly FoldAnswers[]) => {
    const answered = folds.filter(({ fold }) => isAnswered(fold));
    const others = answered.filter(({ fold }) => fold !== without);
    return others.length > 0 ? others : answered;
  };
  const pooled = ofMembers.map((folds) => pooledAnswers(asked(folds)));
  const [first] = pooled;
  if (first === undefined || first.targets.length === 0) return undefined;
  return fitMixture({ logits: pooled.map(({ logits }) => logits), targets: first.targets, belief });
}

/** undefined if a member is missing. */
function mixed(
  parts: readonly (TrainedNetwork | undefined)[],
  shares: readonly MemberShare[],
): TrainedNetwork | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const named: Record<string, MemberShare & Pick<TrainedNetwork, 'weights'>> = {};
  for (const [i, name] of memberNames.entries()) {
    const [part, share] = [parts[i], shares[i]];
    if (part === undefined || share === undefined) return undefined;
    named[name] = { ...share, weights: part.weights };
  }
  const network = mixtureOf(first.network, memberNames);
  return { network, weights: mixtureWeights(network, named) };
}
