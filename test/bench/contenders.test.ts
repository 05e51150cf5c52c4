import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { type Contender, runContender } from '../../bench/contender.js';
import { Fixtures } from '../../bench/fixtures.js';
import { findPyTorches } from '../../bench/machine.js';
import { jobsOf, measureRow } from '../../bench/measure.js';
import { Progress } from '../../bench/progress.js';
import { driftSentence } from '../../bench/render.js';
import { bestPeerOf, rowJson } from '../../bench/results.js';
import type { Row } from '../../bench/rows.js';

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
    await vi.waitFor(
      () => {
        const state = readFileSyncOr(`/proc/${pid}/stat`, 'gone').split(') ')[1]?.[0] ?? 'gone';
        expect(['gone', 'Z']).toContain(state);
      },
      { timeout: 60_000 },
    );
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
