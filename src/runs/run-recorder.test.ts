import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../store/checkpoint.js';
import type { LoggedEvent } from '../store/event-log.js';
import type { RunEvent } from '../store/run-event.js';
import { readStatus } from '../store/run-status.js';
import { RunRecorder } from './run-recorder.js';

const runStart: RunEvent = { type: 'run-start', run: 'r', stages: ['finetune'], draws: 1, resumed: false };
const metrics = { accuracy: 0.5, loss: 1 };
const stageStart: RunEvent = {
  ...{ type: 'stage-start', stage: 'finetune', draw: 0, title: 'Fine-tuning' },
  ...{ totalSteps: 100, fromStep: 20, epochs: 10, stepsPerEpoch: 10 },
};
const step = (n: number): RunEvent => ({
  ...{ type: 'step', stage: 'finetune', epoch: 3, step: n, totalSteps: 100, metrics },
  ...{ learningRate: 0.1, imagesPerSecond: 100, waitMs: 0, etaMs: 10 * (100 - n) },
});

/** Counts writings of the status, and keeps the log. */
class LoggingStore extends MemoryStore {
  readonly writer = { pid: 7, host: 'here' };
  readonly logged: LoggedEvent[] = [];
  statuses = 0;

  async appendEvents(events: readonly LoggedEvent[]): Promise<void> {
    this.logged.push(...events);
  }

  override async writeJson(name: 'config' | 'status', value: unknown): Promise<void> {
    if (name === 'status') this.statuses++;
    await super.writeJson(name, value);
  }
}

function recording(store = new LoggingStore('r')) {
  const clock = { ms: 0 };
  const recorder = new RunRecorder({ now: () => clock.ms });
  recorder.attach(store);
  const tell = async (event: RunEvent, afterMs = 0) => {
    clock.ms += afterMs;
    recorder.record(event);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { store, recorder, tell };
}

describe('RunRecorder', () => {
  it('keeps the status at most a second old, and writes it no more often', async () => {
    const { store, recorder, tell } = recording();
    await tell(runStart);
    await tell(stageStart);
    expect(store.statuses).toBe(1);
    for (let n = 21; n <= 60; n++) await tell(step(n), 100);
    expect(store.statuses).toBe(5);
    const status = await readStatus(store);
    expect(status).toMatchObject({
      ...{ state: 'running', run: 'r', stages: ['finetune'], stage: 'finetune', draw: 0 },
      ...{
        step: 60,
        totalSteps: 100,
        epochs: 10,
        etaMs: 400,
        train: metrics,
        pid: 7,
        host: 'here',
      },
    });
    await tell({ type: 'run-end', run: 'r', state: 'interrupted', reason: 'stopped' });
    await recorder.close();
    expect(await readStatus(store)).toMatchObject({ state: 'interrupted', step: 60, reason: 'stopped' });
  });

  it('says when the run ends once that is known, between two stages too, and no more when it has ended', async () => {
    const { store, tell } = recording();
    const told = async (event: RunEvent) => {
      await tell(event, 2000);
      return (await readStatus(store))?.runEtaMs;
    };
    await tell(runStart);
    expect(await told(step(21))).toBeNull();
    expect(await told({ type: 'forecast', remainingMs: 90_000 })).toBe(90_000);
    expect(await told({ ...step(22), runEtaMs: 88_000 } as RunEvent)).toBe(88_000);
    expect(await told(stageStart)).toBe(88_000);
    const pass: RunEvent = { type: 'pass', title: 'a pass', done: 1, total: 30, runEtaMs: 80_000 };
    expect(await told(pass)).toBe(80_000);
    expect(await told({ type: 'run-end', run: 'r', state: 'interrupted' })).toBeNull();
    // Runs of earlier versions do not say it.
    const { runEtaMs: _, ...before } = (await readStatus(store))!;
    await store.writeJson('status', before);
    expect((await readStatus(store))?.runEtaMs).toBeNull();
  });

  it('logs every event, but steps and passes once a second', async () => {
    const { store, recorder, tell } = recording();
    await tell(runStart);
    for (let n = 1; n <= 30; n++) {
      await tell(step(n), 100);
      await tell({ type: 'pass', title: 'a pass', done: n, total: 30, etaMs: 1 });
      await tell({ type: 'checkpoint', path: 'p', step: n });
    }
    await recorder.close();
    const count = (type: string) => store.logged.filter((event) => event.type === type).length;
    expect([count('run-start'), count('step'), count('pass'), count('checkpoint')]).toEqual([1, 3, 3, 30]);
  });

  it('keeps what is told while it writes, and what could not be written, for the next time', async () => {
    const store = new LoggingStore('r');
    const { recorder, tell } = recording(store);
    const append = store.appendEvents.bind(store);
    let isFull = true;
    store.appendEvents = async (events) => {
      if (isFull) throw new Error('the disk is full');
      await append(events);
    };
    await tell(runStart);
    await tell(stageStart);
    isFull = false;
    await tell({ type: 'evaluated', title: 'test images', metrics });
    recorder.record({ type: 'measuring' });
    recorder.record({ type: 'run-end', run: 'r', state: 'finished' });
    await recorder.close();
    expect(store.logged.map(({ type }) => type)).toEqual([
      ...['run-start', 'stage-start', 'evaluated', 'measuring', 'run-end'],
    ]);
  });

  it('writes nothing of a run that never began', async () => {
    const { store, recorder, tell } = recording();
    await tell({ type: 'measuring' });
    await recorder.close();
    expect(store.logged).toEqual([]);
    expect(await readStatus(store)).toBeUndefined();
  });
});
