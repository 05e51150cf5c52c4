import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inferenceFlops, multiplyAdds, trainingFlops } from '../bench/flops.js';
import { lowerNaively } from '../bench/naive-lowering.js';
import { parseOptions } from '../bench/options.js';
import { asMarkdown, asText, overview, rowTable } from '../bench/render.js';
import { disagreement, median, type RowResult, rowJson, speedOf } from '../bench/results.js';
import { allRows, groups } from '../bench/rows.js';
import { rotNet } from '../src/nn/rotnet.js';
import { encodeModel } from '../src/onnx/encode.js';
import { createNodeRuntime } from '../src/runtime/node.js';
import { goldenDifferences, goldenStep } from './support/golden-step.js';

describe('floating-point operations of one image', () => {
  const batchNorm = { momentum: 0.99, epsilon: 1e-3 };
  const network = rotNet({ width: 1, height: 28, imageWidth: 28, channels: 1, batchNorm }, 4);

  test('RotNet forward: the notebook’s 164.5 million multiply-adds', () => {
    // 5×5, 1×1, 1×1 on 28×28; the same on 14×14; 3×3, 1×1, 1×1 on 7×7; the head.
    const byHand =
      784 * (4_800 + 30_720 + 15_360) +
      196 * (460_800 + 36_864 + 36_864) +
      49 * (331_776 + 36_864 + 36_864) +
      768;
    expect(multiplyAdds([...network.blocks, network.head])).toBe(byHand);
    expect(byHand / 1e6).toBeCloseTo(164.5, 1);
    expect(inferenceFlops(network)).toBe(2 * byHand);
  });

  test('a training step: three times forward, without the first layer’s gradient in the image', () => {
    const step = trainingFlops(network, { frozenBlocks: 0, batch: 'images' });
    expect(step).toBe(3 * inferenceFlops(network) - 2 * 784 * 4_800);
  });

  test('frozen blocks run forward only, or not at all where their features are given', () => {
    const features = trainingFlops(network, { frozenBlocks: 2, batch: 'features' });
    const block3 = 49 * (331_776 + 36_864 + 36_864) + 768;
    expect(features).toBe(2 * (3 * block3 - 49 * 331_776));
    const images = trainingFlops(network, { frozenBlocks: 2, batch: 'images' });
    expect(images - features).toBe(inferenceFlops(network) - 2 * block3);
  });
});

test('the naive lowering computes a whole training step as PyTorch does', async () => {
  const golden = JSON.parse(readFileSync(new URL('./golden/rotnet-step.json', import.meta.url), 'utf8'));
  const { graph, inputs } = goldenStep(golden);
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const program = await runtime.load(encodeModel(lowerNaively(graph)));
  expect(goldenDifferences(golden, await program.run(inputs))).toEqual([]);
  await program.release();
});

const rows = allRows({ threads: 2, python: 'python3' });

describe('rows', () => {
  test('groups name rows, each of which has one contender of ours and a name of its own', () => {
    const names = rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of Object.values(groups).flat()) expect(names).toContain(name);
    for (const { contenders } of rows)
      expect(contenders.filter(({ role }) => role === 'ours')).toHaveLength(1);
  });

  test('--only takes rows and groups, in the table’s order; anything else is refused', () => {
    const names = rows.map(({ name }) => name);
    expect(parseOptions(['--only', 'dataPath,trainStep', '--rounds', '2'], names)).toMatchObject({
      only: ['trainStep', 'dataPathRotate', 'dataPathAugment'],
      rounds: 2,
      json: false,
    });
    expect(parseOptions([], names).only).toEqual(names);
    expect(() => parseOptions(['--only', 'trainstep'], names)).toThrow(/Received: trainstep/);
    expect(() => parseOptions(['--steps', '1.5'], names)).toThrow(
      '--steps: expected a whole number from 1 on. Received: 1.5.',
    );
  });
});

describe('results', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 100], 3.5],
  ])('median of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  test('numbers agree within 1e-3 as far as both have some', () => {
    expect(disagreement([1, 2], [1.0009, 2, 7])).toBeUndefined();
    expect(disagreement([1, 2.0011], [1, 2])).toMatch(/^wrong: off by 1\.1e-3/);
    expect(disagreement([Number.NaN], [1])).toMatch(/^wrong/);
  });

  const sample = (stepMs: number[], peakMemoryBytes: number) => ({
    version: '',
    imagesPerStep: 128,
    stepMs,
    peakMemoryBytes,
    checks: [],
  });
  const row = { ...rows[0]!, flopsPerImage: 1e9 };
  const speed = (stepMs: number[], bytes = 2 ** 30) => speedOf([sample(stepMs, bytes)], row, 256e9);

  test('speed is that of the median step of all rounds, memory the largest, the share that of the peak', () => {
    expect(speedOf([sample([900, 1000], 5), sample([1100], 7)], row, 256e9)).toEqual({
      imagesPerSecond: 128,
      medianMs: 1000,
      fastestMs: 900,
      slowestMs: 1100,
      peakMemoryBytes: 7,
      shareOfPeak: 0.5,
    });
  });

  const result: RowResult = {
    name: 'trainStep',
    title: 'Training step',
    unit: 'images/s',
    contenders: [
      { name: 'ours', role: 'ours', speed: speed([1000], 1.5 * 2 ** 30) },
      { name: 'PyTorch', role: 'peer', speed: speed([1280]) },
      { name: 'wrong one', role: 'peer', fault: 'wrong: off by 1', speed: speed([10]) },
      { name: 'broken one', role: 'peer', fault: 'failed: status 1' },
      { name: 'naive lowering', role: 'yardstick', speed: speed([1600]) },
    ],
  };

  test('JSON: the best peer is the fastest whose numbers are right; a yardstick is none', () => {
    expect(rowJson(result)).toEqual({
      ours: 128,
      peers: { PyTorch: 100, 'wrong one': 12800 },
      ratioToBestPeer: 1.28,
      shareOfPeak: 0.5,
      peakMemoryBytes: {
        ours: 1.5 * 2 ** 30,
        PyTorch: 2 ** 30,
        'wrong one': 2 ** 30,
        'naive lowering': 2 ** 30,
      },
      yardsticks: { 'naive lowering': 80 },
      faults: { 'wrong one': 'wrong: off by 1', 'broken one': 'failed: status 1' },
    });
  });

  test('JSON: where ours is wrong, nothing is claimed', () => {
    const [ours, ...others] = result.contenders;
    const json = rowJson({ ...result, contenders: [{ ...ours!, fault: 'wrong: off by 1' }, ...others] });
    expect(json).toMatchObject({ ours: null, ratioToBestPeer: null, shareOfPeak: null });
  });

  test('JSON: what happens once is given in seconds', () => {
    const start: RowResult = { ...result, unit: 's', contenders: [result.contenders[0]!] };
    expect(rowJson(start)).toMatchObject({ ours: 1, peers: {}, ratioToBestPeer: null, unit: 's' });
  });

  test('tables in text and Markdown', () => {
    expect(asText(overview([result]))).toBe(
      [
        'row        ours      best peer  ours / best peer  share of peak',
        'trainStep   128  100 (PyTorch)              1.28           50 %',
      ].join('\n'),
    );
    const lines = asMarkdown(rowTable(result)).split('\n');
    expect(lines[1]).toBe('| --- | ---: | ---: | ---: | ---: | ---: | --- |');
    expect(lines[3]).toBe('| PyTorch | 100 | 1280 ms (1280 ms – 1280 ms) | × 1.28 | 39 % | 1.00 GiB |  |');
    expect(lines[5]).toBe('| broken one | — | — | — | — | — | failed: status 1 |');
  });
});
