import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { tiniestSettings, tinyPictures } from '../../test/support/tiny-run.js';
import type { DataSource } from '../data/dataset.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import type { RunEvent } from '../store/run-event.js';
import { RunFolder } from '../store/run-folder.node.js';
import { readStatus } from '../store/run-status.js';
import { watchRun } from '../store/watch-run.node.js';
import { resumeRun, startRun } from './start-run.js';

const settings = tiniestSettings;
const data: DataSource = {
  train: tinyPictures('train', 200),
  test: tinyPictures('test', 60),
  origin: 'made for this test',
  checksums: { 'train-images': '1', 'test-images': '2' },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
});

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const event of events) found.push(event);
  return found;
}

describe('startRun', () => {
  it('is used as its documentation says', async () => {
    const { signal } = new AbortController();
    const run = startRun({ settings, data, runtime, store: new MemoryStore('used'), signal });
    const types = new Set<string>();
    for await (const event of run.events) types.add(event.type);
    const { classifier, result, store } = await run.result;
    expect([...types]).toEqual(
      expect.arrayContaining(['run-start', 'stage-start', 'step', 'epoch-end', 'kept', 'run-end']),
    );
    expect(await store.readJson('result')).toEqual(result);
    expect(classifier?.stage).toBe(result.final?.stage);
    const loaded = await classifier?.load();
    const probabilities = await loaded?.classify(data.test!.images);
    await loaded?.release();
    expect(probabilities).toHaveLength(60 * 2);
  });

  it('leaves a status and a log that say how it ended, and is followed by another process from its folder', async () => {
    const path = join(await fs.mkdtemp(join(tmpdir(), 'quarterturn-run-')), 'run');
    const folder = await RunFolder.create(path);
    const watched = all(watchRun(path, { everyMs: 5 }));
    const run = startRun({ settings, data, runtime, store: folder, stages: ['pretrain', 'finetune'] });
    const events = await all(run.events);
    await run.result;
    await folder.close();
    const counted = ({ type }: RunEvent) => type !== 'step' && type !== 'pass';
    const plain = (await watched).map(({ at: _, ...event }) => event as RunEvent);
    const told = events.filter(counted);
    // Who consumes events in the process may come late for a checkpoint that a newer one replaced.
    const lasting = (list: readonly RunEvent[]) => list.filter(({ type }) => type !== 'checkpoint');
    expect(lasting(plain.filter(counted))).toEqual(lasting(told));
    expect(await readStatus(folder)).toMatchObject({
      ...{ state: 'finished', run: path, stages: ['pretrain', 'finetune'], stage: 'finetune' },
      ...{ step: 8, totalSteps: 8, pid: process.pid, reason: null },
    });
  });

  it('goes on where it was stopped, in the same log, with the reason of the signal as the cause', async () => {
    const path = join(await fs.mkdtemp(join(tmpdir(), 'quarterturn-run-')), 'run');
    const controller = new AbortController();
    const first = await RunFolder.create(path);
    const watched = all(watchRun(path, { everyMs: 5 }));
    const stages = ['finetune', 'baseline'];
    const options = {
      settings: { ...settings, finetune: { ...settings.finetune, from: 'random' as const } },
    };
    const stopped = startRun({ ...options, data, runtime, store: first, stages, signal: controller.signal });
    for await (const event of stopped.events) {
      if (event.type === 'step' && event.step === 7) controller.abort('lunch');
    }
    await expect(stopped.result).rejects.toMatchObject({ code: 'interrupted', cause: 'lunch' });
    expect(await readStatus(first)).toMatchObject({ state: 'interrupted', stage: 'finetune' });
    await first.close();

    const second = await RunFolder.open(path);
    const resumed = resumeRun({ store: second, data, runtime });
    const { result } = await resumed.result;
    await second.close();
    expect(result.fineTune).not.toBeNull();
    const ends = (await watched).filter(({ type }) => type === 'run-start' || type === 'run-end');
    expect(ends).toMatchObject([
      { type: 'run-start', resumed: false },
      {
        type: 'run-end',
        state: 'interrupted',
        reason: expect.stringMatching(/^Training from random weights on 8 labels: stopped/),
      },
      { type: 'run-start', resumed: true },
      { type: 'run-end', state: 'finished' },
    ]);

    const again = await RunFolder.open(path, { readOnly: true });
    const finished = resumeRun({ store: again, data, runtime });
    expect(await all(finished.events)).toEqual([{ type: 'already-finished', run: path }]);
    expect((await finished.result).result).toEqual(result);
  });

  it('fits the steps to a budget, and says which', async () => {
    const store = new MemoryStore('budget');
    const run = startRun({ settings, data, runtime, store, stages: ['pretrain'], budgetMs: 20_000 });
    const events = await all(run.events);
    await run.result;
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['measuring', 'budget-fitted', 'run-start']);
    expect(events[1]).toMatchObject({ budgetMs: 20_000, steps: [{ stage: 'pretrain' }] });
    expect(await store.readJson('config')).toMatchObject({ budgetMs: 20_000, stages: ['pretrain'] });
  });

  it('asks for no store before it knows that the data can be used', async () => {
    const store = vi.fn(() => new MemoryStore());
    const refused = startRun({
      ...{ data, runtime, store },
      settings: { ...settings, finetune: { ...settings.finetune, frozenBlocks: 3 } },
      stages: ['pretrian'],
    });
    await expect(refused.result).rejects.toMatchObject({ code: 'usage' });
    expect(store).not.toHaveBeenCalled();
  });

  it('takes the backbone of another run, and keeps where it is from', async () => {
    const from = new MemoryStore('turns');
    await startRun({ settings, data, runtime, store: from, stages: ['pretrain'] }).result;
    const store = new MemoryStore('tuned');
    const { result } = await startRun({ settings, data, runtime, store, from }).result;
    expect(result.fineTune).not.toBeNull();
    expect(await store.readJson('config')).toMatchObject({
      stages: ['finetune'],
      backboneFrom: { run: 'turns', data: { origin: 'made for this test' } },
    });
  });
});

describe('a run that fails', () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  afterEach(() => {
    process.off('unhandledRejection', listener);
  });

  it('tells it by its status and its last event, and needs nobody to await its result', async () => {
    process.on('unhandledRejection', listener);
    const store = new MemoryStore('failing');
    store.appendEpoch = async () => {
      throw new Error('the disk is gone');
    };
    const events = await all(startRun({ settings, data, runtime, store }).events);
    await new Promise((resolve) => setImmediate(resolve));
    expect(events.at(-1)).toEqual({
      ...{ type: 'run-end', run: 'failing', state: 'failed', reason: 'the disk is gone' },
    });
    expect(await readStatus(store)).toMatchObject({ state: 'failed', reason: 'the disk is gone' });
    expect(unhandled).toEqual([]);
  });
});
