import { beforeEach, describe, expect, test, vi } from 'vitest';
import { tinyImage, tinySize } from '../../../test/support/tiny-data.js';
import { augmentImages } from '../../data/augment-images.js';
import { type BatchMakerFor, makeBatch } from '../../data/batch-maker.js';
import type { DataSource, ImageDataset } from '../../data/dataset.js';
import { imagesInMemory } from '../../data/image-source.js';
import { createNodeRuntime } from '../../runtime/node.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { RunEvent } from '../../store/run-event.js';
import { comparedMs } from '../pile-graph.js';
import { settingsFor } from '../presets.js';
import type { RunSettings } from '../settings.js';
import { measureSpeeds } from './measure-speeds.js';

// The real one, counted.
vi.mock('../../data/augment-images.js', async (original) => {
  const { augmentImages } = await original<typeof import('../../data/augment-images.js')>();
  return { augmentImages: vi.fn(augmentImages) };
});
beforeEach(() => {
  vi.mocked(augmentImages).mockClear();
});

function pictures(count: number): ImageDataset {
  const size = tinySize * tinySize;
  const pixels = new Uint8Array(count * size);
  for (let n = 0; n < count; n++) pixels.set(tinyImage(n), n * size);
  const labels = Int32Array.from({ length: count }, (_, n) => n % 3);
  const side = { height: tinySize, width: tinySize, channels: 1 };
  return {
    images: imagesInMemory({ name: 'pictures', pixels, ...side }),
    labels,
    classNames: ['a', 'b', 'c'],
  };
}

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
const settings = settingsFor('quick', { width: 1 / 16, labelsPerClass: 4 });
const withTeacher = (teacher: 'neighbours' | 'views'): RunSettings => ({
  ...settings,
  selfTrain: { ...settings.selfTrain!, teacher, labelledPerStep: 5, pairsPerStep: 7 },
});
const sourceOf = (count: number): DataSource => {
  const images = pictures(count);
  return { train: images, test: images, origin: 'made for this test', checksums: {} };
};
const contextOf = (count: number, on: Runtime = runtime) => ({
  settings,
  data: sourceOf(count),
  runtime: on,
  emit: (_event: RunEvent) => {},
});

describe('measureSpeeds', () => {
  test.each([
    ['neighbours', [5 + 7 + 7]],
    ['views', [5, 7, 7]],
  ] as const)('times the batches that %s make', async (teacher, sizes) => {
    await measureSpeeds({ ...contextOf(600), settings: withTeacher(teacher) }, { stages: ['selfTrain'] });
    const batches = vi.mocked(augmentImages).mock.calls.map(([{ shape }]) => shape[0]!);
    // The rest are views of 64 images.
    expect([...new Set(batches)].sort()).toEqual([...new Set([...sizes, 64])].sort());
    const of = (size: number) => batches.filter((count) => count === size).length;
    expect(of(sizes[0])).toBeGreaterThanOrEqual(6);
  });

  test('knows a pile without labels, of which only pretraining is run', async () => {
    const context = contextOf(600);
    const { images } = context.data.train;
    const data = { ...context.data, train: { images, classNames: [] }, test: undefined };
    const speeds = await measureSpeeds({ ...context, data }, { stages: ['pretrain'] });
    expect(speeds.images.labelled).toBe(0);
    expect(speeds.saveMs).toBeGreaterThan(0);
  });

  test('looks at what will be run, and at nothing else', async () => {
    const { stepMs, viewMs, pile, images } = await measureSpeeds(contextOf(600), { stages: ['pretrain'] });
    expect(stepMs.pretrain).toBeGreaterThan(0);
    expect(Object.keys(stepMs)).toEqual(['pretrain']);
    expect({ viewMs, pile }).toEqual({ viewMs: 0, pile: { graphMs: 0, spreadStepMs: 0 } });
    expect(images).toEqual({ train: 600, test: 600, labelled: 12, folds: 3 });
    expect(augmentImages).not.toHaveBeenCalled();
  });

  test('takes more care where more time is at stake', async () => {
    const runs = async (budgetMs: number) => {
      let count = 0;
      const counted: Runtime = {
        ...runtimeOf(async () => {}),
        compile: async (graph) => {
          const program = await runtime.compile(graph);
          const run: typeof program.run = (...args) => {
            count++;
            return program.run(...args);
          };
          return { ...program, run, release: () => program.release() };
        },
      };
      await measureSpeeds(contextOf(600, counted), { stages: ['pretrain'], budgetMs });
      return count;
    };
    const [few, more] = [await runs(0), await runs(60_000)];
    expect(few).toBe(2 * (2 + 4));
    expect(more).toBeGreaterThan(few);
  });

  test.each([
    ['that of its batch and its own, where none is made ahead', 0, 150, 500],
    ['its own, where batches are made meanwhile', 2, 50, 130],
  ])('the time of a step is %s', async (_, ahead, atLeast, below) => {
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    // Kernels that let others work for 50 ms, and batches that take 100.
    const slow: Runtime = {
      ...runtimeOf(async () => {}),
      compile: async (graph) => {
        const program = await runtime.compile(graph);
        const run: typeof program.run = async (...args) => {
          await sleep(50);
          return program.run(...args);
        };
        return { ...program, run, release: () => program.release() };
      },
    };
    const batchMakerFor: BatchMakerFor = (source) => ({
      ahead,
      async make(request) {
        await sleep(100);
        return makeBatch(source, request);
      },
      async release() {},
    });
    const { stepMs, fastest } = await measureSpeeds(
      { ...contextOf(600, slow), batchMakerFor },
      { stages: ['pretrain'], cpuMs: () => process.cpuUsage().user / 1000 },
    );
    // Timers may be a millisecond early.
    expect(stepMs.pretrain).toBeGreaterThan(atLeast - 3);
    expect(stepMs.pretrain).toBeLessThan(below);
    // What the machine did for others, here nothing, is not counted.
    expect(fastest.stepMs.pretrain).toBeGreaterThan(0);
    expect(fastest.stepMs.pretrain).toBeLessThan(40);
  });

  test('looks no longer than ten seconds and what is under way then, and derives the rest', async () => {
    const clock = { ms: 0 };
    let [compiled, runs] = [0, 0];
    // Each run takes four seconds of a clock that nothing else moves.
    const busy: Runtime = {
      ...runtimeOf(async () => {}),
      compile: async (graph) => {
        compiled++;
        const program = await runtime.compile(graph);
        const run: typeof program.run = (...args) => {
          runs++;
          clock.ms += 4000;
          return program.run(...args);
        };
        return { ...program, run, release: () => program.release() };
      },
    };
    const speeds = await measureSpeeds(
      { ...contextOf(600, busy), settings: withTeacher('neighbours') },
      { now: () => clock.ms },
    );
    // The batch that is classified: begun, run again, and timed once.
    expect([compiled, runs]).toEqual([1, 3]);
    const { pretrain = 0, finetune = 0, selfTrain = 0 } = speeds.stepMs;
    expect(pretrain / finetune).toBeCloseTo(settings.pretrain.batchSize / settings.finetune.batchSize);
    expect(selfTrain).toBeGreaterThan(0);
    expect(speeds.imageMs / (pretrain / settings.pretrain.batchSize)).toBeCloseTo(0.25);
    expect(speeds.pile.graphMs).toBeCloseTo(600 * 0.5 + 600 * 600 * 3e-6);
  });

  test('stops when it is asked to', async () => {
    const stopped = { ...contextOf(600), signal: AbortSignal.abort() };
    await expect(measureSpeeds(stopped)).rejects.toMatchObject({ code: 'interrupted' });
  });
});

/** The real kernels, with something before each graph is compiled. */
function runtimeOf(before: () => Promise<void>): Runtime {
  return {
    device: runtime.device,
    version: runtime.version,
    load: (model) => runtime.load(model),
    compile: async (graph) => {
      await before();
      return runtime.compile(graph);
    },
  };
}

test('to compile a product is not counted once for each pair of images', () => {
  const [few, several] = [
    { pairs: 1, ms: 1010 },
    { pairs: 10, ms: 1100 },
  ];
  expect(comparedMs(few, several, 210)).toBeCloseTo(1000 + 210 * 10);
  expect(comparedMs(several, several, 10)).toBe(1100);
  // What took longer for fewer of them was held up by something else.
  expect(comparedMs({ ...few, ms: 2000 }, several, 210)).toBe(1100);
});
