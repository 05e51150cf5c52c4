import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { createNetwork } from '../nn/network.js';
import { constantRate } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { type Checkpoint, MemoryStore } from '../store/checkpoint.js';
import { tensor } from '../tensor/tensor.js';
import { type StageMemory, type StageOptions, trainStage } from './loop.js';
import { freshWeights } from './train-step.js';

const network = createNetwork(
  { backbone: 'compact', width: 1 / 64, image: { height: 28, width: 28, channels: 1 } },
  3,
);
const [epochs, stepsPerEpoch, batchSize] = [3, 2, 4];
const random = Random.seeded(1);
const images = imagesInMemory({
  ...{ name: 'noise', height: 28, width: 28, channels: 1 },
  pixels: Uint8Array.from({ length: epochs * stepsPerEpoch * batchSize * 784 }, () => random.integer(256)),
});

/** Keeps the states that it is given, and fails once where it is told to, as a process that is killed. */
class WatchedStore extends MemoryStore {
  readonly saved: string[] = [];
  killAfter: string | undefined;

  override async saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<string> {
    this.#live();
    const { epoch, step } = checkpoint.state;
    this.saved.push(`${epoch}:${step}`);
    return super.saveCheckpoint(name, checkpoint);
  }

  override async appendEpoch(record: Parameters<MemoryStore['appendEpoch']>[0]): Promise<void> {
    this.#live();
    await super.appendEpoch(record);
    if (this.killAfter === `record ${record.epoch}`) this.killed = true;
  }

  killed = false;

  #live(): void {
    if (this.killed) throw new Error('killed');
  }
}

function optionsFor(memory?: StageMemory & { seen: number }): StageOptions {
  return {
    stage: 'probe',
    draw: 0,
    title: 'Probing',
    step: {
      network,
      optimizer: sgd({ momentum: 0.9 }),
      batchSize,
      frozenBlocks: 0,
      batch: 'images',
      batchNormMomentum: 0.9,
    },
    epochs,
    stepsPerEpoch,
    schedule: constantRate(0.05),
    weights: freshWeights(network, Random.seeded(1)),
    order: () => Array.from({ length: stepsPerEpoch }, () => new Uint32Array(batchSize)),
    images,
    batch: (_, step) => ({
      images: [{ indices: Uint32Array.from({ length: batchSize }, (_, i) => step * batchSize + i) }],
      targets: tensor('int32', [batchSize], Int32Array.of(0, 1, 2, 0)),
    }),
    validate: async (_, epoch) => {
      if (memory) memory.seen += 1;
      return { val: { accuracy: epoch / 10, loss: memory?.seen ?? 0 } };
    },
    memory,
  };
}

const counting = () => ({
  seen: 0,
  save() {
    return { seen: tensor('int32', [1], Int32Array.of(this.seen)) };
  },
  restore({ seen }: Checkpoint['tensors']) {
    this.seen = Number(seen!.data[0]);
  },
});

/** What a stage came to, without the times that it took. */
async function outcomeOf(store: MemoryStore) {
  const { tensors, memory } = (await store.loadCheckpoint('probe'))!;
  const records = await store.readEpochs();
  const timeless = records.map(({ epoch, step, train, val }) => ({ epoch, step, train, val }));
  return { tensors, memory, records: timeless };
}

describe('checkpoints of a stage that is validated', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });
  const train = (store: MemoryStore, memory?: ReturnType<typeof counting>) =>
    trainStage(optionsFor(memory), { runtime, store, emit: () => {} });

  it('are one an epoch, before it is validated, and one at the end', async () => {
    const store = new WatchedStore();
    await train(store);
    expect(store.saved).toEqual(['0:2', '1:4', '2:6', '3:6']);
  });

  it('are two an epoch where validation changes what the stage remembers', async () => {
    const store = new WatchedStore();
    await train(store, counting());
    expect(store.saved).toEqual(['0:2', '1:2', '1:4', '2:4', '2:6', '3:6']);
  });

  it('are one a second where nothing validates, and one at the end, and no epoch is lost for good', async () => {
    // Each look at the clock is a millisecond later, however busy the machine is.
    let nowMs = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs++);
    onTestFinished(() => clock.mockRestore());
    const trainUnseen = (store: MemoryStore) => {
      const { validate: _, ...options } = optionsFor();
      return trainStage(options, { runtime, store, emit: () => {} });
    };
    const [whole, cut] = [new WatchedStore(), new WatchedStore()];
    await trainUnseen(whole);
    expect(whole.saved).toEqual(['3:6']);
    cut.killAfter = 'record 2';
    await expect(trainUnseen(cut)).rejects.toThrow('killed');
    [cut.killed, cut.killAfter] = [false, undefined];
    await trainUnseen(cut);
    expect(await outcomeOf(cut)).toEqual(await outcomeOf(whole));
  });

  it.each([
    ['that remembers nothing', () => undefined],
    ['that remembers', counting],
  ])('let a stage %s that is killed after a record go on to the same end', async (_, memoryOf) => {
    const [whole, cut] = [new WatchedStore(), new WatchedStore()];
    await train(whole, memoryOf());
    cut.killAfter = 'record 2';
    await expect(train(cut, memoryOf())).rejects.toThrow('killed');
    [cut.killed, cut.killAfter] = [false, undefined];
    await train(cut, memoryOf());
    expect(await outcomeOf(cut)).toEqual(await outcomeOf(whole));
    expect((await cut.readEpochs()).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });
});
