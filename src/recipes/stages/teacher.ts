import { partsOf, splitsOf } from '../../labels/held-back.js';
import { foundWhenHeldBack } from '../../similarity/propagate.js';
import { ForgetfulStore } from '../../store/checkpoint.js';
import type { Evidence } from '../../store/run-record.js';
import type { Tensors } from '../../tensor/tensor.js';
import { evaluate } from '../../train/evaluate.js';
import { labelledSet } from '../classify.js';
import type { RecipeContext } from '../context.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import { knownLabels, type PileGraph } from '../pile-graph.js';
import { isWorse } from './evidence.js';
import { type FinetuneStage, finetuneName, learnLabels } from './finetune.js';
import { selfTrainName } from './lessons.js';
import { selfTrain } from './self-train.js';

interface Weighing {
  readonly draw: number;
  /** The stage that self-training goes on from, and the backbone that it has. */
  readonly start: FinetuneStage;
  readonly backbone: Tensors | undefined;
  /** What speaks for the classifiers that learned from the labels alone. */
  readonly evidence: readonly Evidence[];
  pile(): Promise<PileGraph>;
}

/**
 * Who is to teach, and what speaks for it: the neighbours that the settings name, unless a classifier that learned from
 * the labels alone finds more of them when they are held back; then views.
 *
 * @returns undefined where nothing can be held back: then the settings' teacher teaches
 */
export async function weighTeachers(
  context: RecipeContext,
  weighing: Weighing,
): Promise<Evidence | undefined> {
  const { draw, evidence, pile } = weighing;
  if (partsOf(labelledImages(context, draw).labels!) === undefined) return undefined;
  if (context.settings.selfTrain!.teacher === 'neighbours') {
    const neighbours = await weighNeighbours(context, await pile(), draw);
    const rival = evidence.find((other) => isWorse(neighbours, other));
    const share = `${neighbours.found} of ${neighbours.of} labels are found again by their neighbours`;
    context.emit({
      type: 'note',
      text: rival
        ? `Only ${share}, and ${rival.found} by what was learned from the others: the pile is learned from by views.`
        : `${share} when they are held back: the pile is given its classes that way.`,
    });
    if (rival === undefined) return neighbours;
  }
  return weighViews(context, weighing);
}

async function weighNeighbours(context: RecipeContext, pile: PileGraph, draw: number): Promise<Evidence> {
  const labelled = labelledImages(context, draw);
  const known = knownLabels(pile, { indices: labelledIndices(context, draw), classes: labelled.labels! });
  const splits = splitsOf(partsOf(known.classes)!);
  const classCount = classNamesOf(context).length;
  const found = await foundWhenHeldBack(pile.graph, known, classCount, splits, context);
  const of = splits.flatMap(({ held }) => held).length;
  return { stage: selfTrainName, teacher: 'neighbours', found, of };
}

/**
 * What views are worth: with half of the labels held back, the start is trained, then views go on from it, and both
 * are asked for the other half. What views win or lose there is added to what speaks for the start.
 */
async function weighViews(
  context: RecipeContext,
  { draw, start, backbone, evidence, pile }: Weighing,
): Promise<Evidence> {
  const labelled = labelledImages(context, draw);
  const indices = labelledIndices(context, draw);
  const classNames = classNamesOf(context);
  const [kept, held] = partsOf(labelled.labels!, 2) as [number[], number[]];
  const images = kept.map((at) => ({ index: indices[at]!, label: classNames[labelled.labels![at]!]! }));
  const title = 'views with half of the labels held back';
  const half: RecipeContext = {
    ...context,
    settings: { ...context.settings, draws: 1, labels: { data: null, images } },
    data: { ...context.data, test: undefined },
    store: new ForgetfulStore(),
    emit: (event) => {
      if (event.type !== 'step') return;
      const { step, totalSteps, etaMs } = event;
      context.emit({ type: 'pass', title, done: step, total: totalSteps, etaMs });
    },
  };
  const set = labelledSet(title, labelled, Uint32Array.from(held));
  const before = await learnLabels(half, {
    labelled: labelledImages(half, 0),
    // A start from random weights has none.
    backbone: start === finetuneName ? backbone : undefined,
    draw: 0,
    stage: start,
  });
  const after = await selfTrain(half, before, { draw: 0, teacher: 'views', pile });
  const found = async ({ network, weights }: typeof before) =>
    (await evaluate(network, weights, set, half)).metrics.accuracy;
  const gain = (await found(after)) - (await found(before));
  // As many as the start was asked for, so that both can be compared.
  const { found: base, of } = evidence.find(({ stage }) => stage === start) ?? { found: 0, of: held.length };
  return {
    stage: selfTrainName,
    teacher: 'views',
    found: Math.min(of, Math.max(0, base + gain * of)),
    of,
  };
}
