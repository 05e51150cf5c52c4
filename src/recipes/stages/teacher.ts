import { foldsOf, heldBackSplits } from '../../labels/held-back.js';
import { countRecovered } from '../../similarity/propagate.js';
import { NullStore } from '../../store/checkpoint.js';
import type { Evidence } from '../../store/run-record.js';
import type { Tensors } from '../../tensor/tensor.js';
import { evaluate } from '../../train/evaluate.js';
import type { RecipeContext } from '../context.js';
import { labelledSet } from '../labelled-set.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import { knownLabels, type PileGraph } from '../pile-graph.js';
import { isClearlyWorse } from './evidence.js';
import { type FineTuneStage, finetuneName, learnLabels } from './finetune.js';
import { selfTrain } from './self-train.js';
import { selfTrainName } from './self-train-tasks.js';

interface ChooseTeacherOptions {
  readonly draw: number;
  /** The stage that self-training starts from, and its backbone. */
  readonly start: FineTuneStage;
  readonly backbone: Tensors | undefined;
  /** Evidence for the classifiers that learned from the labels alone. */
  readonly evidence: readonly Evidence[];
  pileGraph(): Promise<PileGraph>;
}

/**
 * Chooses the teacher and returns its evidence. Neighbours teach if the settings name them, unless a classifier that
 * learned from the labels alone recovers clearly more held-back labels; then views teach.
 *
 * @returns undefined if nothing can be held back; the settings' teacher is then used
 */
export async function chooseTeacher(
  context: RecipeContext,
  options: ChooseTeacherOptions,
): Promise<Evidence | undefined> {
  const { draw, evidence, pileGraph } = options;
  if (foldsOf(labelledImages(context, draw).labels!) === undefined) return undefined;
  if (context.settings.selfTrain!.teacher === 'neighbours') {
    const neighbours = await evidenceForNeighbours(context, await pileGraph(), draw);
    const rival = evidence.find((other) => isClearlyWorse(neighbours, other));
    const { found, of } = neighbours;
    context.emit?.({
      type: 'teacher-chosen',
      draw,
      teacher: rival ? 'views' : 'neighbours',
      found,
      of,
      rival: rival ? { stage: rival.stage, found: rival.found, of: rival.of } : null,
    });
    if (rival === undefined) return neighbours;
  }
  return evidenceForViews(context, options);
}

async function evidenceForNeighbours(
  context: RecipeContext,
  pile: PileGraph,
  draw: number,
): Promise<Evidence> {
  const labelled = labelledImages(context, draw);
  const known = knownLabels(pile, { indices: labelledIndices(context, draw), classes: labelled.labels! });
  const splits = heldBackSplits(foldsOf(known.classes)!);
  const classCount = classNamesOf(context).length;
  const found = await countRecovered(pile.graph, known, classCount, splits, context);
  const of = splits.flatMap(({ heldBack }) => heldBack).length;
  return { stage: selfTrainName, teacher: 'neighbours', found, of };
}

/**
 * Tests views with half of the labels held back: the start is trained, views go on from it, and both classify the other
 * half. The gain or loss of views is added to the evidence for the start.
 */
async function evidenceForViews(
  context: RecipeContext,
  { draw, start, backbone, evidence, pileGraph }: ChooseTeacherOptions,
): Promise<Evidence> {
  const labelled = labelledImages(context, draw);
  const indices = labelledIndices(context, draw);
  const classNames = classNamesOf(context);
  const [kept, heldBack] = foldsOf(labelled.labels!, 2) as [number[], number[]];
  const images = kept.map((at) => ({ index: indices[at]!, label: classNames[labelled.labels![at]!]! }));
  const title = 'views with half of the labels held back';
  const trialContext: RecipeContext = {
    ...context,
    settings: { ...context.settings, draws: 1, labels: { data: null, images } },
    data: { ...context.data, test: undefined },
    store: new NullStore(),
    emit: (event) => {
      if (event.type !== 'step') return;
      const { step, totalSteps, etaMs } = event;
      context.emit?.({ type: 'pass', title, done: step, total: totalSteps, etaMs });
    },
  };
  const set = labelledSet(title, labelled, Uint32Array.from(heldBack));
  const before = await learnLabels(trialContext, {
    labelled: labelledImages(trialContext, 0),
    // A start from random weights has none.
    backbone: start === finetuneName ? backbone : undefined,
    draw: 0,
    stage: start,
  });
  const after = await selfTrain(trialContext, before, { draw: 0, teacher: 'views', pileGraph });
  const found = async ({ network, weights }: typeof before) =>
    (await evaluate(network, weights, set, trialContext)).metrics.accuracy;
  const gain = (await found(after)) - (await found(before));
  // As many as the start was asked for, so that both can be compared.
  const { found: base, of } = evidence.find(({ stage }) => stage === start) ?? {
    found: 0,
    of: heldBack.length,
  };
  return {
    stage: selfTrainName,
    teacher: 'views',
    found: Math.min(of, Math.max(0, base + gain * of)),
    of,
  };
}
