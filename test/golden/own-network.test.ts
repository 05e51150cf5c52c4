import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  compileStep,
  constantRate,
  crossEntropy,
  dense,
  float32,
  gelu,
  network,
  sgd,
  tensor,
  zeros,
} from '../../src/engine.js';
import { createNodeRuntime } from '../../src/node.js';

/** The same network, weights and batches as in own_network.py. */

const golden = JSON.parse(readFileSync(new URL('./own-network.json', import.meta.url), 'utf8')) as Readonly<
  Record<'clipped' | 'whole', readonly number[]>
>;
const [rows, width, units, classes, steps] = [16, 6, 8, 3, 20];
const waves = (shape: readonly number[], wave: (i: number) => number) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => wave(i)),
  );

function* batches() {
  for (let step = 0; step < steps; step++) {
    const targets = Int32Array.from({ length: rows }, (_, row) => (row * row + step) % classes);
    yield {
      x: waves([rows, width], (i) => Math.sin(0.7 * i + step)),
      targets: tensor('int32', [rows], targets),
    };
  }
}

const mlp = network(
  { hidden: dense('hidden', width, units), out: dense('out', units, classes) },
  ({ hidden, out }, x) => out(gelu(hidden(x))),
);

test.each([
  ['clipped', 0.2],
  ['whole', undefined],
] as const)(
  'twenty steps of a network of one’s own lose as much as PyTorch’s, gradients %s',
  async (which, clipNorm) => {
    const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
    await using step = await compileStep(runtime, {
      network: mlp,
      inputs: {
        x: { dtype: 'float32', shape: [rows, width] },
        targets: { dtype: 'int32', shape: [rows] },
      },
      loss: (logits, { targets }) => crossEntropy(logits, targets),
      optimizer: sgd({ momentum: 0.9 }),
      init: {
        'hidden.kernel': waves([width, units], (i) => 0.5 * Math.cos(0.3 * i)),
        'hidden.bias': zeros('float32', [units]),
        'out.kernel': waves([units, classes], (i) => 0.5 * Math.cos(1.1 * i)),
        'out.bias': zeros('float32', [classes]),
      },
      clipNorm,
    });
    const losses: number[] = [];
    for await (const { figures } of step.train(batches(), { schedule: constantRate(0.1) }))
      losses.push(figures.loss);
    expect(losses).toHaveLength(steps);
    losses.forEach((loss, i) => {
      expect(Math.abs(loss - golden[which][i]!)).toBeLessThan(1e-5);
    });
  },
);
