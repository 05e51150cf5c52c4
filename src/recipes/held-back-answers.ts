import { probabilitiesAt } from '../model/temperature.js';
import type { RunStore } from '../store/checkpoint.js';
import { pooledAnswers } from '../store/fold-answers.js';
import { type LabelRecord, readLabelRecord } from '../store/label-record.js';
import { resultSchema } from '../store/run-record.js';
import { StageEvidence } from '../store/stage-evidence.js';

/** What networks that learned without a label say of its image. */
export interface HeldBackAnswers {
  /** Name of the stage whose way of learning it was: that of the classifier that was kept. */
  readonly stage: string;
  readonly classNames: readonly string[];
  /** The images that were held back, with the labels that they have in the run. */
  readonly images: LabelRecord['draws'][number]['images'];
  /** float32 [images, K], calibrated as the classifier's are. */
  readonly probabilities: Float32Array;
}

/**
 * What a run's classifier would have said of the images that it learned from, had it not: the answers that networks gave for labels
 * which were held back from them. No data is read, nothing is trained.
 *
 * @returns undefined of a run without a classifier, and where no label could be held back
 * @throws QuarterturnError `checkpoint` if a document of the store is not one that a run wrote
 * @example
 * const answers = await readHeldBackAnswers(await RunFolder.open('runs/five', { readOnly: true }));
 * for (const { file, label } of answers?.images ?? []) console.log(file, label);
 */
export async function readHeldBackAnswers(store: RunStore): Promise<HeldBackAnswers | undefined> {
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const record = await readLabelRecord(store);
  if (!result?.final || record === undefined) return undefined;
  const { stage } = result.final;
  const evidence = await StageEvidence.open(store, { readOnly: true });
  const { logits, positions } = pooledAnswers(evidence.answersOf({ stage, draw: 0 }));
  const { classNames, draws } = record;
  const labelled = draws.find(({ draw }) => draw === 0)?.images ?? [];
  const images = positions.flatMap((position) => labelled[position] ?? []);
  if (images.length === 0 || logits.length !== images.length * classNames.length) return undefined;
  const probabilities = probabilitiesAt(logits, classNames.length, result.calibration?.temperature ?? 1);
  return { stage, classNames, images, probabilities };
}
