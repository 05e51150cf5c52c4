import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { inferenceFlops, multiplyAdds, trainingFlops } from '../../bench/flops.js';
import { findPyTorches } from '../../bench/machine.js';
import { lowerNaively, naiveVersion } from '../../bench/naive-lowering.js';
import { parseOptions } from '../../bench/options.js';
import { allRows, groups } from '../../bench/rows.js';
import { createNetwork } from '../../src/nn/network.js';
import { encodeModel } from '../../src/onnx/encode.js';
import { createNodeRuntime } from '../../src/runtime/node.js';
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
      'from rotnet import to_maps',
      'images = torch.full((128, 28, 28, 1), 51, dtype=torch.uint8).permute(0, 3, 1, 2)',
      'maps = [to_maps(images, f) for f in (torch.contiguous_format, torch.channels_last)]',
      'print(*[(m.stride(), round(m.max().item(), 6), m.dtype) for m in maps])',
    ].join('\n');
    const { stdout } = spawnSync(installed[0]!.python, ['-c', script], {
      cwd: fileURLToPath(new URL('../../bench/torch', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(
      '((784, 784, 28, 1), 0.2, torch.float32) ((784, 1, 28, 1), 0.2, torch.float32)',
    );
  },
);

const pytorches = [
  { python: 'python3', label: 'PyTorch 1.13.0' },
  { python: '/opt/newer/python', label: 'PyTorch 2.6.0' },
];
const rows = allRows({ threads: 2, pytorches });

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
