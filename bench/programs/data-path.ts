/** How fast batches are made, without anything that trains on them: 50 batches of 128 are one step. */
import { strengths } from '../../src/data/augmentation-policy.js';
import { makeBatch } from '../../src/data/batch-maker.js';
import { readMnist } from '../../src/data/mnist.node.js';
import { rotatedCopies } from '../../src/data/rotation.js';
import { Random } from '../../src/random/random.js';
import { readFlags, report, timeSteps } from './program.js';

const flags = readFlags({ maker: 'rotate' });
const batchSize = 128;
const batchesPerStep = 50;
const { train } = await readMnist();
const random = Random.seeded(0);
const turned = rotatedCopies(train.images);

/** Each maker as the recipes have it: pretraining rotates, fine-tuning augments labelled images. */
const makers: Readonly<Record<string, () => Promise<unknown>>> = {
  rotate: () => makeBatch(turned, [{ indices: indices(turned.count) }]),
  augment: () => {
    const augmentation = { strength: strengths.weak, random: random.state() };
    return makeBatch(train.images, [{ indices: indices(train.images.count), augmentation }]);
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
