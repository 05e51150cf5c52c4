import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Contender, runContender } from '../../bench/contender.js';
import { inferenceFlops, multiplyAdds, trainingFlops } from '../../bench/flops.js';
import { findPyTorches } from '../../bench/machine.js';
import { lowerNaively, naiveVersion } from '../../bench/naive-lowering.js';
import { parseOptions } from '../../bench/options.js';
import { cosinesOf } from '../../bench/programs/cosines.js';
import { disagreement } from '../../bench/results.js';
import { allRows, groups } from '../../bench/rows.js';
import { networkOf, quickNetwork, quickSteps, rotnet, stepSettings } from '../../bench/settings.js';
import { scaleToLengthOne } from '../../src/features/length-one.js';
import type { Graph } from '../../src/graph/index.js';
import { createNetwork } from '../../src/nn/network.js';
import { encodeModel } from '../../src/onnx/encode.js';
import { Random } from '../../src/random/random.js';
import { stageGraph } from '../../src/recipes/plan/stage-graph.js';
import { presets } from '../../src/recipes/presets.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
import { nearestNeighbours } from '../../src/similarity/neighbours.js';
import { encodeSafetensors } from '../../src/store/safetensors.js';
import { sizeOf, tensor } from '../../src/tensor/tensor.js';
import { buildTrainStep } from '../../src/train/train-step.js';
import { goldenDifferences, goldenStep } from '../support/golden-step.js';

describe('floating-point operations of one image', () => {
  const image = { height: 28, width: 28, channels: 1 };
  const network = createNetwork({ backbone: 'rotnet', width: 1, image }, 4);

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
  const golden = JSON.parse(readFileSync(new URL('../golden/rotnet-step.json', import.meta.url), 'utf8'));
  const { graph, inputs } = goldenStep(golden);
  const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
  const program = await runtime.load(encodeModel(lowerNaively(graph), naiveVersion));
  expect(goldenDifferences(golden, await program.run(inputs))).toEqual([]);
  await program.release();
});

const { pytorches: installed } = findPyTorches();

test.skipIf(installed.length === 0)(
  'PyTorch’s programs make maps of one channel in the layout asked for',
  () => {
    const script = [
      'import torch',
      'from maps import to_maps',
      'images = torch.full((128, 28, 28, 1), 51, dtype=torch.uint8).permute(0, 3, 1, 2)',
      'maps = [to_maps(images, f) for f in (torch.contiguous_format, torch.channels_last)]',
      'print(*[(m.stride(), round(m.max().item(), 6), m.dtype) for m in maps])',
    ].join('\n');
    const { stdout } = spawnSync(installed[0]!.python, ['-c', script], {
      cwd: fileURLToPath(new URL('../../bench/python', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(
      '((784, 784, 28, 1), 0.2, torch.float32) ((784, 1, 28, 1), 0.2, torch.float32)',
    );
  },
);

test.skipIf(installed.length === 0)('PyTorch’s networks have as many parameters as ours', () => {
  const networks = [rotnet, quickNetwork];
  const script = [
    'from networks import network',
    'count = lambda *settings: sum(p.numel() for p in network(*settings).parameters())',
    `print(${networks.map(({ backbone, width }) => `count('${backbone}', ${width}, 10)`).join(', ')})`,
  ].join('\n');
  const cwd = fileURLToPath(new URL('../../bench/python', import.meta.url));
  const { stdout } = spawnSync(installed[0]!.python, ['-c', script], { cwd, encoding: 'utf8' });
  const ours = networks.map((flags) => {
    const params = networkOf(flags, 10).specs.filter(({ kind }) => kind === 'param');
    return params.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  });
  expect(stdout.trim()).toBe(ours.join(' '));
});

test.skipIf(installed.length === 0)(
  'PyTorch’s neighbours are ours: cosines in float64 of each row and those found for it agree',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
    try {
      const count = 3;
      const random = Random.seeded(5);
      const data = Float32Array.from({ length: 70 * 8 }, () => random.uniform(0, 1));
      for (let i = 0; i < 70; i++) scaleToLengthOne(data.subarray(i * 8, (i + 1) * 8));
      const rows = tensor('float32', [70, 8], data);
      const path = join(folder, 'rows.safetensors');
      writeFileSync(path, encodeSafetensors({ rows }));
      const python = fileURLToPath(new URL('../../bench/python/neighbours.py', import.meta.url));
      const peer: Contender = {
        name: 'PyTorch',
        role: 'peer',
        program: [installed[0]!.python, python],
        flags: { library: 'torch', count, rows: path },
      };
      const { checks } = await runContender(peer, { warmup: 0, steps: 1 }, 60);
      const runtime = await createNodeRuntime({ device: 'cpu', threads: 1 });
      const { indices } = await nearestNeighbours(rows, { runtime }, { count, title: 'rows' });
      expect(disagreement(cosinesOf(rows, indices, count), checks, 1e-7)).toBeUndefined();
      indices[4] = (indices[4]! + 1) % 70;
      expect(disagreement(cosinesOf(rows, indices, count), checks, 1e-5)).toMatch(/^wrong/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('the quick preset’s steps are the graphs that its runs have', () => {
  const image = { height: 28, width: 28, channels: 1, classes: 10 };
  for (const [stage, { flags, batchSize }] of [
    ['train', quickSteps.pretrain],
    ['selfTrain', quickSteps.selfTrain],
  ] as const) {
    const step = buildTrainStep(stepSettings(flags, { batchSize, batch: 'images' }));
    const bytes = (graph: Graph) => encodeModel(lowerNaively(graph), naiveVersion);
    const own = stageGraph(presets.quick, image, stage);
    expect(own.batchSize).toBe(batchSize);
    expect(Buffer.from(bytes(step)).equals(bytes(own.graph)), stage).toBe(true);
  }
});

const pytorches = [
  { python: 'python3', label: 'PyTorch 1.13.0' },
  { python: '/opt/newer/python', label: 'PyTorch 2.6.0' },
];
const searchers = [{ python: 'python3', library: 'faiss', label: 'faiss 1.7.3' }];
const rows = allRows({ threads: 2, pytorches, searchers });
const rowNamed = (name: string) => rows.find((row) => row.name === name)!;

describe('rows', () => {
  test('groups name rows, each of which has one contender of ours and a name of its own', () => {
    const names = rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of Object.values(groups).flat()) expect(names).toContain(name);
    for (const { contenders } of rows) {
      expect(contenders.filter(({ role }) => role === 'ours')).toHaveLength(1);
      expect(new Set(contenders.map(({ name }) => name)).size).toBe(contenders.length);
    }
  });

  test('each PyTorch takes part as installed and with its allocator tuned, in both layouts', () => {
    const peers = rows.find(({ name }) => name === 'trainStep')!.contenders.filter((c) => c.role === 'peer');
    expect(peers.map(({ name }) => name)).toEqual(
      ['PyTorch 1.13.0', 'PyTorch 2.6.0'].flatMap((label) =>
        ['as installed', 'allocator tuned'].flatMap((allocator) =>
          ['channels_last', 'contiguous'].map((layout) => `${label}, ${allocator}, ${layout}`),
        ),
      ),
    );
    for (const { name, env, program } of peers) {
      const tuned = {
        MALLOC_MMAP_THRESHOLD_: '4294967296',
        MALLOC_TRIM_THRESHOLD_: '8589934592',
        MALLOC_TOP_PAD_: '268435456',
      };
      expect(env, name).toEqual(name.includes('tuned') ? tuned : {});
      expect(program[0], name).toBe(name.startsWith('PyTorch 2.6') ? '/opt/newer/python' : 'python3');
    }
    const scripted = rows
      .find(({ name }) => name === 'inference1')!
      .contenders.filter(({ name }) => name.endsWith(', TorchScript'));
    expect(scripted).toHaveLength(4);
  });

  test('training rows have a gate, by the first PyTorch’s float64; without PyTorch nothing is judged', () => {
    const { gate } = rows[0]!;
    expect(gate?.reference).toMatchObject({ name: 'PyTorch 1.13.0 in float64', flags: { double: 1 } });
    expect(gate?.witnesses.map(({ name }) => name)).toEqual([
      'PyTorch 1.13.0 in float32, channels_last',
      'PyTorch 1.13.0 in float32, contiguous',
      'PyTorch 2.6.0 in float32, channels_last',
      'PyTorch 2.6.0 in float32, contiguous',
    ]);
    const alone = allRows({ threads: 2, pytorches: [] })[0]!;
    expect(alone.gate).toBeUndefined();
    expect(alone.contenders.map(({ name }) => name)).toEqual(['ours', 'naive lowering']);
  });

  test('steps of the quick preset have the same gate and peers as the notebook’s, in its own numbers', () => {
    const names = (name: string) => rowNamed(name).contenders.map((contender) => contender.name);
    for (const name of ['pretrainStep', 'selfTrainStep']) {
      expect(names(name)).toEqual(names('trainStep'));
      expect(rowNamed(name).gate?.witnesses).toHaveLength(4);
    }
    for (const { flags } of rowNamed('selfTrainStep').contenders) {
      expect(flags).toMatchObject({
        backbone: 'compact',
        width: 0.25,
        classes: 10,
        weightDecay: 5e-4,
        labelSmoothing: 0.1,
        averageDecay: 0.99,
      });
    }
    expect(rowNamed('selfTrainStep').title).toMatch(/Compact network of width 0\.25, batch 256, 2 threads$/);
    expect(rowNamed('pretrainStep').title).toMatch(/batch 128/);
  });

  test('neighbours: PyTorch and other libraries, with as many threads as ours', () => {
    const { contenders, tolerance } = rowNamed('neighbours');
    expect(contenders.map(({ name }) => name)).toEqual([
      'ours',
      'PyTorch 1.13.0, as installed',
      'PyTorch 1.13.0, allocator tuned',
      'PyTorch 2.6.0, as installed',
      'PyTorch 2.6.0, allocator tuned',
      'faiss 1.7.3, as installed',
      'faiss 1.7.3, allocator tuned',
    ]);
    expect(contenders.at(-1)).toMatchObject({
      flags: { library: 'faiss', count: 10 },
      env: { OPENBLAS_NUM_THREADS: '2', MALLOC_TOP_PAD_: '268435456' },
    });
    expect(tolerance).toBe(1e-5);
  });

  test('--width stands in place of each row’s own, whichever its network', () => {
    const narrow = allRows({ threads: 2, pytorches, width: 0.125 });
    for (const name of ['trainStep', 'selfTrainStep', 'predict']) {
      for (const { flags } of narrow.find((row) => row.name === name)!.contenders) {
        if ('width' in flags) expect(flags.width, name).toBe(0.125);
      }
    }
  });

  test('--only takes rows and groups, in the table’s order; anything else is refused', () => {
    const names = rows.map(({ name }) => name);
    expect(parseOptions(['--only', 'dataPath,trainStep', '--rounds', '2'], names)).toMatchObject({
      only: ['trainStep', 'dataPathRotate', 'dataPathAugment'],
      rounds: 2,
      json: false,
    });
    expect(parseOptions([], names)).toMatchObject({ only: names, limitSeconds: 180 });
    expect(parseOptions(['--limit', '60'], names).limitSeconds).toBe(60);
    expect(() => parseOptions(['--only', 'trainstep'], names)).toThrow(/Received: trainstep/);
    expect(() => parseOptions(['--steps', '1.5'], names)).toThrow(
      '--steps: expected a whole number from 1 on. Received: 1.5.',
    );
  });
});
