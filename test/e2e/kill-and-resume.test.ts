import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeCheckpoint } from '../../src/store/checkpoint.js';
import { RunFolder } from '../../src/store/run-folder.node.js';
import { type CliOptions, cli, tiniestSettings } from '../support/cli.js';
import { writeTinyData } from '../support/tiny-data.js';

/** How often runs are killed at random moments; `npm run nightly` has time for a hundred. */
const kills = Number(process.env.QUARTERTURN_KILL_ROUNDS ?? 1);
/** By night two, of which each is killed; run.test.ts stops a second draw at any time. */
const draws = kills > 1 ? 2 : 1;
const ofLastDraw = (name: string, inner: string) => (draws > 1 ? `${name}${inner}${draws - 1}` : name);

/** Every stage, in so few steps that what is done again after a kill is little more than the start of it. */
const settings = {
  ...tiniestSettings,
  draws,
  pretrain: { ...tiniestSettings.pretrain, epochs: 3, stepsPerEpoch: 8 },
  finetune: { ...tiniestSettings.finetune, epochs: 3 },
  selfTrain: { ...tiniestSettings.selfTrain, epochs: 2 },
  baseline: { ...tiniestSettings.baseline, epochs: 2 },
};

let cwd: string;
const quarterturn = (args: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  cli(args.split(' '), { cwd, ...options });
const begin = (folder: string, options: Omit<CliOptions, 'cwd'> = {}) =>
  quarterturn(`run --config tiny.json --data data --threads 1 --out ${folder}`, options);

/** What a run ends in: the tensors of all its checkpoints, its epochs and figures without times. */
async function outcomeOf(folder: string) {
  const path = join(cwd, folder);
  const tensors: Record<string, unknown> = {};
  for (const file of (await fs.readdir(join(path, 'checkpoints'))).sort()) {
    tensors[file] = decodeCheckpoint(file, await fs.readFile(join(path, 'checkpoints', file))).tensors;
  }
  const lines = (await fs.readFile(join(path, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  const epochs = lines.map((line) => {
    const { durationMs: _d, waitMs: _w, imagesPerSecond: _i, ...rest } = JSON.parse(line);
    return rest;
  });
  const { pretext, fineTune, scratch, selfTrain, mixture, final, ...others } = JSON.parse(
    await fs.readFile(join(path, 'result.json'), 'utf8'),
  );
  const model = await fs.readFile(join(path, 'models/classifier.onnx'));
  const { baseline, baselineReestimated, draws } = others;
  const figures = {
    pretext,
    fineTune,
    scratch,
    selfTrain,
    mixture,
    final,
    baseline,
    baselineReestimated,
    draws,
  };
  return { tensors, epochs, figures, model };
}

let whole: Awaited<ReturnType<typeof outcomeOf>>;
/** About how long a run takes from start to end. */
let wholeMs: number;

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-kill-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(settings));
  const started = performance.now();
  expect((await begin('whole')).code).toBe(0);
  wholeMs = performance.now() - started;
  whole = await outcomeOf('whole');
  expect(Object.keys(whole.tensors)).toHaveLength(1 + 5 * draws);
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('a stopped run goes on to the same end, bit for bit', () => {
  test('after Ctrl-C, which saves and says how to go on', async () => {
    const stopped = await begin('stopped', {
      signal: { name: 'SIGINT', when: /^Pretraining/m, afterMs: 100 },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toBe('');
    expect(stopped.stderr).toContain('Saving after this step.');
    expect(stopped.stderr).toMatch(
      /^stopped: (Pretraining on rotations: stopped at step \d+ of 24, saved|rotations of \S+ images: stopped after .*)\.$/m,
    );
    expect(stopped.stderr).toMatch(/^hint: Go on with: quarterturn run --resume stopped$/m);
    expect(await fs.readdir(join(cwd, 'stopped'))).not.toContain('.lock');

    const resumed = await quarterturn('run --resume stopped');
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/24 steps, (resumed after step \d+|done before)/);
    expect(await outcomeOf('stopped')).toEqual(whole);
  });

  /** One run for all of them: after each it is resumed, and killed further on. */
  test('after kill -9 in every stage, one after the other', async () => {
    const moments: readonly (readonly [stage: RegExp, afterMs: number])[] = [
      [/^Pretraining/m, 60], // before its first epoch
      [/^epoch 2\/3/m, 0],
      [/^Fine-tuning on 15 labels {2}/m, 100],
      [/^Training from random weights on 15 labels {2}/m, 100],
      [/^Self-training on 585 unlabelled images {2}/m, 100],
      [new RegExp(ofLastDraw('^Supervised baseline on 15 labels', ', draw '), 'm'), 100],
    ];
    for (const [when, afterMs] of moments) {
      const options = { signal: { name: 'SIGKILL', when, afterMs } } as const;
      const begun = existsSync(join(cwd, 'killed/config.json'));
      const killed = await (begun ? quarterturn('run --resume killed', options) : begin('killed', options));
      expect(killed.code, `${when}: ${killed.stderr}`).toBeNull();
    }
    expect((await quarterturn('run --resume killed')).code).toBe(0);
    expect(await outcomeOf('killed')).toEqual(whole);
  });

  test(
    `after ${kills} times kill -9 at any moment, several in one run`,
    async () => {
      for (let [run, killed] = [0, 0]; killed < kills; run++) {
        const folder = `random-${run}`;
        const goOn = async (options?: Omit<CliOptions, 'cwd'>) =>
          existsSync(join(cwd, folder, 'config.json'))
            ? quarterturn(`run --resume ${folder}`, options)
            : begin(folder, options);
        const moments: string[] = [];
        for (let i = 0; i < 4 - (run % 4) && killed < kills; i++) {
          const afterMs = Math.round(Math.random() * wholeMs);
          const { code } = await goOn({ signal: { name: 'SIGKILL', afterMs } });
          if (code === null) killed++;
          moments.push(code === null ? `${afterMs} ms` : 'not killed');
        }
        const { code, stderr } = await goOn();
        const when = `killed after ${moments.join(', ')}`;
        expect(code, `${when}: ${stderr}`).toBe(0);
        expect(await outcomeOf(folder), when).toEqual(whole);
        const left = (await fs.readdir(join(cwd, folder), { recursive: true })).sort();
        expect(left, when).toEqual((await fs.readdir(join(cwd, 'whole'), { recursive: true })).sort());
        await fs.rm(join(cwd, folder), { recursive: true });
      }
    },
    180_000 + 60_000 * kills,
  );

  test('after losing a checkpoint whose epoch was already on record', async () => {
    await fs.cp(join(cwd, 'whole'), join(cwd, 'lost'), { recursive: true });
    await fs.rm(join(cwd, 'lost/result.json'));
    await fs.rm(join(cwd, `lost/checkpoints/${ofLastDraw('baseline', '-draw')}.safetensors`));
    expect((await quarterturn('run --resume lost')).code).toBe(0);
    expect(await outcomeOf('lost')).toEqual(whole);
  });
});

describe('what cannot go on says why and overwrites nothing', () => {
  /** A copy of the whole run in which pretraining has three more epochs to go. */
  async function unfinished(folder: string, change: (settings: Record<string, unknown>) => void) {
    await fs.cp(join(cwd, 'whole'), join(cwd, folder), { recursive: true });
    await fs.rm(join(cwd, folder, 'result.json'));
    // Without fingerprints, as an earlier version left it: what was trained with other settings is taken on trust.
    await fs.rm(join(cwd, folder, 'artifacts.json'));
    const file = join(cwd, folder, 'config.json');
    const config = JSON.parse(await fs.readFile(file, 'utf8'));
    config.pretrain.epochs = 6;
    change(config.pretrain);
    await fs.writeFile(file, JSON.stringify(config));
  }
  const checkpoint = (folder: string) => fs.readFile(join(cwd, folder, 'checkpoints/pretrain.safetensors'));

  test('a loss that is no number: stage, step, and the checkpoint from before', async () => {
    await unfinished('diverging', (pretrain) => {
      // Weights grow a thousand million times at each step.
      pretrain.schedule = { kind: 'constant', learningRate: 1e9 };
      pretrain.optimizer = { kind: 'sgd', momentum: 0, weightDecay: 1 };
    });
    const before = await checkpoint('diverging');
    const { code, stdout, stderr } = await quarterturn('run --resume diverging');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: Pretraining on rotations: expected a? ?finite \w+ at step (2[5-9]|3\d)\b/m,
    );
    expect(stderr).toContain('hint: Nothing was overwritten');
    expect(await checkpoint('diverging')).toEqual(before);
  });

  test('a checkpoint of another architecture', async () => {
    await unfinished('mixed', () => {});
    const narrow = await quarterturn(
      'pretrain --config tiny.json --data data --threads 1 --width 0.03125 --epochs 1 --out narrow',
    );
    expect(narrow.code).toBe(0);
    const other = await checkpoint('narrow');
    await fs.writeFile(join(cwd, 'mixed/checkpoints/pretrain.safetensors'), other);
    const metrics = await fs.readFile(join(cwd, 'mixed/metrics.jsonl'), 'utf8');

    const { code, stderr } = await quarterturn('run --resume mixed');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: pretrain: expected the tensors of this network\. Received: block1\.conv1\S* is \[4[,\]]/m,
    );
    expect(await checkpoint('mixed')).toEqual(other);
    expect(await fs.readFile(join(cwd, 'mixed/metrics.jsonl'), 'utf8')).toBe(metrics);
  });

  test('an unfinished pretraining is no backbone', async () => {
    await unfinished('early', () => {});
    const { code, stderr } = await quarterturn('finetune --from early --out late');
    expect(code).toBe(1);
    expect(stderr).toContain('early: expected a finished pretraining. Received: 3 of 6 epochs.');
    await expect(fs.stat(join(cwd, 'late'))).rejects.toThrow();
  });

  test('a run that another process writes', async () => {
    const folder = await RunFolder.open(join(cwd, 'whole'));
    try {
      const { code, stderr } = await quarterturn('run --resume whole');
      expect(code).toBe(1);
      expect(stderr).toContain(
        `expected a run that no other process writes. Received: process ${process.pid}.`,
      );
    } finally {
      await folder.close();
    }
  });

  test('a folder that cannot be written', async () => {
    await fs.writeFile(join(cwd, 'file'), '');
    const { code, stderr } = await begin('file/run');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: file\/run: expected to write it\. Received: ENOTDIR/m);
    expect(stderr).toContain('hint: Give another --out folder');
  });
});
