import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageGraph } from '../../src/recipes/plan/stage-graph.js';
import { stageGraphNames } from '../../src/recipes/plan/stage-graph-names.js';
import { settingsFor } from '../../src/recipes/presets.js';
import { cli } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';

let cwd: string;
const explain = (args: string) =>
  cli(['explain', '--graph', '--width', '0.0625', '--batch', '8', '--threads', '1', ...args.split(' ')], {
    cwd,
  });

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-explain-'));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

interface ExplainedNode {
  readonly layer: string;
  readonly op: string;
  readonly outputs: readonly { readonly shape: readonly number[] }[];
  readonly operators: readonly { readonly what: string; readonly count: number }[];
  readonly flops: number;
  readonly predictedMs: number;
  readonly measuredMs: number | null;
}

interface Explanation {
  readonly machine: {
    readonly flopsPerSecond: number;
    readonly bytesPerSecond: number;
    readonly callMs: number;
  };
  readonly nodes: readonly ExplainedNode[];
  readonly inserted: readonly { readonly durationMs: number }[];
  readonly runMs: number | null;
  readonly profiledRunMs: number | null;
}

/** What the machine reaches, so that it is not measured. */
const machine = '--peak 100 --bandwidth 20';

const settings = settingsFor('quick', { width: 0.0625 });
const images = { height: 28, width: 28, channels: 1, classes: 10 };
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Ops that compute; what a neighbour's operators do along with theirs (ReLU and its gradient) has none of its own. */
const arithmetic = /^(conv|matMul|batchNorm|maxPool|avgPool|logSoftmax)/;

describe.each(stageGraphNames)('explain --step %s', (step) => {
  let explanation: Explanation;
  beforeAll(async () => {
    // Of one of them the machine is measured, too.
    const given = step === 'train' ? '' : ` ${machine}`;
    const { code, stdout, stderr } = await explain(`--step ${step} --json${given}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    explanation = JSON.parse(stdout);
  });

  test('names every node of the graph once, in its order', () => {
    const { graph } = stageGraph(settings, images, step, 8);
    expect(explanation.nodes.map(({ layer, op, outputs }) => [layer, op, outputs[0]!.shape])).toEqual(
      graph.nodes.map(({ scope, op, outputs }) => [scope, op.name, outputs[0]!.shape]),
    );
  });

  test('predicts a time for all that computes, with what the machine reaches', () => {
    const { flopsPerSecond, bytesPerSecond, callMs } = explanation.machine;
    expect(flopsPerSecond).toBeGreaterThan(1e9);
    expect(bytesPerSecond).toBeGreaterThan(1e8);
    expect(callMs).toBeGreaterThan(0);
    expect(callMs).toBeLessThan(10); // a few µs, on a machine that does nothing else
    const computing = explanation.nodes.filter(({ op }) => arithmetic.test(op));
    expect(computing.length).toBeGreaterThan(9);
    for (const { op, operators, flops, predictedMs } of computing) {
      expect(operators, op).not.toEqual([]);
      expect(flops, op).toBeGreaterThan(0);
      expect(predictedMs, op).toBeGreaterThan(0);
    }
  });

  test('measures the kernels of all that computes, which add up to no more than a run', () => {
    const { nodes, inserted, runMs, profiledRunMs } = explanation;
    const kernels = sum(nodes.map((node) => node.measuredMs!)) + sum(inserted.map((k) => k.durationMs));
    // What part of a run they are depends on what else the machine does: between two kernels it may do anything.
    expect(kernels).toBeLessThan(1.5 * profiledRunMs!);
    expect(runMs).toBeGreaterThan(0);
    // A forward pass has no normalisation of its own: ONNX Runtime folds it into the convolutions.
    const own = nodes.filter(({ op }) => arithmetic.test(op) && op !== 'batchNormInference');
    expect(own.length).toBeGreaterThan(9);
    for (const { layer, op, measuredMs } of own) expect(measuredMs, `${layer} ${op}`).toBeGreaterThan(0);
    // Nearly all of it is known by name.
    expect(sum(inserted.map((k) => k.durationMs))).toBeLessThan(0.5 * kernels);
  });
});

describe('explain as a person reads it', () => {
  test('every node in 80 columns', async () => {
    for (const step of ['train --no-profile', 'classify']) {
      const { stdout } = await explain(`--all --order graph ${machine} --step ${step}`);
      const widths = stdout.split('\n').map((line) => line.length);
      expect(widths.length, step).toBeGreaterThan(40);
      expect(Math.max(...widths), step).toBeLessThanOrEqual(80);
    }
  });

  test('a table, the slowest nodes first', async () => {
    const { code, stdout } = await explain('--top 5');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Training step, preset quick, width 0\.0625, batch 8\nOn cpu with 1 thread of /);
    expect(stdout).toMatch(/^layer +op +predicted +measured +speed +operators$/m);
    expect(stdout).toMatch(/^block\d\.\w+ +\w+ +[\d.]+ ms +[\d.]+ ms +\S+ [kMG](FLOP|B)\/s {2}\S/m);
    expect(stdout).toMatch(/^… and \d+ more nodes, [\d.]+ % of the time \(--all\)$/m);
    expect(stdout).toMatch(/^a whole run +[\d.]+ ms {2}[\d,.]+ images\/s$/m);
    const times = [...stdout.matchAll(/^block.* ms +([\d.]+) ms/gm)].map(([, ms]) => Number(ms));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  test('--no-profile predicts with the figures given', async () => {
    const { code, stdout } = await explain(`--no-profile ${machine}`);
    expect(code).toBe(0);
    expect(stdout).toContain('Predicted with 100 GFLOP/s, 20.0 GB/s');
    expect(stdout).not.toContain('measured');
    const json = JSON.parse((await explain(`--no-profile --json ${machine}`)).stdout) as Explanation;
    expect(json.runMs).toBeNull();
    expect(json.nodes.every(({ measuredMs }) => measuredMs === null)).toBe(true);
    expect(sum(json.nodes.map(({ predictedMs }) => predictedMs))).toBeGreaterThan(0);
  });

  test.each([
    ['--peak 0', /--peak: expected a number above 0\. Received: 0\./],
    ['--step pretrain', /--step: expected train or finetune or selfTrain or classify\. Received: pretrain\./],
    ['--all --top 3', /'--all' cannot be used with option '--top <n>'/],
  ])('refuses %s', async (args, message) => {
    const { code, stdout, stderr } = await inProcess(['explain', ...args.split(' ')], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
