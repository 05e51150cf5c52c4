import { z } from 'zod';
import { mistakeShares, smoothedConfusions } from '../labels/class-mistakes.js';
import { Random } from '../random/random.js';
import { estimateClassShares } from '../similarity/class-shares.js';
import type { RunStore } from '../store/checkpoint.js';
import { pooledAnswers } from '../store/fold-answers.js';
import type { LabelNeeds } from '../store/label-needs.js';
import { type LabelRecord, readLabelRecord } from '../store/label-record.js';
import { StageEvidence } from '../store/stage-evidence.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';

/** How many classes are spoken of: a person labels images of a few. With four classes or less, the first is enough. */
const firstOf = (classCount: number): number => (classCount > 4 ? 3 : 1);

/** Times that the held-back labels are drawn anew: 500 tell how sure the order is to within 2 points. */
const resamples = 500;

/** Numbers that all of it is made of, at most: a second's work. Of a thousand classes the labels are drawn anew 50 times. */
const mostNumbers = 5e7;

/** Answers for the pile that shares are estimated from, at most: 2,000 tell them to a point. */
const mostAnswers = 2000;

/** A class is named if it is more likely among the first than not. */
const sureEnough = 0.5;

/**
 * Finds out which classes more labels would help most, from the held-back labels of one stage: how often each class was found and
 * what was taken for it (`mistakeShares`), weighed by its share of the pile. That share is estimated from the answers for a sample of the
 * pile, corrected for the mistakes that held-back labels show. How sure the order is tells how often it stays when
 * the held-back labels are drawn anew, with replacement.
 *
 * @param options.stage whose answers count; `draw` default: 0, whose classifier is kept
 * @returns undefined if nobody was asked: no class has two labels, or the run is of a version that kept no answers
 */
export async function labelNeedsIn(
  { classNames, draws }: LabelRecord,
  evidence: StageEvidence,
  { stage, draw = 0 }: { readonly stage: string; readonly draw?: number },
): Promise<LabelNeeds | undefined> {
  const classCount = classNames.length;
  const folds = evidence.answersOf({ stage, draw });
  const { logits, targets } = pooledAnswers(folds);
  if (targets.length === 0 || classCount < 2 || logits.length !== targets.length * classCount)
    return undefined;
  const cells = targets.map(
    (target, i) =>
      target * classCount + indexOfLargest(logits.subarray(i * classCount, (i + 1) * classCount)),
  );
  const confusions = countsOf(cells, classCount * classCount);
  const numbers = new Map(classNames.map((name, k) => [name, k]));
  const images = draws.find((each) => each.draw === draw)?.images ?? [];
  const labels = countsOf(
    images.map(({ label }) => numbers.get(label) ?? -1),
    classCount,
  );
  const answers = everyFew(
    folds.flatMap(({ sample }) => [...sample]),
    mostAnswers,
  );
  const shares = answers.length === 0 ? undefined : await sharesOf(answers, confusions, classCount);
  const known = { shares: shares ?? new Float64Array(classCount).fill(1 / classCount) };
  const mistakes = mistakeShares({ ...known, confusions });
  const first = firstOf(classCount);
  const times = Math.max(1, Math.min(resamples, Math.floor(mostNumbers / classCount ** 2)));
  const random = Random.seeded(0).split('label needs');
  const amongFirst = new Float64Array(classCount);
  for (let time = 0; time < times; time++) {
    const drawn = cells.map(() => cells[random.integer(cells.length)] ?? 0);
    const again = mistakeShares({ ...known, confusions: countsOf(drawn, classCount * classCount) });
    for (const k of inOrder(again).slice(0, first)) amongFirst[k] = (amongFirst[k] ?? 0) + 1 / times;
  }
  const order = inOrder(mistakes);
  const classes = order.map((k, rank) => {
    const at = (j: number, l: number) => confusions[j * classCount + l] ?? 0;
    const others = Array.from({ length: classCount }, (_, j) => j).filter((j) => j !== k);
    const found = at(k, k);
    const heldBack = found + others.reduce((sum, j) => sum + at(k, j), 0);
    const mistaken = others.reduce((sum, j) => sum + at(j, k), 0);
    const sure = Math.min(1, amongFirst[k] ?? 0);
    // Without a mistake, nothing says that a class needs any.
    const mayNeed = found < heldBack || mistaken > 0;
    return {
      className: classNames[k] ?? '',
      labels: labels[k] ?? 0,
      ...{ heldBack, found, mistaken },
      share: shares?.[k] ?? null,
      mistakes: mistakes[k] ?? 0,
      sure,
      standsOut: rank < first && mayNeed && sure >= sureEnough,
    };
  });
  const found = cells.filter((cell) => cell % (classCount + 1) === 0).length;
  return { stage, heldBack: cells.length, found, sample: answers.length, first, classes };
}

/** How often each number from 0 occurs. */
function countsOf(numbers: readonly number[], length: number): Float64Array {
  const counts = new Float64Array(length);
  for (const number of numbers) if (number >= 0) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}

/** Class numbers, the one with most mistakes first. */
function inOrder(mistakes: Float64Array): number[] {
  return Array.from(mistakes.keys()).sort((a, b) => (mistakes[b] ?? 0) - (mistakes[a] ?? 0) || a - b);
}

function everyFew<T>(items: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, i) => i % step === 0);
}

/** Shares of the classes of which these answers are likely, where classes are mistaken for each other as held-back labels were. */
function sharesOf(
  answers: readonly number[],
  confusions: Float64Array,
  classCount: number,
): Promise<Float64Array> {
  const rates = smoothedConfusions(confusions, classCount);
  const likelihoods = new Float32Array(answers.length * classCount);
  answers.forEach((said, i) => {
    for (let k = 0; k < classCount; k++) likelihoods[i * classCount + k] = rates[k * classCount + said] ?? 0;
  });
  return estimateClassShares(likelihoods, classCount);
}

const keptSchema = z.object({ final: z.object({ stage: z.string() }).nullable().optional() });

/**
 * Finds out which classes of a run more labels would help most, from what the run has kept: no data is read, nothing is trained.
 *
 * @returns undefined if nothing is known of it: the run has not finished, has no labels, or none could be held back
 * @throws QuarterturnError `checkpoint` if a document of the store is not one that a run wrote
 * @example
 * const needs = await readLabelNeeds(await RunFolder.open('runs/five', { readOnly: true }));
 * for (const { className, standsOut } of needs?.classes ?? []) if (standsOut) console.log(className);
 */
export async function readLabelNeeds(store: RunStore): Promise<LabelNeeds | undefined> {
  const stage = keptSchema.safeParse(await store.readJson('result')).data?.final?.stage;
  const record = await readLabelRecord(store);
  if (stage === undefined || record === undefined) return undefined;
  return labelNeedsIn(record, await StageEvidence.open(store, { readOnly: true }), { stage });
}
