import { expect, test } from 'vitest';
import type { BatchMaker } from '../data/batch-maker.js';
import { QuarterturnError } from '../errors.js';
import { tensor } from '../tensor/tensor.js';
import { batchesAhead, type PlannedBatch } from './batches-ahead.js';

/** A maker that notes the steps whose batches it was asked for. */
function recorder(ahead: number, fails: (step: number) => boolean = () => false) {
  const asked: number[] = [];
  const maker: BatchMaker = {
    ahead,
    async make([part]) {
      const step = part?.indices[0] ?? -1;
      asked.push(step);
      if (fails(step)) throw new QuarterturnError('data', `step ${step}`);
      return tensor('uint8', [1, 1, 1, 1], Uint8Array.of(step));
    },
    async release() {},
  };
  return { asked, maker };
}

const plan = (step: number): PlannedBatch => ({
  images: [{ indices: Uint32Array.of(step) }],
  targets: tensor('int32', [1], Int32Array.of(step)),
});

test.each([
  [0, [[3], [4], [5]]],
  [1, [[3, 4], [5], [6]]],
  [2, [[3, 4, 5], [6], [7]]],
])('with %i ahead, each step asks for what comes next', async (count, expected) => {
  const { asked, maker } = recorder(count);
  const batches = batchesAhead(maker, 3, plan);
  for (const [i, steps] of expected.entries()) {
    const before = asked.length;
    const { images, targets } = await batches.take(100);
    expect([images?.data[0], targets?.data[0]]).toEqual([3 + i, 3 + i]);
    expect(asked.slice(before)).toEqual(steps);
  }
});

test('nothing is asked for from where batches are not known yet, until they are', async () => {
  const { asked, maker } = recorder(2);
  const batches = batchesAhead(maker, 0, plan);
  for (let step = 0; step < 4; step++) await batches.take(4);
  expect(asked).toEqual([0, 1, 2, 3]);
  await batches.take(8);
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('features are there already', async () => {
  const { asked, maker } = recorder(2);
  const features = tensor('float32', [1, 2], Float32Array.of(1, 2));
  const targets = tensor('int32', [1], Int32Array.of(3));
  const batches = batchesAhead(maker, 0, () => ({ features, targets }));
  expect(await batches.take(9)).toEqual({ features, targets });
  expect(asked).toEqual([]);
});

test('a batch that fails is heard of by its own step, and by nobody where no step takes it', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const { maker } = recorder(2, (step) => step >= 1);
  const batches = batchesAhead(maker, 0, (step) => {
    if (step === 2) throw new Error('no plan');
    return plan(step);
  });
  await batches.take(9);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await expect(batches.take(9)).rejects.toThrow('step 1');
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});
