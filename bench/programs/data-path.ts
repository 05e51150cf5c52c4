/** How fast batches are made, without anything that trains on them: 50 batches of 128 are one step. */
import { augmentBatch } from '../../src/data/augmentation.js';
import { policyFor, strengths } from '../../src/data/augmentation-policy.js';
import { labelledBatch, rotationBatch } from '../../src/data/batches.js';
import { readMnist } from '../../src/data/mnist.node.js';
import { turnCount } from '../../src/data/rotation.js';
import { Random } from '../../src/random/random.js';
import { readFlags, report, timeSteps } from './program.js';

const flags = readFlags({ maker: 'rotate' });
const batchSize = 128;
const batchesPerStep = 50;
const { train } = await readMnist();
const random = Random.seeded(0);
const { count, height, width, channels } = train.images;
const policy = policyFor(height, width, strengths.weak);
const shape = { count: batchSize, height, width, channels };

/** Each maker as the recipes have it: pretraining rotates, fine-tuning augments labelled images. */
const makers: Readonly<Record<string, () => Promise<unknown>>> = {
  rotate: () => rotationBatch(train.images, indices(turnCount * count)),
  augment: async () => {
    const { images } = await labelledBatch(train, indices(count));
    augmentBatch(images.data, shape, policy, random, images.data);
  },
};

function indices(below: number): Uint32Array {
  return Uint32Array.from({ length: batchSize }, () => random.integer(below));
}

const make = makers[flags.maker]!;
const stepMs = await timeSteps(flags, async () => {
  for (let i = 0; i < batchesPerStep; i++) await make();
});
const version = `Node ${process.version}`;
report({ version, imagesPerStep: batchSize * batchesPerStep, stepMs, checks: [] });
