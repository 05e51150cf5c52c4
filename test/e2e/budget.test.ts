import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { greatestScale } from '../../src/recipes/plan/budget.js';
import { cli } from '../support/cli.js';
import { byNight } from '../support/nightly.js';
import { writeTinyData } from '../support/tiny-data.js';

/** So short that even the most that a budget makes of it takes a moment. */
const settings = {
  labelsPerClass: 5,
  network: { width: 0.0625 },
  pretrain: { epochs: 2, batchSize: 32, stepsPerEpoch: 3, valFraction: 0.1 },
  finetune: { epochs: 4, batchSize: 15 },
  selfTrain: { epochs: 1, stepsPerEpoch: 2, labelledPerStep: 6, pairsPerStep: 8 },
  baseline: { epochs: 2, batchSize: 15 },
};

let cwd: string;
const quarterturn = (args: string) => cli(args.split(' '), { cwd });
const configOf = async (run: string) => JSON.parse(await fs.readFile(join(cwd, run, 'config.json'), 'utf8'));

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-budget-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(settings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

const common = 'run --config tiny.json --data data --threads 1';

test.runIf(byNight)(
  'a run with more than enough time has the most steps, and is resumed with these',
  async () => {
    const { code, stderr } = await quarterturn(`${common} --budget 1h --out run`);
    expect(stderr).toMatch(/^Measuring this machine …$/m);
    expect(stderr).toMatch(
      /^Budget 1h: 8\.00 times the recipe's steps \(pretraining 48, fine-tuning 32, training from random weights 32, self-training 16\), about /m,
    );
    expect(stderr).toMatch(
      /^Budget is more than is used, it will end after about [\d.]+ (m?s|min.*): 8 times the recipe's steps is the most/m,
    );
    expect(stderr.indexOf('Budget is more')).toBeLessThan(stderr.indexOf('Pretraining on rotations'));
    expect(code).toBe(0);
    expect(greatestScale).toBe(8);
    const config = await configOf('run');
    expect(config).toMatchObject({
      budgetMs: 3_600_000,
      pretrain: { epochs: 2, stepsPerEpoch: 24 },
      finetune: { epochs: 32 },
      selfTrain: { epochs: 1, stepsPerEpoch: 16 },
      baseline: { epochs: 2 },
    });

    await fs.rm(join(cwd, 'run/result.json'));
    const resumed = await quarterturn('run --resume run --budget 1h');
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).not.toContain('Measuring');
    expect(resumed.stderr).toMatch(/48 steps, done before/);
    expect(await configOf('run')).toEqual(config);

    const other = await quarterturn('run --resume run --budget 10m');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('Received: --budget 10m (the run has 1h).');
  },
);

test('pretraining alone takes a budget, and its steps are those of the backbone that is handed on', async () => {
  const { code, stderr } = await quarterturn(
    'pretrain --config tiny.json --data data --threads 1 --budget 20m --out turns',
  );
  expect(stderr).toMatch(/^Budget 20m: 8\.00 times the recipe's steps \(pretraining 48\), about /m);
  expect(code).toBe(0);
  const config = await configOf('turns');
  expect(config).toMatchObject({
    budgetMs: 1_200_000,
    stages: ['pretrain'],
    pretrain: { epochs: 2, stepsPerEpoch: 24 },
    finetune: { epochs: 4 },
    selfTrain: { epochs: 1, stepsPerEpoch: 2 },
  });

  const resumed = await quarterturn('pretrain --resume turns --budget 20m');
  expect(resumed).toMatchObject({ code: 0, stderr: 'turns is complete: nothing to train.\n' });
  const tuned = await quarterturn('finetune --from turns --out tuned');
  expect(tuned.code).toBe(0);
  const after = await configOf('tuned');
  expect(after.pretrain).toEqual(config.pretrain);
  expect(after.budgetMs).toBeUndefined();
});

test('a budget in which nothing fits is refused with one in which it does, and no folder is made', async () => {
  const { code, stdout, stderr } = await quarterturn(`${common} --budget 1s --out none`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    /^error: --budget: expected at least \S+ for this recipe on this machine\. Received: 1s\.$/m,
  );
  expect(stderr).toMatch(/^hint: Try --budget \S+;/m);
  await expect(fs.stat(join(cwd, 'none'))).rejects.toThrow();
});
