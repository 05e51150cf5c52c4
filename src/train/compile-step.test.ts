import { afterAll, describe, expect, it } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { add, mul, relu, type Value } from '../graph/index.js';
import { exportNetwork } from '../model/export-network.js';
import { sequential } from '../nn/block.js';
import { network } from '../nn/layered-network.js';
import { convUnit, dense, globalPool } from '../nn/layers.js';
import { countCorrect, crossEntropy } from '../nn/losses.js';
import { adam } from '../optim/adam.js';
import { constantRate, oneCycle } from '../optim/schedules.js';
import { sgd } from '../optim/sgd.js';
import { Random } from '../random/random.js';
import { createNodeRuntime } from '../runtime/node.js';
import { decodeSafetensors, encodeSafetensors } from '../store/safetensors.js';
import { float32, type Tensor, tensor } from '../tensor/tensor.js';
import { compileStep } from './compile-step.js';

const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
const [n, width, classes] = [16, 6, 3];

const mlp = network(
  { hidden: dense('hidden', width, 8), out: dense('out', 8, classes) },
  ({ hidden, out }, x) => out(relu(hidden(x))),
);
const inputs = {
  x: { dtype: 'float32', shape: [n, width] },
  targets: { dtype: 'int32', shape: [n] },
} as const;

interface Example {
  readonly x: Tensor;
  readonly targets: Tensor;
}

/** Rows about a centre for each class. */
function batches(count: number, seed = 1): Example[] {
  const random = Random.seeded(seed);
  return Array.from({ length: count }, () => {
    const targets = Int32Array.from({ length: n }, () => random.integer(classes));
    const rows = Array.from(targets, (k) =>
      Array.from({ length: width }, (_, i) => (i % classes === k ? 1 : 0) + 0.3 * random.normal()),
    );
    return { x: float32([n, width], rows.flat()), targets: tensor('int32', [n], targets) };
  });
}

const settings = {
  network: mlp,
  inputs,
  loss: (logits: Value, { targets }: { readonly targets: Value }) => ({
    loss: crossEntropy(logits, targets),
    correct: countCorrect(logits, targets),
  }),
  optimizer: sgd({ momentum: 0.9 }),
  init: Random.seeded(3),
};

const refused = async (work: () => Promise<unknown>): Promise<string> => {
  const error = await work().then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof QuarterturnError)) throw error;
  return `${error.code}: ${error.message}`;
};

describe('compileStep', () => {
  const compiled = compileStep(runtime, settings);
  afterAll(async () => (await compiled).release());

  it('trains: the loss falls, and figures beside it are told', async () => {
    const step = await compiled;
    const told: number[] = [];
    for await (const { step: at, learningRate, figures } of step.train(batches(60), {
      schedule: oneCycle({ totalSteps: 60, peak: 0.2 }),
    })) {
      expect(at).toBe(told.length);
      expect(learningRate).toBeGreaterThan(0);
      expect(figures.correct).toBeLessThanOrEqual(n);
      told.push(figures.loss);
    }
    expect(told).toHaveLength(60);
    expect(told.at(-1)).toBeLessThan(0.2 * told[0]!);
  });

  it('one step is the one on paper', async () => {
    const line = network({ line: dense('line', 2, 1) }, ({ line }, x) => line(x));
    await using step = await compileStep(runtime, {
      network: line,
      inputs: { x: { dtype: 'float32', shape: [1, 2] } },
      // The loss is the output itself: its gradients are x, and 1 for the bias.
      loss: (y) => mul(y, 1),
      optimizer: sgd({ momentum: 0 }),
      init: { 'line.kernel': float32([2, 1], [1, 2]), 'line.bias': float32([1], [0.5]) },
    });
    expect((await step.run({ x: float32([1, 2], [3, 4]) }, { learningRate: 0.1 })).loss).toBeCloseTo(11.5, 6);
    const weights = step.weights();
    expect([...weights['line.kernel']!.data].map(Number)).toEqual([
      expect.closeTo(0.7, 6),
      expect.closeTo(1.6, 6),
    ]);
    expect(Number(weights['line.bias']!.data[0])).toBeCloseTo(0.4, 6);
  });

  it('gradients are shortened together where they are too long, and only there', async () => {
    const line = network({ line: dense('line', 2, 1) }, ({ line }, x) => line(x));
    const stepBy = async (clipNorm: number | undefined) => {
      await using step = await compileStep(runtime, {
        network: line,
        inputs: { x: { dtype: 'float32', shape: [1, 2] } },
        loss: (y) => mul(y, 1),
        optimizer: sgd({ momentum: 0 }),
        init: { 'line.kernel': float32([2, 1], [0, 0]), 'line.bias': float32([1], [0]) },
        clipNorm,
      });
      await step.run({ x: float32([1, 2], [2, 2]) }, { learningRate: 1 });
      const { 'line.kernel': kernel, 'line.bias': bias } = step.weights();
      return [...kernel!.data, ...bias!.data].map((w) => Math.round(1e4 * Number(w)) / 1e4);
    };
    // The gradient is [2, 2] and 1 for the bias: 3 long.
    expect(await stepBy(undefined)).toEqual([-2, -2, -1]);
    expect(await stepBy(4)).toEqual([-2, -2, -1]);
    expect(await stepBy(1.5)).toEqual([-1, -1, -0.5]);
  });

  it('goes on from a state to the same weights, bit for bit, through a file', async () => {
    const all = batches(10);
    const take = async (step: Awaited<typeof compiled>, from: number, to: number) => {
      for await (const _ of step.train(all.slice(from, to), { schedule: constantRate(0.05) }));
    };
    const options = {
      ...settings,
      optimizer: adam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
      averageDecay: 0.9,
    };
    await using whole = await compileStep(runtime, options);
    await take(whole, 0, 10);
    await using first = await compileStep(runtime, options);
    await take(first, 0, 4);
    const file = encodeSafetensors(first.state(), {});
    await using second = await compileStep(runtime, { ...options, init: Random.seeded(99) });
    second.restore(decodeSafetensors('state', file).tensors);
    await take(second, 4, 10);
    expect(second.state()).toEqual(whole.state());
    expect(second.weights()).toEqual(whole.weights());
    // Averages are what is kept of the weights.
    expect(whole.weights()['out.bias']).toEqual(whole.state()['average.out.bias']);
  });

  it('what it gives out is a copy', async () => {
    const step = await compiled;
    const before = step.state();
    (step.weights()['hidden.kernel']!.data as Float32Array).fill(0);
    (step.state()['hidden.kernel']!.data as Float32Array).fill(0);
    expect(step.state()).toEqual(before);
  });

  it('a layer that is frozen keeps its tensors, BatchNorm’s statistics included', async () => {
    const small = network(
      {
        body: sequential('body', [
          convUnit({ name: 'conv', kernelSize: 3, channels: 4 }),
          globalPool('mean'),
        ])([1, 6, 6]),
        head: dense('head', 4, classes),
      },
      ({ body, head }, x) => head(body(x)),
    );
    const x = { dtype: 'float32', shape: [n, 1, 6, 6] } as const;
    const batch = {
      x: float32(
        x.shape,
        Array.from({ length: n * 36 }, (_, i) => Math.sin(i)),
      ),
      targets: batches(1)[0]!.targets,
    };
    const changedWith = async (frozen: readonly ('body' | 'head')[]) => {
      await using step = await compileStep(runtime, {
        ...settings,
        network: small,
        inputs: { ...inputs, x },
        frozen,
      });
      const before = step.weights();
      await step.run(batch, { learningRate: 0.1 });
      const now = step.weights();
      expect(Object.keys(now).sort()).toEqual(small.specs.map(({ name }) => name).sort());
      return Object.keys(now).filter(
        (name) => !Object.is(JSON.stringify(now[name]), JSON.stringify(before[name])),
      );
    };
    expect((await changedWith(['body'])).sort()).toEqual(['head.bias', 'head.kernel']);
    const changed = await changedWith([]);
    expect(changed).toContain('conv.norm.movingMean');
    expect(changed).toContain('conv.kernel');
  });

  it('where every layer is frozen, a step tells its loss and changes nothing, gradients clipped or not', async () => {
    await using step = await compileStep(runtime, { ...settings, frozen: ['hidden', 'out'], clipNorm: 1 });
    const before = step.weights();
    const { loss } = await step.run(batches(1)[0]!, { learningRate: 0.1 });
    expect(loss).toBeGreaterThan(0);
    expect(step.weights()).toEqual(before);
  });

  it('the file takes any number of rows, and says what the network says', async () => {
    const step = await compiled;
    const file = exportNetwork(mlp, step.weights(), { x: inputs.x });
    const program = await runtime.load(file);
    const x = batches(1, 5)[0]!.x;
    const { output: all } = await program.run({ x });
    for (const rows of [1, 3, n]) {
      const some = float32([rows, width], Array.from(x.data as Float32Array).slice(0, rows * width));
      const { output } = await program.run({ x: some });
      expect(output!.shape).toEqual([rows, classes]);
      Array.from(output!.data as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo(Number(all!.data[i]), 5);
      });
    }
    await program.release();
  });

  it('an abort ends it before the next step, with the state whole', async () => {
    await using step = await compileStep(runtime, settings);
    await using same = await compileStep(runtime, settings);
    const stop = new AbortController();
    const all = batches(5);
    const message = await refused(async () => {
      for await (const { step: at } of step.train(all, { schedule: constantRate(0.1), signal: stop.signal }))
        if (at === 1) stop.abort();
    });
    expect(message).toBe('interrupted: train: stopped before step 2; the state is whole.');
    for await (const _ of same.train(all.slice(0, 2), { schedule: constantRate(0.1) }));
    expect(step.state()).toEqual(same.state());
  });

  it('a loss that is no number is refused, and its step is undone', async () => {
    await using step = await compileStep(runtime, settings);
    const [good, other] = batches(2) as [
      Awaited<ReturnType<typeof batches>>[0],
      ReturnType<typeof batches>[0],
    ];
    await step.run(good, { learningRate: 0.1 });
    const before = step.state();
    const bad = { ...other, x: float32([n, width], new Array(n * width).fill(Number.NaN)) };
    expect(await refused(() => step.run(bad, { learningRate: 0.1 }))).toBe(
      'diverged: step: expected a finite loss at a learning rate of 0.1. Received: NaN.',
    );
    expect(step.state()).toEqual(before);
    expect(Number.isFinite((await step.run(other, { learningRate: 0.1 })).loss)).toBe(true);
  });

  it('steps that are asked for at once are taken in turn', async () => {
    await using atOnce = await compileStep(runtime, settings);
    await using inTurn = await compileStep(runtime, settings);
    const all = batches(4);
    await Promise.all(all.map((batch) => atOnce.run(batch, { learningRate: 0.1 })));
    for (const batch of all) await inTurn.run(batch, { learningRate: 0.1 });
    expect(atOnce.state()).toEqual(inTurn.state());
  });
});

describe('what does not fit is named', () => {
  const [batch] = batches(1) as [Example];

  it('in a batch', async () => {
    await using step = await compileStep(runtime, settings);
    const run = (change: object) => refused(() => step.run({ ...batch, ...change }, { learningRate: 0.1 }));
    expect(await run({ x: float32([n, 5], new Array(n * 5).fill(0)) })).toBe(
      'shape: batch: expected x, float32 [16, 6]. Received: float32 [16, 5].',
    );
    expect(await run({ targets: float32([n], new Array(n).fill(0)) })).toBe(
      'shape: batch: expected targets, int32 [16]. Received: float32 [16].',
    );
    expect(await run({ targets: undefined })).toBe(
      'shape: batch: expected targets, int32 [16]. Received: none.',
    );
    expect(await refused(() => step.run(batch, { learningRate: Number.NaN }))).toBe(
      'usage: learningRate: expected a finite number. Received: NaN.',
    );
    expect(await run({ more: batch.x })).toBe('shape: batch: expected x, targets. Received: more, too.');
  });

  it('in a network, by the layer', async () => {
    const odd = network({ hidden: dense('hidden', 7, 3) }, ({ hidden }, x) => hidden(x));
    expect(await refused(() => compileStep(runtime, { ...settings, network: odd }))).toMatch(
      /^shape: hidden: matMul: /,
    );
    expect(() =>
      network({ a: dense('same', 2, 2), b: dense('same', 2, 2) }, ({ a, b }, x) => add(a(x), b(x))),
    ).toThrow('network: expected a name of its own for each tensor. Received: two of "same.kernel".');
  });

  it('in what a step is made of', async () => {
    expect(await refused(() => compileStep(runtime, { ...settings, init: {} }))).toBe(
      'usage: init: expected a tensor "hidden.kernel", float32 [6, 8]. Received: none, among 0.',
    );
    expect(await refused(() => compileStep(runtime, { ...settings, loss: (logits: Value) => logits }))).toBe(
      'shape: loss: expected a single number for loss. Received: float32 [16, 3].',
    );
    const frozen = ['hiden'] as never[];
    expect(await refused(() => compileStep(runtime, { ...settings, frozen }))).toBe(
      'usage: frozen: expected layers of the network, hidden, out. Received: hiden.',
    );
    expect(await refused(() => compileStep(runtime, { ...settings, clipNorm: 0 }))).toBe(
      'usage: clipNorm: expected a number above 0. Received: 0.',
    );
    const taken = { ...inputs, learningRate: inputs.x };
    expect(await refused(() => compileStep(runtime, { ...settings, inputs: taken }))).toBe(
      'usage: inputs: expected names of their own. Received: "learningRate", which is the learning rate\'s or a tensor\'s of the network.',
    );
    await using step = await compileStep(runtime, settings);
    expect(
      await refused(async () => step.restore({ ...step.state(), 'out.bias': float32([2], [0, 0]) })),
    ).toBe('checkpoint: state: expected a tensor "out.bias", float32 [3]. Received: float32 [2].');
  });
});
