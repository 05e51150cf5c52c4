import { beforeAll, describe, expect, it } from 'vitest';
import { tinyPictures, tinySettings } from '../../test/support/tiny-run.js';
import type { DataSource } from '../data/dataset.js';
import { exportClassifier } from '../model/export-model.js';
import { loadClassifier } from '../model/load-classifier.js';
import { backboneNames } from '../nn/network.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RecipeContext } from './context.js';
import { run } from './run.js';
import { parseSettings } from './settings.js';
import { fineTune } from './stages/finetune.js';

const data: DataSource = {
  train: tinyPictures('train', 200),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: {},
};

describe.each(backboneNames)('the backbone %s', (backbone) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });
  const settings = parseSettings({
    ...tinySettings,
    draws: 1,
    network: { ...tinySettings.network, backbone },
    finetune: { ...tinySettings.finetune, epochs: 20 },
  });
  const contextWith = (over: Partial<RecipeContext> = {}): RecipeContext => ({
    settings,
    data,
    runtime,
    store: new MemoryStore(),
    emit: () => {},
    ...over,
  });

  it('learns pictures from a few labels, and its file says of them what it learned', async () => {
    const { network, weights, test } = await fineTune(contextWith(), { draw: 0, stage: 'scratch' });
    expect(test!.metrics.accuracy).toBeGreaterThan(0.9);
    const classNames = data.train.classNames;
    const bytes = exportClassifier({ network, weights, classNames });
    const classifier = await loadClassifier('classifier.onnx', bytes, { runtime });
    const rows = await classifier.classify(data.test!.images);
    await classifier.release();
    const right = data.test!.labels!.filter((label, n) => rows[2 * n + label]! > 0.5);
    expect(right.length / data.test!.images.count).toBe(test!.metrics.accuracy);
  });

  it.each([1, 2, 3])(
    'trains only what lies behind %i frozen blocks, on features computed once',
    async (frozenBlocks) => {
      const store = new MemoryStore();
      const frozen = { ...settings.finetune, frozenBlocks, augmentation: null, epochs: 1 };
      const pretrain = { ...settings.pretrain, epochs: 1, stepsPerEpoch: 1 };
      const context = contextWith({ store, settings: { ...settings, pretrain, finetune: frozen } });
      await run(context, { stages: ['pretrain', 'finetune'] });
      const tuned = Object.keys((await store.loadCheckpoint('finetune'))!.tensors);
      const trained = [1, 2, 3].filter((block) => tuned.some((name) => name.startsWith(`block${block}.`)));
      expect(trained).toEqual([1, 2, 3].slice(frozenBlocks));
    },
  );

  it('goes on where it was stopped and ends in the same weights, bit for bit', async () => {
    const [whole, stopped] = [new MemoryStore('whole'), new MemoryStore('stopped')];
    const stages = ['pretrain', 'finetune'] as const;
    await run(contextWith({ store: whole }), { stages });
    // Pretraining has 60 steps, fine-tuning 40.
    for (const stopAfter of [25, 50]) {
      const abort = new AbortController();
      let steps = 0;
      const emit = (event: { readonly type: string }) => {
        if (event.type === 'step' && ++steps === stopAfter) abort.abort();
      };
      const interrupted = run(contextWith({ store: stopped, emit, signal: abort.signal }), { stages });
      await expect(interrupted).rejects.toMatchObject({ code: 'interrupted' });
    }
    await run(contextWith({ store: stopped }), { stages });
    for (const stage of stages) {
      const [a, b] = [await whole.loadCheckpoint(stage), await stopped.loadCheckpoint(stage)];
      expect(b!.tensors, stage).toEqual(a!.tensors);
    }
  });
});
