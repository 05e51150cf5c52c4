import { countOf } from '../counts.js';
import { type ImageSource, readRange } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import type { Graph } from '../graph/index.js';
import type { Network } from '../nn/network.js';
import { inChunks, startProgress } from '../progress.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Metrics } from '../store/run-record.js';
import { at } from '../tensor/elements.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { type Tensor, type Tensors, tensorNamed } from '../tensor/tensor.js';
import type { EventListener } from './events.js';
import { buildClassifier, buildFeatures } from './forward.js';
import { frozenLogits, isFrozenNetwork } from './frozen-network.js';

/** Images a forward pass takes at once: large enough to keep the kernels busy, small enough for the cache. */
export const evaluationBatchSize = 128;

/** What a pass over images needs; a {@link TrainContext} is one. */
export interface PassContext {
  readonly runtime: Runtime;
  readonly emit?: EventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images that a pass goes through, and what it is called: a batch of them is read at a time. */
export interface ImageSet {
  readonly title: string;
  readonly images: ImageSource;
}

/** What is evaluated: images and their classes. */
export interface EvaluationSet extends ImageSet {
  /** Class of each image. */
  readonly targets: Int32Array;
}

export interface Evaluation {
  readonly metrics: Metrics;
  /** Predicted and true class number of each item. */
  readonly predictions: Int32Array;
  readonly targets: Int32Array;
  /** Probability of the predicted class, 0–1. */
  readonly confidences: Float32Array;
}

/**
 * Accuracy and mean cross-entropy (nats) of a classifier with its stored statistics, over every item of a set.
 * Losses are summed in float64 from the logits.
 * @throws QuarterturnError `diverged` for weights that give an item no number: it has no class then, not class −1
 */
export async function evaluate(
  network: Network,
  weights: Tensors,
  set: EvaluationSet,
  context: PassContext,
): Promise<Evaluation> {
  const { targets } = set;
  const { count } = set.images;
  const predictions = new Int32Array(count);
  const confidences = new Float32Array(count);
  const k = network.classes;
  let loss = 0;
  let correct = 0;
  await logitsInBatches(network, weights, set, context, (rows, from, some) => {
    for (let i = 0; i < some; i++) {
      const row = rows.subarray(i * k, (i + 1) * k);
      const target = targets[from + i]!;
      const total = logSumExp(row);
      const itemLoss = total - row[target]!;
      if (!Number.isFinite(itemLoss)) throw noNumber(set.title, from + i, itemLoss);
      const best = indexOfLargest(row);
      loss += itemLoss;
      correct += best === target ? 1 : 0;
      predictions[from + i] = best;
      confidences[from + i] = Math.exp(row[best]! - total);
    }
  });
  const metrics = { accuracy: correct / count, loss: loss / count };
  context.emit?.({ type: 'evaluated', title: set.title, metrics });
  return { metrics, predictions, targets, confidences };
}

/** Calls `visit` with the logits of each batch of a set, the first item of the batch, and how many there are. */
async function logitsInBatches(
  network: Network,
  weights: Tensors,
  set: ImageSet,
  context: PassContext,
  visit: (rows: Float32Array, from: number, count: number) => void,
): Promise<void> {
  if (isFrozenNetwork(network)) {
    visit(await frozenLogits(network, weights, set.images, context), 0, set.images.count);
    return;
  }
  const program = await context.runtime.compile(
    buildClassifier(network, weights, { batchSize: evaluationBatchSize }),
  );
  try {
    await inBatches(set, context, async (images, from) => {
      const outputs = await program.run({ images: padded(images) });
      visit(tensorNamed(outputs, 'logits').data as Float32Array, from, at(images.shape, 0));
    });
  } finally {
    await program.release();
  }
}

function noNumber(title: string, item: number, loss: number): QuarterturnError {
  return new QuarterturnError(
    'diverged',
    `${title}: expected a finite loss of every item. Received: ${loss} at ${item}.`,
    { hint: 'The weights have left the numbers: train with a lower learning rate.' },
  );
}

/** Class probabilities of every image with stored statistics: float32 [count, K]. */
export async function computeProbabilities(
  network: Network,
  weights: Tensors,
  set: ImageSet,
  context: PassContext,
): Promise<Float32Array> {
  if (isFrozenNetwork(network)) {
    const { classes } = network;
    const rows = await frozenLogits(network, weights, set.images, context);
    return rows.map((logit, i) => {
      const from = i - (i % classes);
      return Math.exp(logit - logSumExp(rows.subarray(from, from + classes)));
    });
  }
  const graph = buildClassifier(network, weights, {
    batchSize: evaluationBatchSize,
    output: 'probabilities',
  });
  return outputOf(graph, 'probabilities', network.classes, set, context);
}

/** Logits of every image with stored statistics: float32 [count, K]. */
export async function computeLogits(
  network: Network,
  weights: Tensors,
  set: ImageSet,
  context: PassContext,
): Promise<Float32Array> {
  if (isFrozenNetwork(network)) return frozenLogits(network, weights, set.images, context);
  const graph = buildClassifier(network, weights, { batchSize: evaluationBatchSize });
  return outputOf(graph, 'logits', network.classes, set, context);
}

/** Output of the first `blocks` blocks for every item: float32 [count, C', H', W']. */
export async function computeFeatures(
  network: Network,
  weights: Tensors,
  blocks: number,
  set: ImageSet,
  context: PassContext,
): Promise<Tensor<'float32'>> {
  const shape = at(network.blocks, blocks - 1).outputShape;
  const size = shape.reduce((a, b) => a * b, 1);
  const graph = buildFeatures(network, weights, { blocks, batchSize: evaluationBatchSize });
  const data = await outputOf(graph, 'features', size, set, context);
  return { dtype: 'float32', shape: [set.images.count, ...shape], data };
}

/** One output of a graph of images, `size` numbers for each image of a set. */
async function outputOf(
  graph: Graph,
  name: string,
  size: number,
  set: ImageSet,
  context: PassContext,
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(set.images.count * size);
  const program = await context.runtime.compile(graph);
  try {
    await inBatches(set, context, async (images, from) => {
      const out = await program.run({ images: padded(images) });
      const rows = tensorNamed(out, name).data as Float32Array;
      values.set(rows.subarray(0, at(images.shape, 0) * size), from * size);
    });
  } finally {
    await program.release();
  }
  return values;
}

/** Go through all images of a set, a batch at a time; `from` is the first of the batch. */
async function inBatches(
  { images, title }: ImageSet,
  context: PassContext,
  run: (batch: Tensor<'uint8'>, from: number) => Promise<void>,
): Promise<void> {
  const { count } = images;
  const progress = startProgress(context, title, count);
  await inChunks(
    count,
    evaluationBatchSize,
    async (from, to) => run(await readRange(images, from, to), from),
    (done) => progress(done, `${done} of ${countOf(count, 'image')}`),
  );
}

/** Fill up the last, short batch with black images: programs have a fixed batch size. */
function padded(images: Tensor<'uint8'>): Tensor<'uint8'> {
  const [count, ...rest] = images.shape;
  if (count === evaluationBatchSize) return images;
  const data = new Uint8Array(evaluationBatchSize * rest.reduce((a, b) => a * b, 1));
  data.set(images.data);
  return { dtype: 'uint8', shape: [evaluationBatchSize, ...rest], data };
}

/** ln Σ eˣ without overflow. */
function logSumExp(row: Float32Array): number {
  const max = Math.max(...row);
  let sum = 0;
  for (const x of row) sum += Math.exp(x - max);
  return max + Math.log(sum);
}
