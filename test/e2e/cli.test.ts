import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/store/run-record.js';
import { type CliOptions, cli, longestLine, tiniestSettings, tinySettings } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';
import { byNight } from '../support/nightly.js';
import { idx, tinyClasses, tinyImage, tinySize, writeTinyData } from '../support/tiny-data.js';

let cwd: string;
const quarterturn = (args: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  cli(args.split(' ').filter(Boolean), { cwd, ...options });
const readJson = async (path: string) => JSON.parse(await fs.readFile(join(cwd, path), 'utf8'));

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-cli-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(tinySettings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('a run', () => {
  const run = 'runs/whole';
  let result: RunResult;
  let stdout: string;
  let stderr: string;

  beforeAll(async () => {
    const args = `run --config tiny.json --data data --threads 1 --out ${run} --json`;
    const ended = await quarterturn(args);
    ({ stdout, stderr } = ended);
    expect(stderr).toContain('epoch 3/3');
    expect(ended.code).toBe(0);
    result = JSON.parse(stdout);
  });

  test('prints its result as one JSON object, the same as result.json', async () => {
    expect(stdout).toBe(await fs.readFile(join(cwd, run, 'result.json'), 'utf8'));
    const metrics = { accuracy: expect.any(Number), loss: expect.any(Number) };
    const estimateOf15 = expect.objectContaining({ heldBack: 15, level: 0.95, low: expect.any(Number) });
    expect(result).toEqual({
      run,
      preset: 'quick',
      seed: 12,
      pretext: { val: metrics, test: metrics },
      fineTune: { train: metrics, test: metrics },
      baseline: { train: metrics, test: metrics },
      baselineReestimated: { test: metrics },
      scratch: { test: metrics },
      selfTrain: { test: metrics },
      linearProbe: null,
      mixture: { test: null, members: [] },
      final: { stage: expect.stringMatching(/^(finetune|scratch|selfTrain)$/), test: metrics },
      evidence: ['finetune', 'scratch', 'selfTrain'].map((stage) =>
        expect.objectContaining({ stage, found: expect.any(Number), of: 15 }),
      ),
      description: {
        chosen: expect.stringMatching(/^(gradients|rotations)$/),
        compared: ['gradients', 'rotations'].map((kind) =>
          expect.objectContaining({ kind, found: expect.any(Number), of: 15 }),
        ),
      },
      invariances: ['mirroring', 'tones'].map((change) =>
        expect.objectContaining({ change, holds: expect.any(Boolean), share: expect.any(Number) }),
      ),
      estimate: estimateOf15,
      calibration: expect.objectContaining({ heldBack: 15, temperature: expect.any(Number) }),
      failures: [],
      ladder: ['baseline', 'baselineReestimated', 'scratch', 'fineTune', 'selfTrain'].map((figure) => ({
        figure,
        step: expect.any(String),
        test: metrics,
        durationMs: expect.any(Number),
        imagesTrained: expect.any(Number),
      })),
      draws: [0, 1].map((draw) => ({
        draw,
        fineTune: metrics,
        scratch: metrics,
        selfTrain: metrics,
        linearProbe: null,
        mixture: null,
        final: metrics,
        estimate: estimateOf15,
        baseline: metrics,
        baselineReestimated: metrics,
      })),
      durationMs: expect.any(Number),
      trainImagesPerSecond: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
    });
    expect(result.pretext!.test!.accuracy).toBeGreaterThan(0.9);
    expect(result.peakMemoryBytes).toBeGreaterThan(50 * 2 ** 20);
  });

  test('tells its progress in plain lines where stderr is no terminal', () => {
    expect(stdout + stderr).not.toContain('\x1b');
    expect(stderr).not.toContain('\r');
    expect(stderr).toMatch(/^Data {2}data: 600 training and 200 test images, 12×12, 3 classes$/m);
    expect(stderr).toMatch(/^Fine-tuning on 15 labels, draw 1 /m);
  });

  test('leaves its folder as described', async () => {
    expect((await fs.readdir(join(cwd, run))).sort()).toEqual([
      'artifacts.json',
      'checkpoints',
      'config.json',
      'events.jsonl',
      'evidence.json',
      'exhibits.json',
      'labels.json',
      'metrics.jsonl',
      'models',
      'report.html',
      'result.json',
      'status.json',
    ]);
    expect(await readJson(`${run}/config.json`)).toMatchObject({
      preset: 'quick',
      draws: 2,
      network: { width: 0.0625 },
      stages: ['pretrain', 'finetune', 'scratch', 'selfTrain', 'mixture', 'baseline'],
      device: 'cpu',
      threads: 1,
      node: process.version,
      commandLine: `quarterturn run --config tiny.json --data data --threads 1 --out ${run} --json`,
    });
    const lines = (await fs.readFile(join(cwd, run, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(3 + 2 * (8 + 8 + 3 + 4));
  });

  test('report makes the same report again', async () => {
    const path = join(cwd, run, 'report.html');
    const before = await fs.readFile(path, 'utf8');
    await fs.rm(path);
    const { code, stdout } = await quarterturn(`report ${run}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${run}/report.html\n` });
    expect(await fs.readFile(path, 'utf8')).toBe(before);
  });

  test('evaluate finds the figures of result.json and writes nothing', async () => {
    const files = await timesOf(join(cwd, run));
    const { code, stdout } = await quarterturn(`evaluate ${run} --json`);
    const { durationMs: _d, trainImagesPerSecond: _t, peakMemoryBytes: _p, ladder: _l, ...figures } = result;
    expect(code).toBe(0);
    const data = { origin: expect.stringMatching(/data$/), ofTheRun: true };
    expect(JSON.parse(stdout)).toEqual({ ...figures, data });
    expect(await timesOf(join(cwd, run))).toEqual(files);
  });

  test('evaluate on other data says so, and in which file it differs', async () => {
    await writeTinyData(join(cwd, 'unseen'), { train: 600, test: 150 });
    const { code, stdout, stderr } = await quarterturn(`evaluate ${run} --data unseen`);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^Other data than that of the run, .*data: t10k-images-idx3-ubyte with MD5 [0-9a-f]{32}, not [0-9a-f]{32}\.$/m,
    );
    expect(stdout).toContain('On unseen, which is other data than that of the run:\n');
    const json = await quarterturn(`evaluate ${run} --data unseen --json --quiet`);
    expect(JSON.parse(json.stdout)).toMatchObject({
      data: { origin: expect.stringMatching(/unseen$/), ofTheRun: false },
    });
  });

  test('--resume of a complete run prints its table and trains nothing', async () => {
    const { code, stdout, stderr } = await quarterturn(`run --resume ${run}`);
    expect(code).toBe(0);
    expect(stderr).toBe(`${run} is complete: nothing to train.\n`);
    expect(stdout).toContain('Fine-tuned, test accuracy, mean of 2');
    expect(stdout).toContain(`Report  ${run}/report.html\nModel   ${run}/models/classifier.onnx\n`);
    expect(stdout).toMatch(/^what each step brought +test +error +time +images$/m);
    expect(longestLine(stdout)).toBeLessThanOrEqual(80);
    expect(stdout + stderr).not.toContain('\x1b');
  });

  test('flags beside --resume may not change what was begun', async () => {
    const { code, stderr } = await quarterturn(`run --resume ${run} --epochs 3 --seed 5 --preset notebook`);
    expect(code).toBe(2);
    expect(stderr).toContain('Received: --preset notebook (the run has quick), --seed 5 (the run has 12).');
  });

  test('an --out that holds a run is left alone', async () => {
    const files = await timesOf(join(cwd, run));
    const { code, stderr } = await quarterturn(`run --config tiny.json --data data --out ${run}`);
    expect(code).toBe(1);
    expect(stderr).toContain('expected a folder without a run');
    expect(await timesOf(join(cwd, run))).toEqual(files);
  });

  test('too many labels are refused, and no folder is made', async () => {
    const { code, stderr } = await quarterturn('run --data data --labels-per-class 201 --out runs/many');
    expect(code).toBe(1);
    expect(stderr).toContain('expected at least 201 images of class "0". Received: 200.');
    await expect(fs.stat(join(cwd, 'runs/many'))).rejects.toThrow();
  });

  test('other data than the run began with is refused', async () => {
    await fs.cp(join(cwd, run), join(cwd, 'runs/copy'), { recursive: true });
    await fs.rm(join(cwd, 'runs/copy/result.json'));
    await writeTinyData(join(cwd, 'other'), { train: 300, test: 100 });
    const { code, stderr } = await quarterturn('run --resume runs/copy --data other');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /runs\/copy: expected the data that it was started with, .*data\. Received: train-images-idx3-ubyte with MD5 [0-9a-f]{32}, not /,
    );
    const report = await quarterturn('report runs/copy');
    expect(report.code).toBe(1);
    expect(report.stderr).toContain('expected a finished run. Received: one without result.json.');
    expect(report.stderr).toContain('quarterturn run --resume runs/copy');
  });

  test('predict classifies every image of an IDX file as the run did', async () => {
    const args = `predict ${run}/models/classifier.onnx data/t10k-images-idx3-ubyte --json`;
    const { code, stdout, stderr } = await quarterturn(args);
    expect(code).toBe(0);
    // A few labels say little of what is like them.
    expect(stderr).toMatch(/^(\d+ of 200 images are unsure and may show none of the classes: .+\n)?$/);
    const predictions = JSON.parse(stdout) as Record<string, unknown>[];
    expect(predictions).toHaveLength(200);
    const right = predictions.filter((p, i) => p.label === String((600 + i) % tinyClasses)).length;
    expect(right / 200).toBe(result.final!.test!.accuracy);
    const { probabilities, probability } = predictions[7] as {
      probabilities: Record<string, number>;
      probability: number;
    };
    expect(Object.keys(probabilities)).toEqual(['0', '1', '2']);
    expect(Object.values(probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(probability).toBe(Math.max(...Object.values(probabilities)));
    expect(predictions[7]).toMatchObject({ file: 'data/t10k-images-idx3-ubyte', index: 7 });
  });

  test('predict says the same of a picture as PNG and as IDX, one aligned line each', async () => {
    const raw = { width: tinySize, height: tinySize, channels: 1 } as const;
    for (const n of [0, 1]) {
      await sharp(tinyImage(n), { raw })
        .toColourspace('b-w')
        .png()
        .toFile(join(cwd, `picture-${n}.png`));
    }
    const pixels = Buffer.concat([tinyImage(0), tinyImage(1)]);
    await fs.writeFile(join(cwd, 'two'), idx([2, tinySize, tinySize], pixels));
    const { code, stdout } = await quarterturn(`predict ${run} two picture-0.png picture-1.png`);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, 13).trim())).toEqual([
      'two[0]',
      'two[1]',
      'picture-0.png',
      'picture-1.png',
    ]);
    for (const line of lines) expect(line).toMatch(/^.{13} {2}[012] {2} ?[ \d]\d\.\d\d %$/);
    const said = lines.map((line) => line.slice(13));
    expect(said.slice(2)).toEqual(said.slice(0, 2));

    const limited = await quarterturn(`predict ${run} two --limit 1 --json`);
    expect(JSON.parse(limited.stdout)).toHaveLength(1);
  });

  test.each([
    ['predict none.onnx two', /none\.onnx: expected an ONNX model\. Received: no such file/],
    ['predict tiny.json two', /tiny\.json/],
    [
      `predict ${run} none.png`,
      /none\.png: expected an image file, an archive or a folder\. Received: no such file/,
    ],
    [`predict ${run} tiny.json`, /tiny\.json: expected a readable image file\. Received: a text file/],
    [
      `predict ${run} data/train-labels-idx1-ubyte`,
      /train-labels-idx1-ubyte: expected images, \[N, H, W\][\s\S]*Received: \[600\]/,
    ],
  ])('%s fails with a clear message', async (args, message) => {
    const { code, stdout, stderr } = await inProcess(args.split(' '), { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('--debug adds the stack', async () => {
    const { stderr } = await quarterturn('report none --debug');
    expect(stderr).toMatch(/^\s+at .*run-folder/m);
  });

  test('colour only where it is asked for', async () => {
    const forced = await quarterturn('report none', { env: { FORCE_COLOR: '1' } });
    expect(forced.stderr).toContain('\x1b[31merror:\x1b[39m');
    const refused = await quarterturn('report none', { env: { NO_COLOR: '1' } });
    expect(refused.stderr).not.toContain('\x1b');
  });

  test.runIf(byNight)('stage by stage gives what the whole run gave', async () => {
    const common = '--config tiny.json --data data --threads 1 --quiet --json';
    const pretrained = JSON.parse((await quarterturn(`pretrain ${common} --out runs/stages`)).stdout);
    expect(pretrained).toMatchObject({ pretext: result.pretext, fineTune: null, baseline: null, draws: [] });

    const elsewhere = await quarterturn('finetune --from runs/stages --out runs/elsewhere --quiet --json');
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ pretext: null, fineTune: result.fineTune });
    const again = await quarterturn('evaluate runs/elsewhere --quiet --json');
    expect(JSON.parse(again.stdout)).toMatchObject({ pretext: null, fineTune: result.fineTune });

    // On other data it is no mistake, but nothing that goes without saying.
    await writeTinyData(join(cwd, 'more'), { train: 450, test: 150 });
    const other = await quarterturn('finetune --from runs/stages --data more --out runs/other');
    expect(other.code).toBe(0);
    expect(other.stderr).toMatch(
      /^Other data than that of the run, .*data: train-images-idx3-ubyte with MD5 /m,
    );
    expect(await readJson('runs/other/config.json')).toMatchObject({
      data: { origin: expect.stringMatching(/more$/) },
      backboneFrom: { run: 'runs/stages', data: { origin: expect.stringMatching(/data$/) } },
    });

    await quarterturn('finetune --resume runs/stages --quiet');
    const whole = await quarterturn('baseline --resume runs/stages --quiet --json');
    expect(whole.stderr).toBe('');
    // There is no command for self-training alone: these stages end with fine-tuning.
    const { pretext, fineTune, baseline, baselineReestimated } = result;
    const none = { scratch: null, selfTrain: null };
    const draws = result.draws.map((draw) => ({ ...draw, ...none, final: draw.fineTune }));
    const figures = { pretext, fineTune, baseline, baselineReestimated, draws };
    expect(JSON.parse(whole.stdout)).toMatchObject(figures);
  });
});

test('commands that train make their batches on a thread', async () => {
  // Loaded before the program: tells of each thread that is started.
  const spy = join(cwd, 'tell-threads.mjs');
  await fs.writeFile(
    spy,
    `import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread } from 'node:worker_threads';
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, options);
    if (isMainThread) process.stderr.write('thread: ' + options.name + '\\n');
  }
};
syncBuiltinESMExports();
`,
  );
  const env = { NODE_OPTIONS: `--import ${spy}` };
  // Of a single label a class none is held back, which halves a run.
  const pretrain = { ...tiniestSettings.pretrain, epochs: 3 };
  await fs.writeFile(
    join(cwd, 'brief.json'),
    JSON.stringify({ ...tiniestSettings, pretrain, labelsPerClass: 1 }),
  );
  const common = '--config brief.json --data data --draws 1 --threads 1 --quiet --json';
  const begin = `run ${common.replace(' --quiet', '')}`;
  const stopped = await quarterturn(`${begin} --out runs/threads`, {
    ...{ env, signal: { name: 'SIGINT', when: /epoch 2\/3/ } },
  });
  expect({ code: stopped.code, stderr: stopped.stderr }).toMatchObject({
    ...{ code: 130, stderr: expect.stringContaining('thread: batches') },
  });
  for (const args of [
    'run --resume runs/threads --quiet --json',
    `ablate ${common} --variants augmentation --out runs/threads-table`,
  ]) {
    const { code, stderr } = await quarterturn(args, { env });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: 'thread: batches\n' });
  }
});

test('a backbone that --config names is trained, goes on where it was stopped, and classifies', async () => {
  const network = { ...tinySettings.network, backbone: 'residual' };
  await fs.writeFile(
    join(cwd, 'residual.json'),
    JSON.stringify({ ...tinySettings, draws: 1, selfTrain: null, network }),
  );
  const stopped = await quarterturn(
    'run --config residual.json --data data --threads 1 --out runs/residual',
    { signal: { name: 'SIGINT', when: /epoch 2\/3/ } },
  );
  expect(stopped.code).toBe(130);
  const ended = await quarterturn('run --resume runs/residual --json --quiet');
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  expect(await readJson('runs/residual/config.json')).toMatchObject({ network });
  const accuracy = (JSON.parse(ended.stdout) as RunResult).final!.test!.accuracy;
  expect(accuracy).toBeGreaterThan(0.9);

  const { stdout } = await quarterturn('predict runs/residual data/t10k-images-idx3-ubyte --json');
  const predictions = JSON.parse(stdout) as readonly { readonly label: string }[];
  const right = predictions.filter((p, i) => p.label === String((600 + i) % tinyClasses)).length;
  expect(right / predictions.length).toBe(accuracy);

  const summary = await quarterturn('summary --config residual.json');
  expect(summary.stdout).toMatch(/^Residual network, pretraining$/m);
  expect(summary.stdout).toMatch(/^block2\.shortcut \(Conv2D\) +\(14, 14, 8\) +32$/m);
});

async function timesOf(folder: string): Promise<Record<string, number>> {
  const entries = await fs.readdir(folder, { recursive: true });
  const times = entries.map(async (entry) => [entry, (await fs.stat(join(folder, entry))).mtimeMs] as const);
  return Object.fromEntries(await Promise.all(times));
}
