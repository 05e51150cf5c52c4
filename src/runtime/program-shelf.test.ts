import { describe, expect, test } from 'vitest';
import type { Graph } from '../graph/graph.js';
import { createNetwork } from '../nn/network.js';
import { sgd } from '../optim/sgd.js';
import { supervised } from '../train/objective.js';
import { buildTrainStep, type TrainStepSettings } from '../train/train-step.js';
import { ProgramShelf } from './program-shelf.js';
import type { Program, Runtime } from './runtime.js';

const network = (classes: number) =>
  createNetwork(
    {
      backbone: 'compact',
      width: 1 / 16,
      image: { height: 28, width: 28, channels: 1 },
      batchNormEpsilon: 1e-3,
    },
    classes,
  );
const settings = (): TrainStepSettings => ({
  network: network(10),
  optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
  batchSize: 50,
  frozenBlocks: 0,
  batch: 'images',
  batchNormMomentum: 0.9,
  objective: supervised({ labelSmoothing: 0.1 }),
  averageDecay: 0.99,
});
const step = (change: Partial<TrainStepSettings> = {}): Graph => buildTrainStep({ ...settings(), ...change });

/** Tells what is compiled and released, by numbers. */
function fake(): { runtime: Runtime; told: string[] } {
  const told: string[] = [];
  let compiled = 0;
  const compile = async (): Promise<Program> => {
    const number = ++compiled;
    told.push(`compile ${number}`);
    const release = async () => {
      told.push(`release ${number}`);
    };
    const run = async () => ({});
    return { inputNames: [], outputNames: [], run, release, [Symbol.asyncDispose]: release };
  };
  return { runtime: { device: 'cpu', version: 'fake', compile, load: compile }, told };
}

describe('ProgramShelf', () => {
  test('gives the program of the same step back, built anew', async () => {
    const { runtime, told } = fake();
    const shelf = new ProgramShelf();
    const first = await shelf.take(step(), runtime);
    await shelf.put(step(), first);
    expect(await shelf.take(step(), runtime)).toBe(first);
    // It lies there no longer: whoever asks meanwhile gets one of their own.
    const second = await shelf.take(step(), runtime);
    expect(second).not.toBe(first);
    await shelf.put(step(), first);
    await shelf.put(step(), second);
    await shelf.release();
    await shelf.release();
    expect(told).toEqual(['compile 1', 'compile 2', 'release 1', 'release 2']);
  });

  test.each<[string, Partial<TrainStepSettings>]>([
    ['batch', { batchSize: 17 }],
    ['number of classes', { network: network(9) }],
    ['optimizer', { optimizer: sgd({ momentum: 0.9, weightDecay: 4e-4 }) }],
    ['objective', { objective: supervised({ labelSmoothing: 0.2 }) }],
    ['momentum of the statistics', { batchNormMomentum: 0.99 }],
    ['decay of the average', { averageDecay: 0.95 }],
    ['number of frozen blocks', { frozenBlocks: 1 }],
  ])('another %s is another program, and the one before is released first', async (_, change) => {
    const { runtime, told } = fake();
    const shelf = new ProgramShelf();
    await shelf.put(step(), await shelf.take(step(), runtime));
    await shelf.take(step(change), runtime);
    expect(told).toEqual(['compile 1', 'release 1', 'compile 2']);
  });
});
