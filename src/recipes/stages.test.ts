import { expect, it } from 'vitest';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { createNodeRuntime } from '../runtime/node.js';
import { MemoryStore } from '../store/checkpoint.js';
import { presets } from './presets.js';
import { evaluateRun, run } from './run.js';
import { parseSettings, type RunSettings } from './settings.js';
import { stagesOf } from './stages/registry.js';

const { quick, notebook } = presets;
const fromRandom = (settings: RunSettings): RunSettings => ({
  ...settings,
  finetune: { ...settings.finetune, from: 'random' },
});

it('stagesOf leaves out what the settings have no use for', () => {
  expect(stagesOf(quick)).toEqual(['pretrain', 'finetune', 'scratch', 'selfTrain', 'mixture', 'baseline']);
  const tuned = { ...quick, selfTrain: { ...quick.selfTrain!, start: 'finetune' as const } };
  expect(stagesOf(tuned)).toEqual(['pretrain', 'finetune', 'selfTrain', 'mixture', 'baseline']);
  expect(stagesOf(notebook)).toEqual(['pretrain', 'finetune', 'baseline']);
  expect(stagesOf(fromRandom(quick))).toEqual(['finetune', 'scratch', 'selfTrain', 'mixture', 'baseline']);
});

it('settings of an earlier version start from the backbone, and self-training from what came of that', () => {
  const { from: _, ...finetune } = quick.finetune;
  const { start: __, ...selfTrain } = quick.selfTrain!;
  expect(parseSettings({ ...quick, finetune, selfTrain })).toEqual({
    ...quick,
    selfTrain: { ...selfTrain, start: 'finetune' },
  });
});

it('trains on the labels from random weights, with nothing pretrained', async () => {
  const images = (name: string, count: number): ImageDataset => ({
    images: imagesInMemory({
      name,
      pixels: Uint8Array.from(
        { length: count * 144 },
        (_, i) => (Math.floor(i / 144) % 2 ? 200 : 20) + (i % 7),
      ),
      ...{ height: 12, width: 12, channels: 1 },
    }),
    labels: Int32Array.from({ length: count }, (_, n) => n % 2),
    classNames: ['dark', 'bright'],
  });
  const data: DataSource = {
    train: images('train', 40),
    test: images('test', 20),
    origin: '',
    checksums: {},
  };
  const settings: RunSettings = {
    ...fromRandom(quick),
    network: { ...quick.network, width: 1 / 16 },
    labelsPerClass: 4,
    finetune: { ...fromRandom(quick).finetune, epochs: 3, batchSize: 8 },
    selfTrain: null,
    baseline: { ...quick.baseline, epochs: 1, batchSize: 8 },
  };
  const store = new MemoryStore();
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const context = { settings, data, runtime, store, emit: () => {} };
  const { pretext, fineTune, baseline, ladder } = await run(context);
  expect(pretext).toBeNull();
  expect(fineTune).not.toBeNull();
  expect(baseline).not.toBeNull();
  expect(ladder.at(-1)).toMatchObject({
    step: "the labels alone, fine-tuning's schedule",
    imagesTrained: 24,
  });
  expect(await store.loadCheckpoint('pretrain')).toBeUndefined();
  expect(await store.readJson('config')).toMatchObject({ stages: ['finetune', 'baseline'] });
  expect((await evaluateRun(context)).fineTune).toEqual(fineTune);
});
