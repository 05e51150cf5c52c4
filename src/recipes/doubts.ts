import { fitLabelNoise, type LabelVerdict } from '../labels/label-noise.js';
import { spreadWithoutOwn } from '../similarity/leave-out.js';
import type { RunStore } from '../store/checkpoint.js';
import { type FoldAnswers, pooledAnswers } from '../store/fold-answers.js';
import type { LabelDoubts } from '../store/label-doubts.js';
import { type LabelRecord, readLabelRecord } from '../store/label-record.js';
import { StageEvidence } from '../store/stage-evidence.js';
import type { RecipeContext } from './context.js';
import { classNamesOf, labelledImages, labelledIndices } from './labels.js';
import { knownLabels, type PileGraph } from './pile-graph.js';

/** Under which the neighbours' answers for labelled images are kept, beside those of the stages. */
export const neighboursName = 'neighbours';

/** Numbers that the neighbours' answers are kept in, at most: 5 MB of `evidence.json`. */
const keptNumbers = 2 ** 20;

/**
 * A label is doubted if it is wrong with at least this probability by each judge: to look at seven pictures takes seconds, and one wrong
 * label costs more. With 10 of 100 labels flipped on MNIST, this finds 9 or 10 of them in each of five draws, with 0 or 1 other; without
 * any wrong label, it doubts 0 to 3 of 100 on MNIST, Fashion-MNIST and CIFAR-10.
 */
const doubted = 0.15;

/**
 * What the neighbours say of the labelled images of a draw, each without its own label (see `spreadWithoutOwn`), as answers of a
 * single fold. Of more labels than there is room for, some that are evenly spread over all.
 * @throws QuarterturnError `interrupted` if the context's signal is aborted
 */
export async function answersOfNeighbours(
  context: RecipeContext,
  pile: PileGraph,
  draw: number,
): Promise<FoldAnswers | undefined> {
  const { labels: classes = new Int32Array() } = labelledImages(context, draw);
  const known = knownLabels(pile, { indices: labelledIndices(context, draw), classes });
  const classCount = classNamesOf(context).length;
  const logits = await spreadWithoutOwn(pile.graph, known, classCount, context);
  const rowOf = (position: number) => logits.subarray(position * classCount, (position + 1) * classCount);
  const every = Math.ceil(logits.length / keptNumbers);
  const positions = Array.from(classes.keys()).filter(
    (position) => position % every === 0 && rowOf(position).some((logit) => logit !== 0),
  );
  if (positions.length === 0) return undefined;
  const kept = new Float32Array(positions.length * classCount);
  positions.forEach((position, i) => {
    kept.set(rowOf(position), i * classCount);
  });
  const targets = positions.map((position) => classes[position] ?? 0);
  return { fold: 0, positions, targets, logits: kept, sample: new Int32Array() };
}

/** What one who did not know the labels thinks of them. */
interface Judge {
  readonly logLoss: number;
  /** By the position of the label in the draw. */
  readonly verdicts: ReadonlyMap<number, LabelVerdict>;
}

function judgeOf(answers: readonly FoldAnswers[]): Judge | undefined {
  const { logits, targets, positions } = pooledAnswers(answers);
  if (positions.length === 0) return undefined;
  const { labels, logLoss } = fitLabelNoise({ logits, given: targets });
  const verdicts = labels.map((verdict, i) => [positions[i] ?? -1, verdict] as const);
  return { logLoss, verdicts: new Map(verdicts) };
}

/**
 * Finds the labels that the rest of a run contradicts. There are two judges, and neither has seen the label that is judged:
 *
 *  - of the stages that answered for labels held back, the one whose answers explain the labels best;
 *  - the neighbours, where the run has a graph of the pile: all other labels, spread over it.
 *
 * Each fits how many labels are wrong (`fitLabelNoise`). Both have to doubt a label; that is told which the more cautious says.
 *
 * @param options.draw default: 0, whose classifier is kept
 * @returns undefined if nobody was asked: no class has two labels, or the run is of a version that kept no answers
 */
export function doubtsIn(
  { classNames, draws }: LabelRecord,
  evidence: StageEvidence,
  { draw = 0 }: { readonly draw?: number } = {},
): LabelDoubts | undefined {
  const images = draws.find((each) => each.draw === draw)?.images ?? [];
  const judgeNamed = (stage: string) => {
    const judge = judgeOf(evidence.answersOf({ stage, draw }));
    return judge ? [{ stage, ...judge }] : [];
  };
  const [stage] = evidence
    .answered(draw)
    .filter((name) => name !== neighboursName)
    .flatMap(judgeNamed)
    .sort((a, b) => a.logLoss - b.logLoss);
  const judges = [...(stage ? [stage] : []), ...judgeNamed(neighboursName)];
  const judged = images.flatMap((image, position) => {
    const verdicts = judges.flatMap(({ verdicts }) => verdicts.get(position) ?? []);
    const [cautious] = verdicts.sort((a, b) => a.wrong - b.wrong);
    return cautious ? [{ image, ...cautious }] : [];
  });
  if (judged.length === 0) return undefined;
  return {
    judges: judges.map(({ stage }) => stage),
    labels: images.length,
    checked: judged.length,
    expectedWrong: judged.reduce((sum, { wrong }) => sum + wrong, 0),
    doubted: judged
      .filter(({ wrong }) => wrong >= doubted)
      .sort((a, b) => b.wrong - a.wrong)
      .map(({ image: { image, index, file, label }, rival, probability, wrong }) => ({
        image,
        index,
        ...(file !== undefined && { file }),
        label,
        suggested: classNames[rival] ?? '',
        probability,
        wrong,
      })),
  };
}

/**
 * Finds the labels that the rest of a run contradicts, from what the run has kept: no data is read, nothing is trained.
 *
 * @returns undefined if the run has no labels, or nobody was asked about them (see {@link doubtsIn})
 * @throws QuarterturnError `checkpoint` if a document of the store is not one that a run wrote
 * @example
 * const found = await readDoubts(await RunFolder.open('runs/five', { readOnly: true }));
 * for (const { file, index, label, suggested } of found?.doubted ?? []) console.log(file ?? index, label, suggested);
 */
export async function readDoubts(store: RunStore): Promise<LabelDoubts | undefined> {
  const record = await readLabelRecord(store);
  return record && doubtsIn(record, await StageEvidence.open(store, { readOnly: true }));
}
