import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createNetwork } from '../../src/nn/network.js';
import { adam } from '../../src/optim/adam.js';
import type { Optimizer } from '../../src/optim/optimizer.js';
import { constantRate, inverseTime } from '../../src/optim/schedules.js';
import { sgd } from '../../src/optim/sgd.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import type { Runtime } from '../../src/runtime/runtime.js';
import { float32, scalar, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { buildClassifier } from '../../src/train/forward.js';
import { flattenState, nextState, weightsOf } from '../../src/train/state.js';
import { buildTrainStep, initialState } from '../../src/train/train-step.js';

/** A tensor of the golden file: whole, or its Euclidean norm and first values. */
type Golden = { shape: number[]; data: number[] } | { norm: number; first: number[] };
interface GoldenStep {
  loss: number;
  accuracy: number;
  gradients: Record<string, Golden>;
  params: Record<string, Golden>;
  buffers: Record<string, Golden>;
}
interface GoldenCase {
  images: { shape: number[]; data: number[] };
  targets: { shape: number[]; data: number[] };
  params: Record<string, { shape: number[]; data: number[] }>;
  buffers: Record<string, { shape: number[]; data: number[] }>;
  sgd: { step1: GoldenStep; step2: GoldenStep };
  adam: { step1: GoldenStep; step2: GoldenStep };
  evaluatedAfterSgd: { logits: { shape: number[]; data: number[] } };
}

const golden = JSON.parse(readFileSync(new URL('./rotnet-step.json', import.meta.url), 'utf8')) as {
  cases: Record<string, GoldenCase>;
};

/** PyTorch in float32 itself differs from the float64 golden by 2e-6; what is small is judged by its tensor's size. */
const tolerance = 2e-5;

function expectGolden(actual: Tensor, wanted: Golden, name: string): void {
  const values = Array.from(actual.data as Float32Array);
  const size = Math.max(...values.map(Math.abs), 1e-6);
  const expected = 'data' in wanted ? wanted.data : wanted.first;
  let worst = 0;
  expected.forEach((e, i) => {
    worst = Math.max(worst, Math.abs(values[i]! - e) / size);
  });
  expect(worst, `${name}: largest difference relative to the tensor's largest value`).toBeLessThan(tolerance);
  if ('norm' in wanted) {
    const norm = Math.hypot(...values);
    expect(Math.abs(norm - wanted.norm) / wanted.norm, `${name}: norm`).toBeLessThan(tolerance);
  }
}

const optimizers: Record<'sgd' | 'adam', { optimizer: Optimizer; schedule: (step: number) => number }> = {
  sgd: { optimizer: sgd({ momentum: 0.9 }), schedule: constantRate(0.1) },
  adam: { optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }), schedule: inverseTime(0.0005, 1e-5) },
};

describe.each(Object.entries(golden.cases))('a whole RotNet step equals PyTorch’s (%s)', (_name, example) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 2 });
  });

  const [n, channels, height, width] = example.images.shape as [number, number, number, number];
  expect(channels).toBe(1);
  const images = tensor('uint8', [n, height, width, 1], Uint8Array.from(example.images.data));
  const targets = tensor('int32', [n], Int32Array.from(example.targets.data));
  const network = createNetwork(
    {
      backbone: 'rotnet',
      width: 1 / 16,
      image: { height, width, channels },
    },
    4,
  );
  const weights = Object.fromEntries(
    Object.entries({ ...example.params, ...example.buffers }).map(([name, t]) => [
      name,
      float32(t.shape, t.data),
    ]),
  );

  it.each(['sgd', 'adam'] as const)(
    '%s: loss, accuracy, every updated parameter and moving statistic',
    async (kind) => {
      const { optimizer, schedule } = optimizers[kind];
      const settings = {
        network,
        optimizer,
        batchSize: n,
        frozenBlocks: 0,
        batch: 'images',
        batchNormMomentum: 0.99,
      } as const;
      const program = await runtime.compile(buildTrainStep(settings));
      let state = initialState(settings, weights);
      for (const [step, wanted] of [example[kind].step1, example[kind].step2].entries()) {
        const learningRate = scalar(schedule(step));
        const out = await program.run({ images, targets, learningRate, ...flattenState(state) });
        expect(out.loss!.data[0]).toBeCloseTo(wanted.loss, 5);
        expect(Number(out.correct!.data[0]) / n).toBeCloseTo(wanted.accuracy, 6);
        state = nextState(state, out);
        const weights = weightsOf(state);
        for (const [name, value] of Object.entries({ ...wanted.params, ...wanted.buffers })) {
          expectGolden(weights[name]!, value, `step ${step + 1}, ${name}`);
        }
      }
      if (kind === 'sgd') {
        const classifier = await runtime.compile(
          buildClassifier(network, weightsOf(state), { batchSize: n }),
        );
        const { logits } = await classifier.run({ images });
        expectGolden(logits!, example.evaluatedAfterSgd.logits, 'logits with the moving statistics');
      }
    },
  );

  it('every gradient, read off one step of plain gradient descent', async () => {
    const settings = {
      network,
      optimizer: sgd({ momentum: 0 }),
      batchSize: n,
      frozenBlocks: 0,
      batch: 'images',
      batchNormMomentum: 0.99,
    } as const;
    const program = await runtime.compile(buildTrainStep(settings));
    const state = initialState(settings, weights);
    const out = await program.run({ images, targets, learningRate: scalar(1), ...flattenState(state) });
    // With momentum 0 the velocity is −lr·g.
    const velocities = nextState(state, out).slots.velocity!;
    for (const [name, wanted] of Object.entries(example.sgd.step1.gradients)) {
      const velocity = velocities[name]!;
      const gradient = float32(
        velocity.shape,
        Float32Array.from(velocity.data as Float32Array, (v) => -v),
      );
      expectGolden(gradient, wanted, `gradient of ${name}`);
    }
  });
});
