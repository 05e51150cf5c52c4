import { subsetOf } from '../../data/dataset.js';
import { selectImages } from '../../data/image-source.js';
import { QuarterturnError } from '../../errors.js';
import { heldBackSplits } from '../../labels/held-back.js';
import { countPerClass, remainingIndices } from '../../labels/label-selection.js';
import { NullStore } from '../../store/checkpoint.js';
import type { FoldAnswers } from '../../store/fold-answers.js';
import type { Evidence } from '../../store/run-record.js';
import { indexOfLargest } from '../../tensor/index-of-largest.js';
import { crossEntropy } from '../../train/cross-entropy.js';
import { computeLogits } from '../../train/evaluate.js';
import { type RecipeContext, randomFor, silentContext } from '../context.js';
import { labelledImages, labelledIndices } from '../labels.js';
import { hasCollapsed, pileSampleSize } from '../pile-metrics.js';
import type { TrainedNetwork } from './finetune.js';
import type { Stage, StageDraw } from './stage.js';

/** What is known of a stage by labels that were held back. */
export interface HeldBackEvidence {
  readonly summary: Evidence;
  /** Fold by fold; empty where an earlier version has kept the counts alone. */
  readonly answers: readonly FoldAnswers[];
}

/**
 * Images on which a classifier is compared with those that learned without a fold: a random part of what a draw leaves without a
 * label, 2,000 of which tell a share to within two points.
 */
export function sampleOfPile(
  context: Pick<RecipeContext, 'settings' | 'data' | 'labels'>,
  draw: number,
): Uint32Array {
  const { images } = context.data.train;
  const unlabelled = remainingIndices(images.count, labelledIndices(context, draw));
  return randomFor(context, 'estimate', draw).shuffle(unlabelled).slice(0, pileSampleSize);
}

/** The class that a network gives each image of {@link sampleOfPile}; empty without a pile. */
export async function answersForPile(
  context: RecipeContext,
  { network, weights }: TrainedNetwork,
  draw: number,
): Promise<Int32Array> {
  const sample = sampleOfPile(context, draw);
  if (sample.length === 0) return new Int32Array();
  const images = selectImages(context.data.train.images, sample);
  const set = { title: 'a sample of the pile', images };
  return classesOf(await computeLogits(network, weights, set, silentContext(context)), network.classes);
}

/** The class that logits name for each image. */
export function classesOf(logits: Float32Array, classCount: number): Int32Array {
  return Int32Array.from({ length: logits.length / classCount }, (_, i) =>
    indexOfLargest(logits.subarray(i * classCount, (i + 1) * classCount)),
  );
}

/**
 * Finds out by cross-validation what a stage's way of learning is worth. For each fold of the labels, the stage learns without
 * it (`Stage.learnWithout`), and the network classifies the labels that were held back, as well as a sample of the pile. A
 * training that diverges answers nothing. Each fold is stored as soon as it is answered.
 *
 * @returns undefined if no class has two labels, since nothing can then be held back; of a run that is only evaluated, if not all
 *   folds were answered
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 * @see Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974
 */
export async function evidenceFor(stage: Stage, at: StageDraw): Promise<HeldBackEvidence | undefined> {
  const { context, draw, stageEvidence } = at;
  const stageOfDraw = { stage: stage.name, draw };
  const splits = heldBackSplits(labelledImages(context, draw).labels ?? []);
  const known = stageEvidence.answersOf(stageOfDraw);
  const isComplete = known.length >= splits.length;
  if (stage.learnWithout && !isComplete && !stageEvidence.readOnly) {
    for (const fold of splits.keys()) {
      if (known.some((answers) => answers.fold === fold)) continue;
      await stageEvidence.addAnswers(stageOfDraw, await answersFor(stage, at, fold));
    }
  }
  const answers = stageEvidence.answersOf(stageOfDraw);
  const teacher = stageEvidence.teacherOf(stageOfDraw);
  if (answers.length > 0 && answers.length >= splits.length) {
    return { summary: { ...summaryOf(stage.name, answers), ...(teacher && { teacher }) }, answers };
  }
  const counts = stageEvidence.countsOf(stageOfDraw);
  return counts && { summary: counts, answers: [] };
}

async function answersFor(stage: Stage, at: StageDraw, fold: number): Promise<FoldAnswers> {
  const { context, draw } = at;
  const labelled = labelledImages(context, draw);
  const { heldBack: positions } = heldBackSplits(labelled.labels ?? [])[fold]!;
  const targets = positions.map((position) => labelled.labels![position]!);
  const silent = silentContext(context);
  try {
    const { network, weights } = await at.foldNetwork(stage, fold);
    const { images } = subsetOf(labelled, Uint32Array.from(positions));
    const logits = await computeLogits(network, weights, { title: 'labels held back', images }, silent);
    if (logits.some((logit) => !Number.isFinite(logit))) throw noNumbers(stage);
    const sample = await answersForPile(context, { network, weights }, draw);
    return { fold, positions, targets, logits, sample };
  } catch (error) {
    if (!(error instanceof QuarterturnError) || error.code !== 'diverged') throw error;
    return { fold, positions, targets, logits: null, sample: new Int32Array() };
  }
}

function noNumbers({ title }: Stage): QuarterturnError {
  return new QuarterturnError(
    'diverged',
    `${title}: expected finite logits of labels held back. Received: others.`,
  );
}

/** The networks of a draw that learned without a fold, each trained once, when it is first asked for. */
export function foldNetworks(at: () => StageDraw): StageDraw['foldNetwork'] {
  const networks = new Map<string, Promise<TrainedNetwork>>();
  return (stage, fold) => {
    const key = `${stage.name} ${fold}`;
    const known = networks.get(key) ?? learnWithout(stage, at(), fold);
    networks.set(key, known);
    return known;
  };
}

async function learnWithout(stage: Stage, at: StageDraw, fold: number): Promise<TrainedNetwork> {
  const { context, draw } = at;
  const splits = heldBackSplits(labelledImages(context, draw).labels ?? []);
  const title = `${stage.activity} with labels held back`;
  const started = performance.now();
  const emit: RecipeContext['emit'] = (event) => {
    if (event.type !== 'step') return;
    const done = fold + event.step / event.totalSteps;
    const foldMs = (performance.now() - started) / (done - fold);
    context.emit?.({
      type: 'pass',
      title,
      done,
      total: splits.length,
      etaMs: foldMs * (splits.length - done),
    });
  };
  if (!stage.learnWithout) throw new Error(`${stage.name}: cannot learn without a fold`);
  return stage.learnWithout(at, {
    ...splits[fold]!,
    fold,
    context: { ...context, store: new NullStore(), emit },
  });
}

function summaryOf(stage: string, answers: readonly FoldAnswers[]): Evidence {
  let [found, of, loss] = [0, 0, 0];
  for (const each of answers) {
    of += each.targets.length;
    found += correctIn(each).filter(Boolean).length;
    loss += lossesOf(each).reduce((sum, x) => sum + x, 0);
  }
  return { stage, found, of, logLoss: loss / of };
}

/**
 * Whether a classifier has lost a class: it gives almost no image of the pile a class that the networks that learned without a fold
 * still gave. A class may be rare; what it had before it was lost, they tell. Where nobody knows of them, every class had its even share.
 *
 * @param answers for a sample of the pile, see {@link answersForPile}
 * @returns no if there are no answers
 */
export function hasLostClass(
  answers: Int32Array,
  evidence: Pick<HeldBackEvidence, 'answers'> | undefined,
  classCount: number,
): boolean {
  const ofTrials = evidence?.answers.flatMap(({ sample }) => [...sample]) ?? [];
  const tried = sharesIn(Int32Array.from(ofTrials), classCount);
  const own = sharesIn(answers, classCount);
  return (
    own?.some((share, k) => hasCollapsed({ smallestClass: share }, tried?.[k] ?? 1 / classCount)) ?? false
  );
}

/** Share of each class in answers; undefined if there are none. */
function sharesIn(answers: Int32Array, classCount: number): readonly number[] | undefined {
  if (answers.length === 0) return undefined;
  return Array.from(countPerClass(answers, classCount), (count) => count / answers.length);
}

/** Whether each label of a fold was classified correctly. */
export function correctIn({ targets, logits }: FoldAnswers): readonly boolean[] {
  if (logits === null) return targets.map(() => false);
  const said = classesOf(logits, logits.length / targets.length);
  return targets.map((target, i) => said[i] === target);
}

/** Cross-entropy of each label of a fold, in nats; that of a guess among as many classes as there are labels if it diverged. */
function lossesOf({ targets, logits }: FoldAnswers): readonly number[] {
  if (logits === null) return targets.map(() => Math.log(1 + Math.max(...targets)));
  const k = logits.length / targets.length;
  return targets.map((target, i) => crossEntropy(logits.subarray(i * k, (i + 1) * k), target));
}
