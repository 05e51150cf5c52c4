import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { float32, tensor } from '../tensor/tensor.js';
import { type Checkpoint, MemoryStore, type RunStore } from './checkpoint.js';
import { RunFolder } from './run-folder.node.js';
import type { EpochRecord } from './run-record.js';

const cleanups: (() => Promise<void>)[] = [];
const stores: Record<string, () => Promise<RunStore>> = {
  MemoryStore: async () => new MemoryStore(),
  RunFolder: async () => {
    const parent = await mkdtemp(join(tmpdir(), 'quarterturn-'));
    const folder = await RunFolder.create(join(parent, 'runs', 'first'));
    cleanups.push(async () => {
      await folder.close();
      await rm(parent, { recursive: true });
    });
    return folder;
  },
};

const checkpoint = (step: number): Checkpoint => ({
  tensors: {
    'block1.conv1.weight': float32([2, 2], [step, -0, Number.NaN, 1 / 3]),
    'adam.step': tensor('int64', [], BigInt64Array.of(BigInt(step))),
  },
  state: { step, stage: 'pretrain', random: [1, 2, 3], note: 'é "quoted"', none: null },
});

const epoch = (number: number, stage: EpochRecord['stage'] = 'pretrain'): EpochRecord => ({
  stage,
  draw: 0,
  epoch: number,
  step: number * 100,
  train: { accuracy: 0.1 + 0.2, loss: 1e-12 },
  learningRate: 0.1,
  durationMs: 12.5,
  imagesPerSecond: 1000,
});

describe.each(Object.entries(stores))('%s', (_, create) => {
  let store: RunStore;
  beforeEach(async () => {
    store = await create();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  test('a checkpoint comes back bit for bit, with its state', async () => {
    const path = await store.saveCheckpoint('latest', checkpoint(7));
    expect(path).toContain('latest');
    expect(path).toContain(store.name);
    expect(await store.loadCheckpoint('latest')).toEqual(checkpoint(7));
  });

  test('the state of a checkpoint is read without its tensors, however many there are', async () => {
    expect(await store.loadState('latest')).toBeUndefined();
    await store.saveCheckpoint('latest', checkpoint(7));
    expect(await store.loadState('latest')).toEqual(checkpoint(7).state);
    const names = Array.from({ length: 1000 }, (_, i) => [`block${i}.conv1.weight`, float32([1], [i])]);
    await store.saveCheckpoint('many', { tensors: Object.fromEntries(names), state: { step: 9 } });
    expect(await store.loadState('many')).toEqual({ step: 9 });
  });

  test('the newest checkpoint of a name replaces the one before; others stay', async () => {
    await store.saveCheckpoint('best', checkpoint(1));
    for (const step of [1, 2, 3]) await store.saveCheckpoint('latest', checkpoint(step));
    expect((await store.loadCheckpoint('latest'))?.state.step).toBe(3);
    expect((await store.loadCheckpoint('best'))?.state.step).toBe(1);
  });

  test('what is stored is not shared with the caller', async () => {
    const saved = checkpoint(7);
    await store.saveCheckpoint('latest', saved);
    saved.tensors['block1.conv1.weight']!.data[0] = 99;
    for (let reading = 0; reading < 2; reading++) {
      const { tensors } = (await store.loadCheckpoint('latest'))!;
      expect(tensors['block1.conv1.weight']!.data[0]).toBe(7);
      tensors['block1.conv1.weight']!.data[0] = 98;
    }

    const model = Uint8Array.of(1, 2, 3);
    await store.writeModel('classifier', model);
    model[0] = 9;
    expect(await store.readModel('classifier')).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('what was never stored is undefined, and no epochs are an empty list', async () => {
    expect(await store.loadCheckpoint('latest')).toBeUndefined();
    expect(await store.readModel('classifier')).toBeUndefined();
    expect(await store.readJson('config')).toBeUndefined();
    expect(await store.readEpochs()).toEqual([]);
    await store.rewindEpochs(() => false);
    expect(await store.readEpochs()).toEqual([]);
  });

  test('a state that JSON would change is refused, and the checkpoint before it stays', async () => {
    await store.saveCheckpoint('latest', checkpoint(1));
    const bad = { ...checkpoint(2), state: { best: { loss: Number.POSITIVE_INFINITY } } };
    await expect(store.saveCheckpoint('latest', bad)).rejects.toThrow(
      "checkpoint 'latest', state, 'loss': expected a JSON value. Received: Infinity.",
    );
    expect((await store.loadCheckpoint('latest'))?.state.step).toBe(1);
  });

  test('epochs keep their order and their numbers', async () => {
    const epochs = [epoch(1), { ...epoch(2), val: { accuracy: 0.5, loss: 0.7 } }, epoch(1, 'finetune')];
    for (const record of epochs) await store.appendEpoch(record);
    expect(await store.readEpochs()).toEqual(epochs);
  });

  test('rewinding drops exactly the epochs that are not kept, and appending goes on', async () => {
    for (const record of [epoch(1), epoch(2), epoch(3), epoch(1, 'baseline')])
      await store.appendEpoch(record);
    await store.rewindEpochs(({ stage, step }) => stage !== 'pretrain' || step <= 200);
    expect(await store.readEpochs()).toEqual([epoch(1), epoch(2), epoch(1, 'baseline')]);
    await store.appendEpoch(epoch(3));
    expect((await store.readEpochs()).map((record) => record.epoch)).toEqual([1, 2, 1, 3]);
  });

  test('documents come back, and each replaces only its own', async () => {
    await store.writeJson('config', { preset: 'quick' });
    await store.writeJson('config', { preset: 'notebook', list: [1, 2] });
    await store.writeJson('result', null);
    expect(await store.readJson('config')).toEqual({ preset: 'notebook', list: [1, 2] });
    expect(await store.readJson('result')).toBeNull();
    expect(await store.readJson('exhibits')).toBeUndefined();
  });

  test.each(['../latest', 'a/b', '', '.hidden', 'a\\b', 'a b'])('the name %j is refused', async (name) => {
    for (const attempt of [
      store.saveCheckpoint(name, checkpoint(1)),
      store.loadCheckpoint(name),
      store.loadState(name),
      store.writeModel(name, new Uint8Array(1)),
      store.readModel(name),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'usage' });
    }
  });
});
