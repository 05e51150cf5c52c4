import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { type Contender, runContender } from '../bench/contender.js';
import { Fixtures } from '../bench/fixtures.js';
import { inferenceFlops, multiplyAdds, trainingFlops } from '../bench/flops.js';
import { allowedDrift, driftOf, outOfDrift } from '../bench/gate.js';
import { findPyTorches } from '../bench/machine.js';
import { jobsOf, measureRow } from '../bench/measure.js';
import { lowerNaively, naiveVersion } from '../bench/naive-lowering.js';
import { parseOptions } from '../bench/options.js';
import { Progress } from '../bench/progress.js';
import { asMarkdown, asText, driftSentence, overview, rowTable } from '../bench/render.js';
import {
  bestPeerOf,
  disagreement,
  isFaulty,
  median,
  type RowResult,
  rowJson,
  speedOf,
} from '../bench/results.js';
import { allRows, groups, type Row } from '../bench/rows.js';
import { createNetwork } from '../src/nn/network.js';
import { encodeModel } from '../src/onnx/encode.js';
import { createNodeRuntime } from '../src/runtime/node.js';
import { goldenDifferences, goldenStep } from './support/golden-step.js';

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
  const golden = JSON.parse(readFileSync(new URL('./golden/rotnet-step.json', import.meta.url), 'utf8'));
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
      cwd: fileURLToPath(new URL('../bench/torch', import.meta.url)),
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
      {
        name: 'wrong one',
        role: 'peer',
        fault: { kind: 'wrong', text: 'wrong: off by 1' },
        speed: speed([10]),
      },
      { name: 'broken one', role: 'peer', fault: { kind: 'failed', text: 'failed: status 1' } },
      { name: 'naive lowering', role: 'yardstick', speed: speed([1600]) },
    ],
  };

  test('JSON: the best peer is the fastest whose numbers are right; a yardstick is none', () => {
    expect(rowJson(result)).toEqual({
      ours: 128,
      bestPeer: 'PyTorch',
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
    const json = rowJson({
      ...result,
      contenders: [{ ...ours!, fault: { kind: 'wrong', text: 'wrong: off by 1' } }, ...others],
    });
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
    expect(lines[3]).toBe(
      '| PyTorch | 100 | 1280 ms (1280 ms – 1280 ms) | × 1.28 | 39 % | 1.00 GiB | best peer |',
    );
    expect(lines[5]).toBe('| broken one | — | — | — | — | — | failed: status 1 |');
  });

  const several: RowResult = {
    name: 'trainStep',
    title: 'Training step',
    unit: 'images/s',
    contenders: [
      { name: 'ours', role: 'ours', speed: speed([1000]) },
      { name: 'PyTorch 1.13.0, as installed', role: 'peer', speed: speed([1600]) },
      { name: 'PyTorch 1.13.0, allocator tuned', role: 'peer', speed: speed([800]) },
      { name: 'PyTorch 2.6.0, allocator tuned', role: 'peer', speed: speed([1280]) },
      {
        name: 'PyTorch 2.6.0, TorchScript',
        role: 'peer',
        fault: { kind: 'outOfTime', text: 'out of time: did not end within 60 s' },
      },
    ],
    drift: { steps: 10, largest: { ours: 2.5e-5, 'PyTorch 1.13.0 in float32': 3.1e-5 } },
  };

  test('of several PyTorches the fastest is the peer, and the only ratio is against it, in our favour or not', () => {
    expect(bestPeerOf(several)?.name).toBe('PyTorch 1.13.0, allocator tuned');
    expect(rowJson(several)).toMatchObject({
      bestPeer: 'PyTorch 1.13.0, allocator tuned',
      ratioToBestPeer: 0.8,
      faults: { 'PyTorch 2.6.0, TorchScript': 'out of time: did not end within 60 s' },
      lossDrift: { ours: 2.5e-5 },
    });
    expect(asText(overview([several])).split('\n')[1]).toBe(
      'trainStep   128  160 (PyTorch 1.13.0, allocator tuned)              0.80           50 %',
    );
    expect(rowTable(several).map((line) => [line[0], line[3], line[6]])).toEqual([
      ['', 'ours is', ''],
      ['ours', '', ''],
      ['PyTorch 1.13.0, as installed', '', ''],
      ['PyTorch 1.13.0, allocator tuned', '× 0.80', 'best peer'],
      ['PyTorch 2.6.0, allocator tuned', '', ''],
      ['PyTorch 2.6.0, TorchScript', '—', 'out of time: did not end within 60 s'],
    ]);
    expect(driftSentence(several)).toBe(
      'Largest distance of 10 losses from float64’s: ours 2.5e-5, PyTorch 1.13.0 in float32 3.1e-5.',
    );
  });

  test('a peer that takes too long is no alarm; ours that does, or anything that failed, is', () => {
    expect(isFaulty(several)).toBe(false);
    expect(isFaulty(result)).toBe(true);
    const { fault } = several.contenders.at(-1)!;
    expect(isFaulty({ ...several, contenders: [{ name: 'ours', role: 'ours', fault: fault! }] })).toBe(true);
  });
});

describe('the gate', () => {
  // Distances from float64 of the first ten losses at width 0.25, as they were measured.
  const channelsLast = [1.2e-5, 1.2e-6, 6.4e-6, 2.2e-6, 1.0e-5, 2.4e-5, 4.4e-6, 2.2e-5, 2.5e-5, 1.3e-5];
  const contiguous = [8.0e-8, 1.9e-7, 1.3e-7, 7.6e-7, 1.3e-6, 1.3e-6, 1.2e-6, 1.5e-6, 7.4e-6, 1.7e-5];
  const ours = [3.6e-6, 7.8e-6, 8.0e-6, 1.6e-5, 2.0e-5, 1.1e-5, 1.2e-5, 8.0e-6, 1.6e-5, 1.4e-5];
  /** The same program with a learning rate that is 1 % too large, and with a momentum of 0.89 instead of 0.9. */
  const rateOff = [3.6e-6, 3.9e-5, 7.2e-5, 1.4e-4, 2.0e-4, 2.9e-4, 2.9e-4, 4.3e-4, 4.6e-4, 6.3e-4];
  const momentumOff = [3.6e-6, 9.0e-6, 4.6e-5, 1.3e-4, 2.6e-4, 4.4e-4, 5.3e-4, 8.7e-4, 1.1e-3, 1.5e-3];
  const exact = contiguous.map((_, i) => 1.5 - 0.01 * i);
  const drift = (distances: readonly number[]) =>
    driftOf(
      exact.map((loss, i) => loss + (i % 2 === 0 ? 1 : -1) * distances[i]!),
      exact,
    );
  const allowed = allowedDrift([drift(channelsLast), drift(contiguous)]);

  test('drift is the largest distance so far', () => {
    expect(driftOf([1, 2.5, 3], [1, 2, 3.25])).toEqual([0, 0.5, 0.5]);
    expect(driftOf([1], [1, 2])).toEqual([0, Number.NaN]);
  });

  test('what is allowed grows with the drift of the closest PyTorch', () => {
    expect(
      allowedDrift([
        [0, 2e-5, 2e-5],
        [1e-5, 1e-5, 3e-5],
      ]),
    ).toEqual([2e-5, 8e-5, 1.4e-4].map((x) => expect.closeTo(x, 9)));
  });

  test('right implementations pass; a wrong rate or momentum that 1e-3 would let pass does not', () => {
    expect(outOfDrift(drift(ours), allowed)).toBeUndefined();
    expect(outOfDrift(drift(rateOff), allowed)).toMatch(/^wrong: off float64 by 7\.2e-5 in step 3 /);
    expect(outOfDrift(drift(momentumOff), allowed)).toMatch(/^wrong: off float64 by 1\.3e-4 in step 4 /);
    expect(outOfDrift([Number.NaN], allowed)).toMatch(/^wrong/);
  });
});

describe('running contenders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => vi.unstubAllEnvs());

  /** A contender that appends its name to `turns` and then does what its JavaScript says. */
  const fake = (name: string, role: Contender['role'], script: string): Contender => ({
    name,
    role,
    program: [
      process.execPath,
      '-e',
      `require('fs').appendFileSync(${JSON.stringify(join(folder, 'turns'))}, ${JSON.stringify(`${name}\n`)}); ${script}`,
      '--',
    ],
    flags: {},
  });
  const reports = (stepMs: number, checks: readonly number[] = [1]) =>
    `console.log(JSON.stringify({ version: 'fake', imagesPerStep: 1, stepMs: [${stepMs}], peakMemoryBytes: 1, checks: ${JSON.stringify(checks)} }))`;
  const forever = 'setInterval(() => {}, 1000)';
  const turns = () => readFileSync(join(folder, 'turns'), 'utf8').trim().split('\n');
  const measure = (row: Partial<Row> & Pick<Row, 'contenders'>, limitSeconds = 20) => {
    writeFileSync(join(folder, 'turns'), '');
    const whole: Row = { name: 'row', title: 'Row', threads: 1, unit: 'images/s', stepFactor: 1, ...row };
    const bench = { rounds: 2, steps: 1, warmup: 0, limitSeconds, versions: new Set<string>() };
    const progress = new Progress(jobsOf([whole], bench.rounds));
    return measureRow({ ...bench, fixtures: new Fixtures(folder), progress }, whole, 1e9);
  };

  test('one that runs out of its time is ended with all that it started', async () => {
    const pidFile = join(folder, 'pid');
    // As a wrapper script that waits for its Python.
    const program = ['/bin/sh', '-c', `sleep 300 & echo $! > '${pidFile}'; wait; true`];
    const contender: Contender = { name: 'sleeper', role: 'peer', program, flags: {} };
    await expect(runContender(contender, {}, 1)).rejects.toThrow('did not end within 1 s');
    const pid = readFileSync(pidFile, 'utf8').trim();
    // Whoever inherits a killed process may take a moment to bury it.
    await vi.waitFor(() => {
      const state = readFileSyncOr(`/proc/${pid}/stat`, 'gone').split(') ')[1]?.[0] ?? 'gone';
      expect(['gone', 'Z']).toContain(state);
    });
  });

  test('a time limit does not stop the row: it is shown, and the fastest of the others is the peer', async () => {
    const row = await measure(
      {
        contenders: [
          fake('ours', 'ours', reports(10)),
          fake('sleeper', 'peer', forever),
          fake('slow', 'peer', reports(25)),
          fake('fast', 'peer', reports(20)),
          fake('hopeless', 'peer', reports(31)),
        ],
      },
      4,
    );
    expect(bestPeerOf(row)?.name).toBe('fast');
    expect(rowJson(row)).toMatchObject({
      ratioToBestPeer: 2,
      faults: { sleeper: 'out of time: did not end within 4 s' },
    });
    // In the second round neither who ran out of time runs, nor who cannot become the fastest.
    expect(turns()).toEqual(['ours', 'sleeper', 'slow', 'fast', 'hopeless', 'ours', 'slow', 'fast']);
  });

  test('losses are judged by float64, and PyTorch’s float32 is what they are judged with', async () => {
    const contenders = [
      fake('ours', 'ours', reports(10, [1.00004, 2.001])),
      fake('peer', 'peer', reports(20)),
      fake('naive', 'yardstick', reports(30, [1.00003, 2.0003])),
    ];
    const witnesses = [
      fake('close', 'reference', reports(1, [1.00001, 2.0001])),
      fake('far', 'reference', reports(1, [1.005, 2.005])),
    ];
    const reference = fake('float64', 'reference', reports(1, [1, 2]));
    const row = await measure({ contenders, gate: { steps: 2, reference, witnesses } });
    expect(rowJson(row)).toMatchObject({
      ours: null,
      faults: { ours: 'wrong: off float64 by 1.0e-3 in step 2 (allowed: 4.4e-4)' },
      lossDrift: {
        close: expect.closeTo(1e-4, 7),
        far: expect.closeTo(5e-3, 7),
        naive: expect.closeTo(3e-4, 7),
      },
    });
    expect(Object.keys(rowJson(row).faults!)).toEqual(['ours']);
  });

  test('where float64 runs out of its time, nobody is judged and the row says so', async () => {
    const contenders = [fake('ours', 'ours', reports(10, [7])), fake('peer', 'peer', reports(20))];
    const gate = {
      steps: 1,
      reference: fake('float64', 'reference', forever),
      witnesses: [fake('witness', 'reference', reports(1))],
    };
    const row = await measure({ contenders, gate }, 4);
    expect(driftSentence(row)).toBe('No losses were judged: float64 out of time: did not end within 4 s.');
    expect(rowJson(row)).toMatchObject({ ours: 100, ratioToBestPeer: 2 });
  });

  test('no contender inherits what tunes memory or number libraries; its own variables it gets', async () => {
    vi.stubEnv('OPENBLAS_CORETYPE', 'Haswell');
    vi.stubEnv('MALLOC_ARENA_MAX', '1');
    vi.stubEnv('BENCH_TEST', 'stays');
    const names = ['OPENBLAS_CORETYPE', 'MALLOC_ARENA_MAX', 'MALLOC_TOP_PAD_', 'BENCH_TEST'];
    const script = `console.log(JSON.stringify({ version: ${JSON.stringify(names)}.map((n) => process.env[n] ?? '-').join(' ') }))`;
    const contender = { ...fake('env', 'peer', script), env: { MALLOC_TOP_PAD_: '5' } };
    expect((await runContender(contender, {}, 20)).version).toBe('- - 5 stays');
  });

  test('PYTHON names several Pythons; each is labelled by its PyTorch, and one without is named and left out', () => {
    const python = (name: string, script: string) => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const [old, newer, none, again] = [
      python('old', 'echo 1.13.0a0'),
      python('newer', 'echo 2.6.0+debian'),
      python('none', 'exit 1'),
      python('again', 'echo 2.6.0+cpu'),
    ];
    vi.stubEnv('PYTHON', [old, newer, none].join(delimiter));
    expect(findPyTorches()).toEqual({
      pytorches: [
        { python: old, label: 'PyTorch 1.13.0a0' },
        { python: newer, label: 'PyTorch 2.6.0' },
      ],
      notes: [`PYTHON names ${none}, which cannot \`import torch\` and is left out.`],
    });
    vi.stubEnv('PYTHON', [newer, again].join(delimiter));
    expect(findPyTorches().pytorches.map(({ label }) => label)).toEqual([
      `PyTorch 2.6.0 of ${newer}`,
      `PyTorch 2.6.0 of ${again}`,
    ]);
  });
});

/** A file's text, or something else where there is no such file. */
function readFileSyncOr(path: string, otherwise: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : otherwise;
}
