import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallSettings } from '../../test/support/mnist-subset.js';
import { byNight } from '../../test/support/nightly.js';
import { openPackedImages, type PackedImages, packImages } from '../../test/support/packed-images.js';
import { type DataSource, type ImageDataset, subsetOf } from '../data/dataset.js';
import { readMnist } from '../data/mnist.node.js';
import { loadClassifier } from '../model/load-classifier.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RunResult } from '../store/run-record.js';
import { checkpointName } from '../train/loop.js';
import type { RecipeContext } from './context.js';
import { settingsFor } from './presets.js';
import { classifierName, evaluateRun, run } from './run.js';
import type { RunSettings } from './settings.js';
import { stagesOf } from './stages/registry.js';
import { suggest } from './suggest.js';

const counts = { train: 1000, test: 200 };

/** More than any part of a run asks for at once, and far from all. */
const maxAtOnce = 350;

const quick = settingsFor('quick');
const settings: RunSettings = {
  ...quick,
  network: { ...quick.network, ...smallSettings.network },
  pretrain: { ...quick.pretrain, ...smallSettings.pretrain },
  finetune: { ...quick.finetune, ...smallSettings.finetune },
  selfTrain: { ...quick.selfTrain!, ...smallSettings.selfTrain, correctEvery: 1 },
  baseline: { ...quick.baseline, ...smallSettings.baseline },
};

let folder: string;
let runtime: Runtime;
let held: DataSource;
let packed: { readonly train: PackedImages; readonly test: PackedImages };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterturn-packed-'));
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const mnist = await readMnist();
  const firstOf = (dataset: ImageDataset, count: number) =>
    subsetOf(
      dataset,
      Uint32Array.from({ length: count }, (_, i) => i),
    );
  held = {
    ...mnist,
    train: firstOf(mnist.train, counts.train),
    test: firstOf(mnist.test!, counts.test),
  };
  const pack = async (part: 'train' | 'test') => {
    const { images } = held[part]!;
    await packImages(join(folder, part), images, images.count);
    return openPackedImages(join(folder, part), images);
  };
  packed = { train: await pack('train'), test: await pack('test') };
});
afterAll(async () => {
  for (const part of Object.values(packed)) await part[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Everything that a run leaves but for what time and memory it took. */
async function leftBy(store: MemoryStore) {
  const result = (await store.readJson('result')) as RunResult;
  const { durationMs: _d, trainImagesPerSecond: _i, peakMemoryBytes: _p, ladder, ...figures } = result;
  const checkpoints = new Map<string, unknown>();
  for (const name of stagesOf(settings)) {
    checkpoints.set(name, (await store.loadCheckpoint(checkpointName(name, 0)))?.tensors);
  }
  return {
    figures,
    ladder: ladder.map(({ durationMs: _, ...step }) => step),
    checkpoints,
    classifier: await store.readModel(classifierName),
    exhibits: await store.readJson('exhibits'),
  };
}

/** A whole run, evaluated again; what its classifier says of the test images; what it suggests to label. */
async function everything(data: DataSource) {
  const store = new MemoryStore('run');
  const context: RecipeContext = { settings, data, runtime, store, emit: () => {} };
  await run(context);
  const left = await leftBy(store);
  const classifier = await loadClassifier('classifier', left.classifier!, { runtime });
  const probabilities = await classifier.classify(data.test!.images);
  await classifier.release();
  return {
    ...left,
    again: await evaluateRun(context),
    probabilities,
    suggested: await suggest(context, { count: 5, strategy: 'uncertain' }),
  };
}

test.runIf(byNight)(
  'images that lie in a file, read a few at a time, give the very run that images in memory give',
  async () => {
    const fromMemory = await everything(held);
    const { train, test } = packed;
    const fromFile = await everything({
      ...held,
      train: { ...held.train, images: train },
      test: { ...held.test!, images: test },
    });
    expect([...fromMemory.checkpoints.values()].every((tensors) => tensors !== undefined)).toBe(true);
    expect(fromFile).toEqual(fromMemory);

    expect(train.total).toBeGreaterThan(10 * counts.train);
    expect(train.maxAtOnce).toBeLessThan(maxAtOnce);
    expect(test.maxAtOnce).toBeLessThanOrEqual(128);
  },
);
