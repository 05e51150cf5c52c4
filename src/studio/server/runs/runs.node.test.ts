import fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeStudio, fakePile, turns, until } from '../../../../test/support/studio.js';
import type { RunEvent } from '../../../index.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import type { StudioDelta } from '../updates.js';
import type { StartTask } from './trainer.js';

const ids = fakePile(60).images.map(({ id }) => id);
const cat = { id: 'c1', name: 'cat', colour: '#0072b2', key: '1' };
const dog = { id: 'c2', name: 'dog', colour: '#d55e00', key: '2' };

let fake: FakeStudio;
let { projects, trainings, studio, ask } = {} as FakeStudio;
const deltas: StudioDelta[] = [];
beforeEach(async () => {
  fake = await FakeStudio.create();
  ({ projects, trainings, studio, ask } = fake);
  deltas.length = 0;
  studio.hub.subscribe({
    send: async (message) => {
      if (message.kind === 'deltas') deltas.push(...message.deltas);
    },
  });
  await fake.open(fakePile(60));
});
afterEach(() => fake.close());

const label = (classId: string, from: number, to: number) =>
  studio.label({ type: 'label', labels: [{ class: classId, images: ids.slice(from, to) }] });
const labelBoth = async (): Promise<void> => {
  await studio.label({ type: 'add-class', class: cat });
  await studio.label({ type: 'add-class', class: dog });
  await label('c1', 0, 3);
  await label('c2', 3, 5);
};

/** Writes as a run's process does. */
class FakeRun {
  readonly #folder: RunFolder;

  private constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  static async of({ folder: path, labels, project, preset }: StartTask, startedAt: string): Promise<FakeRun> {
    const folder = await RunFolder.create(path);
    await folder.writeJson('config', { startedAt, preset, project, stages: ['pretrain', 'finetune'] });
    const images = labels.images.map(({ image, index, label }) => ({ image, index, label, by: 'given' }));
    await folder.writeJson('labels', { classNames: labels.classNames, draws: [{ draw: 0, images }] });
    return new FakeRun(folder);
  }

  async tell(...events: RunEvent[]): Promise<void> {
    await this.#folder.appendEvents(events.map((event) => ({ at: new Date().toISOString(), ...event })));
  }

  async end(state: 'finished' | 'interrupted'): Promise<void> {
    const { name: run } = this.#folder;
    await this.tell({ type: 'run-end', run, state });
    await this.#folder.writeJson('status', {
      ...{ state, run, stages: ['pretrain', 'finetune'], draws: 1, stage: null, draw: 0, step: 0 },
      ...{ totalSteps: 0, epoch: 0, epochs: 0, pass: null, etaMs: null, train: null, evaluated: null },
      ...{ evidence: [], reason: null, pid: 1, host: 'here', updatedAt: new Date().toISOString() },
    });
    await this.#folder.close();
  }

  start(resumed = false): RunEvent {
    return {
      type: 'run-start',
      ...{ run: this.#folder.name, stages: ['pretrain', 'finetune'], draws: 1, resumed },
    };
  }
}

const stageStart = (fromStep = 0): RunEvent => ({
  ...{ type: 'stage-start', stage: 'pretrain', draw: 0, title: 'Pretraining on rotations', fromStep },
  ...{ totalSteps: 100, epochs: 4, stepsPerEpoch: 25 },
});
const step = (at: number): RunEvent => ({
  ...{ type: 'step', stage: 'pretrain', epoch: 1, step: at, totalSteps: 100, learningRate: 0.1, waitMs: 0 },
  ...{
    metrics: { loss: 2 - at / 100, accuracy: at / 100 },
    imagesPerSecond: 640,
    etaMs: 9000,
    runEtaMs: 20_000,
  },
});
const curvesTold = () => deltas.flatMap((delta) => (delta.type === 'curve' ? delta.points : []));

test('a run learns from the labels of now, with classes of their own, and is told as it goes', async () => {
  expect(await ask('POST', '/api/runs', { preset: 'quick' })).toMatchObject({
    status: 422,
    error: { code: 'data', hint: expect.stringContaining('some images of each') },
  });
  await labelBoth();
  await studio.label({ type: 'mark', mark: 'unsure', images: ids.slice(9, 10) });
  const { status, id } = await ask('POST', '/api/runs', { preset: 'quick', budgetMinutes: 2 });
  expect([status, id]).toEqual([202, expect.stringMatching(/^quick-\d{8}-\d{6}$/)]);
  const { task, news } = trainings.last;
  expect(task).toEqual({
    ...{ type: 'start', source: { path: '/photos' }, preset: 'quick', budgetMs: 120_000 },
    folder: join(projects.folder, 'runs', id),
    labels: {
      data: null,
      classNames: ['cat', 'dog'],
      images: [0, 1, 2, 3, 4].map((i) => ({ image: ids[i], index: i, label: i < 3 ? 'cat' : 'dog' })),
    },
    project: { seq: studio.state.labels?.seq, classes: ['c1', 'c2'] },
  });
  // One at a time, and this project.
  expect(await ask('POST', '/api/runs', {})).toMatchObject({ status: 409, error: { code: 'busy' } });
  await expect(studio.open({ path: '/other' })).rejects.toMatchObject({ code: 'busy' });

  news({ phase: 'starting', text: 'Measuring the speed of this machine', progress: null });
  expect(studio.state.training).toMatchObject({
    ...{ runId: id, phase: 'starting', stageText: 'Measuring the speed of this machine' },
  });
  const run = await FakeRun.of(task as StartTask, new Date().toISOString());
  await run.tell(run.start(), stageStart(), step(10), step(20));
  await until(() => studio.state.training?.progress === 0.2);
  expect(studio.state.training).toMatchObject({
    ...{ phase: 'training', stage: 'pretrain', stageText: 'Pretraining on rotations', stageIndex: 0 },
    ...{ stageCount: 2, imagesPerSecond: 640, etaMs: 20_000 },
  });
  await until(() => curvesTold().length === 4);
  // A page that is reloaded asks for what it was told, and more.
  const all = await ask('GET', `/api/runs/${id}/curve`);
  expect(all).toMatchObject({ next: 4, points: curvesTold() });
  expect(all.points[3]).toEqual({ seq: 3, stage: 'pretrain', series: 'accuracy', x: 20, y: 0.2 });
  expect(await ask('GET', `/api/runs/${id}/curve?from=3`)).toMatchObject({ points: [{ seq: 3 }], next: 4 });
  expect(await ask('GET', '/api/runs')).toMatchObject({
    runs: [{ id, number: 1, state: 'training', preset: 'quick', labels: 5, labelsChanged: 0 }],
  });
  await run.end('finished');
  trainings.last.end({ state: 'done' });
  await until(() => studio.state.training === null);
  // A label more, one changed, one less; a class that is renamed is the same one.
  await label('c2', 0, 1);
  await label('c1', 20, 21);
  await studio.label({ type: 'clear', images: ids.slice(4, 5) });
  await studio.label({ type: 'rename-class', class: 'c1', name: 'kitten' });
  expect(await ask('GET', `/api/runs/${id}`)).toMatchObject({ state: 'done', labelsChanged: 3 });
});

test('a run that is stopped goes on where it was, its curve without a gap', async () => {
  await labelBoth();
  const { id } = await ask('POST', '/api/runs', {});
  const begun = trainings.last;
  const run = await FakeRun.of(begun.task as StartTask, new Date().toISOString());
  await run.tell(run.start(), stageStart(), step(10), step(20));
  await until(() => studio.state.training?.progress === 0.2);
  expect(await ask('POST', `/api/runs/${id}/continue`)).toMatchObject({ status: 409 });
  expect(await ask('POST', '/api/runs/stop')).toMatchObject({ status: 202 });
  expect([begun.isStopped, studio.state.training?.phase]).toEqual([true, 'stopping']);
  await run.end('interrupted');
  await until(() => studio.state.training === null);
  expect(await ask('POST', '/api/runs/stop')).toMatchObject({ status: 409 });
  expect(await ask('GET', '/api/runs')).toMatchObject({ runs: [{ id, state: 'stopped' }] });

  const { revision } = { revision: studio.state.runs };
  await turns();
  expect(await ask('POST', `/api/runs/${id}/continue`)).toMatchObject({ status: 202 });
  const folder = join(projects.folder, 'runs', id);
  expect(trainings.last.task).toEqual({ type: 'continue', folder });
  const again = await RunFolder.open(folder);
  const at = () => new Date().toISOString();
  const events: RunEvent[] = [
    { type: 'run-start', run: folder, stages: ['pretrain', 'finetune'], draws: 1, resumed: true },
    ...[stageStart(15), step(18), step(25)],
  ];
  await again.appendEvents(events.map((event) => ({ at: at(), ...event })));
  await until(() => studio.state.training?.progress === 0.25);
  await until(() => curvesTold().length === 6);
  // What is trained again is no second point.
  expect(curvesTold().map(({ seq, x }) => [seq, x])).toEqual([10, 10, 20, 20, 25, 25].map((x, i) => [i, x]));
  expect((await ask('GET', `/api/runs/${id}/curve`)).points).toEqual(curvesTold());
  await again.close();
  trainings.last.end({
    state: 'failed',
    error: { code: 'runtime', message: 'training: expected …. Received: …', hint: undefined },
  });
  await until(() => studio.state.training?.phase === 'failed');
  expect(studio.state.training?.error).toMatchObject({ code: 'runtime' });
  expect(studio.state.runs).toBeGreaterThan(revision);
  // Who has read it has it taken away; the next one begins all the same.
  expect(await ask('POST', '/api/runs/stop', {})).toMatchObject({ status: 202 });
  expect(studio.state.training).toBe(null);
  expect(await ask('POST', '/api/runs', { preset: 'best' })).toMatchObject({ status: 202 });
});

test('runs that others made are listed, what is none is not, and ids lead nowhere else', async () => {
  const folder = join(projects.folder, 'runs');
  await fs.mkdir(join(folder, 'notes'), { recursive: true });
  await fs.writeFile(join(folder, 'runs.txt'), '');
  const other = await RunFolder.create(join(folder, 'mine'));
  await other.writeJson('config', { startedAt: '2026-01-01T00:00:00.000Z', preset: 'best', stages: [] });
  await other.close();
  expect(await ask('GET', '/api/runs')).toMatchObject({
    runs: [{ id: 'mine', number: 1, preset: 'best', state: 'stopped', labels: 0, estimate: null }],
  });
  for (const id of ['other', '..', '%2e%2e', 'mine%2f..%2fmine', 'notes']) {
    expect(await ask('GET', `/api/runs/${id}/curve`), id).toMatchObject({ status: 404 });
    expect(await ask('POST', `/api/runs/${id}/continue`), id).toMatchObject({ status: 404 });
  }
  for (const body of [{ preset: 'worst' }, { budgetMinutes: 0 }, { folder: '/tmp' }]) {
    expect(await ask('POST', '/api/runs', body)).toMatchObject({ status: 400 });
  }
});
