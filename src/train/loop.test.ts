import { beforeAll, describe, expect, test } from 'vitest';
import { tinyPictures } from '../../test/support/tiny-run.js';
import { strengths } from '../data/augmentation-policy.js';
import { type BatchMaker, type BatchMakerFor, makeBatch } from '../data/batch-maker.js';
import { epochOrder, targetsAt } from '../data/batches.js';
import { QuarterturnError } from '../errors.js';
import { createNetwork } from '../nn/network.js';
import { constantRate } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { MemoryStore } from '../store/checkpoint.js';
import { tensor } from '../tensor/tensor.js';
import type { TrainEvent } from './events.js';
import { type StageOptions, trainStage } from './loop.js';
import { freshWeights } from './train-step.js';

const pictures = tinyPictures('train', 60);
const [batchSize, stepsPerEpoch, epochs] = [12, 5, 3];
const seed = Random.seeded(4);
const network = createNetwork(
  { backbone: 'compact', width: 1 / 32, image: { height: 12, width: 12, channels: 1 } },
  2,
);

/** A stage that augments its images, and notes the steps whose batches it was asked to plan. */
function stageOf(changes: Partial<StageOptions> = {}): StageOptions & { readonly planned: number[] } {
  const planned: number[] = [];
  return {
    ...{ stage: 'probe', draw: 0, title: 'Probing', epochs, stepsPerEpoch, planned },
    step: {
      ...{ network, batchSize, frozenBlocks: 0, batch: 'images', batchNormMomentum: 0.9 },
      optimizer: sgd({ momentum: 0.9, weightDecay: 0 }),
    },
    schedule: constantRate(0.05),
    weights: freshWeights(network, seed.split('weights')),
    order: (epoch) => epochOrder(pictures.images.count, batchSize, seed.split('order', epoch)),
    images: pictures.images,
    batch(indices, step) {
      planned.push(step);
      const augmentation = { strength: strengths.strong, random: seed.split('augment', step).state() };
      return { images: [{ indices, augmentation }], targets: targetsAt(pictures, indices) };
    },
    ...changes,
  };
}

interface Elsewhere {
  readonly makerFor: BatchMakerFor;
  readonly opened: number;
  readonly released: number;
}

/** A maker that answers later, as another thread does: after a time in ms. */
function elsewhere(fails: (made: number) => boolean = () => false, afterMs = 1): Elsewhere {
  const counts = { opened: 0, released: 0 };
  let made = 0;
  const makerFor: BatchMakerFor = (source): BatchMaker => {
    counts.opened++;
    return {
      ahead: 2,
      async make(request) {
        const sent = structuredClone(request);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        if (fails(made++)) throw new QuarterturnError('io', 'the pile is gone');
        return makeBatch(source, sent);
      },
      async release() {
        counts.released++;
      },
    };
  };
  return Object.assign(counts, { makerFor });
}

describe('trainStage', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });
  interface Train {
    readonly store?: MemoryStore;
    readonly batchMakerFor?: BatchMakerFor;
    readonly signal?: AbortSignal;
    readonly emit?: (event: TrainEvent) => void;
  }
  const train = (options: StageOptions, { store = new MemoryStore(), ...rest }: Train = {}) =>
    trainStage(options, { runtime, store, emit: () => {}, ...rest });

  test('comes to the same weights wherever its batches are made', async () => {
    const here = await train(stageOf());
    const { makerFor: batchMakerFor, ...counts } = elsewhere();
    expect(counts.opened).toBe(0);
    expect((await train(stageOf(), { batchMakerFor })).state).toEqual(here.state);
  });

  test.each([1, 3, 5, 7, 13])(
    'stopped at step %i, goes on to the same weights with batches made ahead',
    async (at) => {
      const { state } = await train(stageOf());
      const store = new MemoryStore();
      const abort = new AbortController();
      const made = elsewhere();
      const emit = (event: TrainEvent) => {
        if (event.type === 'step' && event.step === at) abort.abort();
      };
      await expect(
        train(stageOf(), { store, emit, signal: abort.signal, batchMakerFor: made.makerFor }),
      ).rejects.toMatchObject({
        code: 'interrupted',
        message: `Probing: stopped at step ${at} of 15, saved.`,
      });
      expect(made).toMatchObject({ opened: 1, released: 1 });
      const resumed = stageOf();
      expect((await train(resumed, { store, batchMakerFor: made.makerFor })).state).toEqual(state);
      expect(resumed.planned).toEqual(Array.from({ length: 15 - at }, (_, i) => at + i));
      expect(made).toMatchObject({ opened: 2, released: 2 });
    },
  );

  /** Steps that were planned before each validation. */
  async function plannedAtValidation(changes: Partial<StageOptions>): Promise<number[]> {
    const counts: number[] = [];
    const options: StageOptions & { readonly planned: number[] } = stageOf({
      ...changes,
      validate: async () => {
        counts.push(options.planned.length);
        return {};
      },
    });
    await train(options, { batchMakerFor: elsewhere().makerFor });
    return counts;
  }

  test('asks for the next epoch’s batches before it looks at what was learned', async () => {
    expect(await plannedAtValidation({})).toEqual([7, 12, 15]);
  });

  test('does not where a look may change what they are made of', async () => {
    const memory = { save: () => ({ seen: tensor('int32', [0], new Int32Array()) }), restore: () => {} };
    expect(await plannedAtValidation({ memory })).toEqual([5, 10, 15]);
  });

  test('tells how long each step waited for its batch, and the epoch for all of them', async () => {
    const store = new MemoryStore();
    const waits: number[] = [];
    const emit = (event: TrainEvent) => {
      if (event.type === 'step') waits.push(event.waitMs);
    };
    const afterMs = 20;
    const { makerFor: batchMakerFor } = elsewhere(() => false, afterMs);
    await train(stageOf(), { store, emit, batchMakerFor });
    expect(waits).toHaveLength(15);
    // Nothing was asked for ahead of the first step. Timers may be a millisecond early.
    expect(waits[0]).toBeGreaterThan(afterMs - 2);
    for (const { epoch, waitMs, durationMs } of await store.readEpochs()) {
      const own = waits.slice((epoch - 1) * stepsPerEpoch, epoch * stepsPerEpoch);
      expect(waitMs).toBeCloseTo(own.reduce((sum, ms) => sum + ms, 0));
      expect(waitMs).toBeLessThan(durationMs);
    }
  });

  test('ends with the error of a batch that cannot be made, at its step and not before', async () => {
    const steps: number[] = [];
    const emit = (event: TrainEvent) => {
      if (event.type === 'step') steps.push(event.step);
    };
    const made = elsewhere((count) => count >= 6);
    await expect(train(stageOf(), { emit, batchMakerFor: made.makerFor })).rejects.toMatchObject({
      code: 'io',
      message: 'the pile is gone',
    });
    expect(steps.at(-1)).toBe(6);
    expect(made).toMatchObject({ opened: 1, released: 1 });
  });

  test('lets go of its batches where it diverges', async () => {
    const made = elsewhere();
    const wild = stageOf({ schedule: constantRate(1e30) });
    await expect(train(wild, { batchMakerFor: made.makerFor })).rejects.toMatchObject({ code: 'diverged' });
    expect(made).toMatchObject({ opened: 1, released: 1 });
  });
});
