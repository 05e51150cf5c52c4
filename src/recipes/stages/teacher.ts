import { heldBackSplits } from '../../labels/held-back.js';
import { recoverHeldBack } from '../../similarity/propagate.js';
import type { Evidence, Teacher } from '../../store/run-record.js';
import type { RecipeContext } from '../context.js';
import { classNamesOf, labelledImages, labelledIndices } from '../labels.js';
import { knownLabels, type PileGraph } from '../pile-graph.js';

interface ChooseTeacherOptions {
  readonly draw: number;
  /** Evidence for the classifiers that learned from the labels alone. */
  readonly evidence: readonly Evidence[];
  pileGraph(): Promise<PileGraph>;
}

/**
 * Chooses the teacher by a first look that costs little: held-back labels spread over the neighbours, and are compared with
 * the classes found. Neighbours teach if the settings name them, unless a classifier that learned from the labels alone
 * recovers clearly more; then views teach.
 */
export async function chooseTeacher(
  context: RecipeContext,
  { draw, evidence, pileGraph }: ChooseTeacherOptions,
): Promise<Teacher> {
  const { teacher } = context.settings.selfTrain!;
  if (teacher === 'views') return teacher;
  if (heldBackSplits(labelledImages(context, draw).labels ?? []).length === 0) return teacher;
  const neighbours = await recoveredByNeighbours(context, await pileGraph(), draw);
  const rival = evidence.find((other) => isClearlyWorse(neighbours, other));
  context.emit?.({
    type: 'teacher-chosen',
    draw,
    teacher: rival ? 'views' : 'neighbours',
    ...neighbours,
    rival: rival ? { stage: rival.stage, found: rival.found, of: rival.of } : null,
  });
  return rival ? 'views' : 'neighbours';
}

type Counts = Pick<Evidence, 'found' | 'of'>;

async function recoveredByNeighbours(context: RecipeContext, pile: PileGraph, draw: number): Promise<Counts> {
  const labelled = labelledImages(context, draw);
  const known = knownLabels(pile, { indices: labelledIndices(context, draw), classes: labelled.labels! });
  const splits = heldBackSplits(known.classes);
  const classCount = classNamesOf(context).length;
  const found = await recoverHeldBack(pile.graph, known, classCount, splits, context);
  return { found: found.filter(Boolean).length, of: found.length };
}

/** Whether `a` recovered fewer labels than `b`, by more than the standard error of their difference. */
export function isClearlyWorse(a: Counts, b: Counts): boolean {
  const [p, q] = [a.found / a.of, b.found / b.of];
  return q - p > Math.sqrt((p * (1 - p)) / a.of + (q * (1 - q)) / b.of);
}
