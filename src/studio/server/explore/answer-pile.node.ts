import {
  type Abstention,
  type DataSource,
  type EncoderOptions,
  hashImages,
  type ImageSource,
  loadClassifier,
  looksUnlike,
  openEncoder,
  Random,
  type Runtime,
  readDoubts,
  readHeldBackAnswers,
  readLabelRecord,
  selectImages,
} from '../../../index.js';
import { encoderStages, exportRunEncoder } from '../../../node.js';
import type { RunStore } from '../../../store/checkpoint.js';
import { resultSchema } from '../../../store/run-record.js';
import { writeAnswers } from './answer-files.node.js';
import type { RunAnswers } from './run-answers.js';

export interface AnswerOptions {
  readonly store: RunStore;
  readonly runId: string;
  readonly data: Pick<DataSource, 'train'>;
  readonly runtime: Runtime;
  /** Of the answers, absolute. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** 0–1 */
  readonly onProgress?: (progress: number) => void;
}

/** Images that are described: those of a map, and labelled ones, which others are compared with. */
const mostDescribed = { labelled: 20_000, others: 4000 };

/** Share of the time that classifying takes; describing takes the rest. */
const classifyingShare = 0.8;

/**
 * Ask a run's classifier about every image of its pile, and keep what it says.
 * @throws QuarterturnError `interrupted` if the signal is aborted: then nothing is changed
 */
export async function answerPile(options: AnswerOptions): Promise<void> {
  const { store, runId, data, runtime, folder, signal, onProgress = () => {} } = options;
  const model = await store.readModel('classifier');
  if (model === undefined) return;
  const { images } = data.train;
  const indices = Array.from({ length: images.count }, (_, index) => index);
  const all = await hashImages(images, indices);
  // An array may hold an image twice.
  const rows = firstOfEach(all);
  const hashes = rows.map((row) => all[row] ?? '');
  const classifier = await loadClassifier(`${store.name}, classifier.onnx`, model, { runtime });
  const { classNames } = classifier;
  let probabilities: Float32Array;
  let unsure: RunAnswers['unsure'];
  try {
    probabilities = await classifier.classify(selectImages(images, Uint32Array.from(rows)), {
      signal,
      emit: ({ done, total }) => onProgress((classifyingShare * done) / total),
    });
    const { abstention } = classifier;
    if (abstention) {
      const unlike = await unlikeIn(abstention, { images, rows, signal });
      unsure = { below: abstention.threshold, unlike: unlike.map((at) => hashes[at] ?? '') };
    }
  } finally {
    await classifier.release();
  }
  const heldBack = await readHeldBackAnswers(store);
  const labels = await readLabelRecord(store);
  const learned = new Set(labels?.draws[0]?.images.map(({ image }) => image));
  const described = await describe(options, { rows, hashes, learned });
  const doubts = await readDoubts(store);
  const answers: RunAnswers = {
    ...{ schema: 'quarterturn-answers', version: 1, run: runId, classNames, images: hashes, probabilities },
    heldBack: heldBack?.images.map(({ image }) => image) ?? [],
    heldBackProbabilities: heldBack?.probabilities ?? new Float32Array(),
    doubted:
      doubts?.doubted.map(({ image, label, suggested, wrong }) => ({ image, label, suggested, wrong })) ??
      null,
    features: described?.features ?? null,
    ...(unsure && { unsure }),
  };
  await writeAnswers(folder, { answers, features: described });
}

/** Images that are read at once. */
const readAtOnce = 256;

/** Places in `rows` of images that are unlike all that had a label. */
async function unlikeIn(
  abstention: Abstention,
  {
    images,
    rows,
    signal,
  }: {
    readonly images: ImageSource;
    readonly rows: readonly number[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<number[]> {
  const found: number[] = [];
  const sizeBytes = images.height * images.width * images.channels;
  for (let from = 0; from < rows.length; from += readAtOnce) {
    signal?.throwIfAborted();
    const some = rows.slice(from, from + readAtOnce);
    const { data } = await images.read(some);
    for (const at of some.keys()) {
      const pixels = data.subarray(at * sizeBytes, (at + 1) * sizeBytes);
      if (looksUnlike(abstention, { pixels, size: images })) found.push(from + at);
    }
  }
  return found;
}

function firstOfEach(hashes: readonly string[]): number[] {
  const seen = new Set<string>();
  return hashes.flatMap((hash, row) => {
    if (seen.has(hash)) return [];
    seen.add(hash);
    return [row];
  });
}

interface PileRows {
  /** Of the data. */
  readonly rows: readonly number[];
  readonly hashes: readonly string[];
  readonly learned: ReadonlySet<string>;
}

/** By the network that the classifier is, or is mostly; undefined where that is none of the run's own. */
async function describe(
  { store, data, runtime, signal, onProgress = () => {} }: AnswerOptions,
  { rows, hashes, learned }: PileRows,
) {
  const encoder = await encoderOf(store);
  if (encoder === undefined) return undefined;
  const at = hashes.map((_, i) => i);
  const labelled = at.filter((i) => learned.has(hashes[i] ?? '')).slice(0, mostDescribed.labelled);
  const others = at.filter((i) => !learned.has(hashes[i] ?? ''));
  const drawn = Random.seeded(0).split('map').permutation(others.length).slice(0, mostDescribed.others);
  const chosen = [...labelled, ...Array.from(drawn, (i) => others[i] ?? 0)].sort((a, b) => a - b);
  const opened = await openEncoder('encoder.onnx', encoder, { runtime });
  try {
    const images = selectImages(
      data.train.images,
      Uint32Array.from(chosen, (i) => rows[i] ?? 0),
    );
    const { data: values } = await opened.describe(images, {
      signal,
      emit: ({ done, total }) =>
        onProgress(classifyingShare + ((1 - classifyingShare) * done) / Math.max(1, total)),
    });
    const { dimensions, options } = opened;
    return {
      values,
      encoder,
      features: { rows: chosen, dimensions, options: { ...(options satisfies EncoderOptions) } },
    };
  } finally {
    await opened.release();
  }
}

/** A mixture's members are two: the fine-tuned one, which is there in any case, has learned from labels alone. */
async function encoderOf(store: RunStore): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const result = resultSchema.safeParse(await store.readJson('result')).data;
  const stage = encoderStages.find((name) => name === result?.final?.stage) ?? 'finetune';
  // A run with a frozen network alone has none of its own.
  return exportRunEncoder(store, { stage }).catch(() => undefined);
}
