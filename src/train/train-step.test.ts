import { beforeAll, describe, expect, it, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.js';
import { expectClose, randomTensor } from '../../test/support/numeric.js';
import { graph, input } from '../graph/index.js';
import { createNetwork } from '../nn/network.js';
import { sgd } from '../optim/sgd.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import type { Runtime } from '../runtime/runtime.js';
import { scalar, type Tensor, tensor } from '../tensor/tensor.js';
import { consistency } from './objective.js';
import { flattenState, nextState, type TrainState, weightsOf } from './state.js';
import { buildTrainStep, freshWeights, initialState, type TrainStepSettings } from './train-step.js';

const network = createNetwork(
  {
    backbone: 'compact',
    width: 1 / 64,
    image: { height: 8, width: 8, channels: 1 },
  },
  3,
);
const objective = consistency({
  pairs: 2,
  labelSmoothing: 0.1,
  labelWeight: 0.5,
  informationWeight: 1,
  pseudoLabelWeight: 0.7,
  threshold: 0.2,
});
/** 3 labelled images, 2 unlabelled ones in two views. */
const settings: TrainStepSettings = {
  network,
  optimizer: sgd({ momentum: 0.9, weightDecay: 0 }),
  batchSize: 7,
  frozenBlocks: 0,
  batch: 'images',
  batchNormMomentum: 0.9,
  objective,
  averageDecay: 0.75,
};

/** What steps have trained, not its averages. */
const trainedIn = ({ params, buffers }: TrainState) => ({ ...params, ...buffers });

function batchOf(step: number): Record<string, Tensor> {
  const pixels = Uint8Array.from({ length: 7 * 64 }, (_, i) => (i * 37 + step * 101 + ((i * i) % 91)) % 256);
  return {
    images: tensor('uint8', [7, 8, 8, 1], pixels),
    targets: tensor('int32', [3], Int32Array.from([step % 3, 1, 2])),
    learningRate: scalar(0.05),
  };
}

describe('a step that keeps averages', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  });

  /** The states before the first step and after each of three. */
  async function threeSteps(step: TrainStepSettings): Promise<TrainState[]> {
    const program = await runtime.compile(buildTrainStep(step));
    const states: TrainState[] = [initialState(step, freshWeights(network, Random.seeded(4)))];
    for (let i = 0; i < 3; i++) {
      const out = await program.run({ ...batchOf(i), ...flattenState(states[i]!) });
      states.push(nextState(states[i]!, out));
    }
    await program.release();
    return states;
  }

  it('follows a ← d·a + (1 − d)·w for every trained tensor, moving statistics included', async () => {
    const states = await threeSteps(settings);
    const learned = weightsOf(states[3]!);
    expect(Object.keys(learned).sort()).toEqual(network.specs.map(({ name }) => name).sort());
    for (const { name } of network.specs) {
      const [w0, w1, w2, w3] = states.map((state) => trainedIn(state)[name]!.data as Float32Array);
      const byHand = Array.from(w0!, (w, i) => {
        let average = w;
        for (const next of [w1!, w2!, w3!]) average = 0.75 * average + 0.25 * next[i]!;
        return average;
      });
      expectClose(learned[name]!.data as Float32Array, byHand, { relative: 1e-5, absolute: 1e-7 }, name);
      expect(states[0]!.averages[name]).toEqual(trainedIn(states[0]!)[name]);
    }
    expect(learned['head.kernel']!.data).not.toEqual(states[3]!.params['head.kernel']!.data);
  });

  it('trains the same weights as one that keeps none, whose state they are', async () => {
    const { averageDecay: _, ...plain } = settings;
    const [averaged, bare] = [(await threeSteps(settings))[3]!, (await threeSteps(plain))[3]!];
    expect(bare).toMatchObject({ averages: {} });
    expect(trainedIn(averaged)).toEqual(trainedIn(bare));
    expect(weightsOf(bare)['head.kernel']).toBe(bare.params['head.kernel']);
  });
});

test('the momentum is the step’s: one network is trained with whichever', async () => {
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const buffersAfter = async (batchNormMomentum: number) => {
    const step = { ...settings, batchNormMomentum };
    const state = initialState(step, freshWeights(network, Random.seeded(4)));
    const program = await runtime.compile(buildTrainStep(step));
    const out = await program.run({ ...batchOf(0), ...flattenState(state) });
    await program.release();
    return { before: state.buffers, after: nextState(state, out).buffers };
  };
  const { before, after: ofBatch } = await buffersAfter(0);
  const { after } = await buffersAfter(0.8);
  expect(Object.keys(after)).toHaveLength(14);
  for (const [name, { data }] of Object.entries(after)) {
    const wanted = Array.from(
      ofBatch[name]!.data as Float32Array,
      (v, i) => 0.8 * Number(before[name]!.data[i]) + 0.2 * v,
    );
    expectClose(data as Float32Array, wanted, { relative: 1e-5, absolute: 1e-7 }, name);
  }
});

describe('an objective with fewer targets than images', () => {
  it('takes targets for the labelled ones alone, and counts only those', () => {
    const step = buildTrainStep(settings);
    expect(step.inputs.targets!.shape).toEqual([3]);
    expect(step.inputs.images!.shape).toEqual([7, 8, 8, 1]);
    const state = initialState(settings, freshWeights(network, Random.seeded(4)));
    const fed = { ...flattenState(state), ...batchOf(1) };
    const correct = (targets: readonly number[]) =>
      Number(
        interpret(step, { ...fed, targets: tensor('int32', [3], Int32Array.from(targets)) }).correct!.data[0],
      );
    // Whatever the network says, the three constant guesses share the three labelled images between them.
    expect([0, 1, 2].map((k) => correct([k, k, k])).reduce((sum, n) => sum + n, 0)).toBe(3);
  });

  it('is the weighted sum of its terms, the views in their order', () => {
    const logits = randomTensor(5, [7, 3], { low: -2, high: 2 });
    const rows = Array.from({ length: 7 }, (_, n) => Array.from(logits.data.subarray(3 * n, 3 * n + 3)));
    const p = rows.map((row) => {
      const exps = row.map(Math.exp);
      return exps.map((e) => e / exps.reduce((a, b) => a + b, 0));
    });
    const targets = [2, 0, 1];
    const smoothed = targets.map((t, n) =>
      p[n]!.reduce((sum, q, k) => sum - ((t === k ? 0.9 : 0) + 0.1 / 3) * Math.log(q), 0),
    );
    const labels = smoothed.reduce((a, b) => a + b, 0) / 3;
    const [mild, strong] = [p.slice(3, 5), p.slice(5, 7)];
    const joint = [0, 1, 2].map((i) =>
      [0, 1, 2].map((j) =>
        [0, 1].reduce(
          (sum, n) => sum + (mild[n]![i]! * strong[n]![j]! + strong[n]![i]! * mild[n]![j]!) / 4,
          0,
        ),
      ),
    );
    const marginal = joint.map((row) => row.reduce((a, b) => a + b, 0));
    const information = joint
      .flatMap((row, i) => row.map((v, j) => v * Math.log(v / (marginal[i]! * marginal[j]!))))
      .reduce((a, b) => a + b, 0);
    // Every maximum of three is above 0.2: all pairs count.
    const pseudo = mild.reduce(
      (sum, row, n) => sum - Math.log(strong[n]![row.indexOf(Math.max(...row))]!) / 2,
      0,
    );
    expect(lossOf(logits, targets)).toBeCloseTo(0.5 * labels - information + 0.7 * pseudo, 6);
  });
});

function lossOf(logits: Tensor<'float32'>, targets: readonly number[]): number {
  const loss = objective.loss(input('logits', 'float32', [7, 3]), input('targets', 'int32', [3]));
  const fed = { logits, targets: tensor('int32', [3], Int32Array.from(targets)) };
  return Number(interpret(graph({ loss }), fed).loss!.data[0]);
}
