import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../../../test/support/compile.js';
import { writePictures } from '../../../../test/support/picture-folder.js';
import { tiniestSettings } from '../../../../test/support/tiny-run.js';
import { decodeCheckpoint } from '../../../store/checkpoint.js';
import { RunFolder } from '../../../store/run-folder.node.js';
import { answersFolder, readAnswers, readFeatures } from '../explore/answer-files.node.js';
import { readPile } from '../read-pile.node.js';
import { eventsSoFar } from './follow-run.node.js';
import { train } from './train.node.js';
import type { StartTask, StartTraining, Training } from './trainer.js';

let folder: string;
let task: Omit<StartTask, 'folder'>;
const runFolder = (name: string) => join(folder, 'project', 'runs', name);
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-training-'));
  const source = { path: join(folder, 'photos') };
  await writePictures(source.path, { counts: { bar: 60, corner: 60, edge: 60 } });
  const { signal } = new AbortController();
  const pile = await readPile(source, { signal, onProgress: () => {}, cacheFolder: join(folder, 'cache') });
  // Classes that the folders do not know, of two of their three.
  const named = new Map([
    ['bar', 'beam'],
    ['edge', 'rim'],
  ]);
  const images = pile.images.flatMap(({ id, name }, index) => {
    const label = named.get(name.split('/')[0] ?? '');
    return label !== undefined && index % 10 === 0 ? [{ image: id, index, label }] : [];
  });
  await pile.close();
  task = {
    ...{ type: 'start', source, preset: 'quick', changes: tiniestSettings },
    labels: { data: null, classNames: ['rim', 'beam'], images },
    project: { seq: 7, classes: ['c2', 'c1'] },
  };
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

async function weightsOf(name: string) {
  const path = join(runFolder(name), 'checkpoints');
  const weights: Record<string, unknown> = {};
  for (const file of (await fs.readdir(path)).sort()) {
    weights[file] = decodeCheckpoint(file, await fs.readFile(join(path, file))).tensors;
  }
  return weights;
}

test('a run learns the classes of the labels alone, and says what it takes each image for', async () => {
  const phases = new Set<string>();
  const end = await train(
    { ...task, folder: runFolder('whole') },
    {
      ...{ threads: 1, cacheFolder: join(folder, 'cache'), signal: new AbortController().signal },
      onNews: ({ phase }) => phases.add(phase),
    },
  );
  expect(end).toEqual({ state: 'done' });
  expect([...phases]).toEqual(['starting', 'predicting']);
  const store = await RunFolder.open(runFolder('whole'), { readOnly: true });
  expect(await store.readJson('config')).toMatchObject({
    ...{ project: { seq: 7, classes: ['c2', 'c1'] }, threads: 1, dataFolder: join(folder, 'photos') },
    reading: { size: 32, colours: 'grey' },
  });
  const answers = await readAnswers(answersFolder(join(folder, 'project'), 'whole'));
  expect(answers).toMatchObject({ run: 'whole', classNames: ['rim', 'beam'] });
  // As the file of the classifier says it.
  expect(answers?.unsure?.below).toBeGreaterThan(0);
  expect(answers?.unsure?.unlike.length).toBeLessThan(90);
  expect(answers?.images).toHaveLength(180);
  // Each label is held back once.
  expect(answers?.heldBack.toSorted()).toEqual(task.labels.images.map(({ image }) => image).toSorted());
  const probabilities = answers?.probabilities ?? new Float32Array();
  for (let i = 0; i < 180; i++) {
    expect((probabilities[2 * i] ?? 0) + (probabilities[2 * i + 1] ?? 0)).toBeCloseTo(1, 5);
  }
  const features = answers?.features;
  expect(features?.rows).toHaveLength(180);
  const rows = features && (await readFeatures(answersFolder(join(folder, 'project'), 'whole'), features));
  const [first = []] = [rows?.slice(0, features?.dimensions)];
  expect(Math.hypot(...first)).toBeCloseTo(1, 5);
});

test('one that is stopped in its process goes on in another to the same weights', async () => {
  // As it is installed: processes are begun from what is compiled.
  const { trainingInProcesses } = await import(join(root, 'dist/studio/server/runs/train-process.node.js'));
  const begin: StartTraining = trainingInProcesses({ threads: 1, cacheFolder: join(folder, 'cache') });
  const hasReached = async (stage: string): Promise<void> => {
    for (;;) {
      for await (const event of eventsSoFar(runFolder('stopped'))) {
        if (event.type === 'stage-start' && event.stage === stage) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const first: Training = begin({ ...task, folder: runFolder('stopped') }, { onNews: () => {} });
  await hasReached('finetune');
  first.stop();
  expect(await first.ended).toEqual({ state: 'stopped' });
  const again = await train(
    { type: 'continue', folder: runFolder('stopped') },
    { cacheFolder: join(folder, 'cache'), signal: new AbortController().signal, onNews: () => {} },
  );
  expect(again).toEqual({ state: 'done' });
  const types: string[] = [];
  for await (const { type } of eventsSoFar(runFolder('stopped'))) types.push(type);
  expect(types).not.toContain('stage-outdated');
  expect(await weightsOf('stopped')).toEqual(await weightsOf('whole'));
  const answersOf = (name: string) => readAnswers(answersFolder(join(folder, 'project'), name));
  const { run: _, ...answers } = (await answersOf('stopped')) ?? {};
  expect(await answersOf('whole')).toMatchObject(answers);
});

test('a run that has a time to fit into gives way once its speed is measured, all threads of its process', async () => {
  const controller = new AbortController();
  const told: string[] = [];
  // A budget begins with the process, which may have run other tests for long.
  const budgetMs = performance.now() + 60_000;
  const end = await train(
    { ...task, folder: runFolder('planned'), budgetMs },
    {
      ...{ threads: 1, cacheFolder: join(folder, 'cache'), signal: controller.signal },
      onNews: ({ text }) => told.push(text),
      onPlanned: () => {
        told.push('planned');
        controller.abort();
      },
    },
  );
  expect(end).toEqual({ state: 'stopped' });
  expect(told.slice(-2)).toEqual(['Measuring the speed of this machine', 'planned']);

  const module = JSON.stringify(join(root, 'dist/studio/server/low-priority.node.js'));
  const program = `
    import { readdirSync } from 'node:fs';
    import { getPriority } from 'node:os';
    import { lowerPriority } from ${module};
    lowerPriority();
    console.log(readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread))).join(' '));`;
  if (process.platform !== 'linux') return;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(new Set(stdout.trim().split(' '))).toEqual(new Set(['10']));
});
