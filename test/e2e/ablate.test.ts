import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';
import { byNight } from '../support/nightly.js';
import { writeTinyData } from '../support/tiny-data.js';

const bin = resolve(import.meta.dirname, '../../bin/quarterturn.js');

const settings = {
  // Of a single label a class none is held back, which halves a run.
  labelsPerClass: 1,
  network: { width: 0.0625 },
  pretrain: { epochs: 2, batchSize: 32, stepsPerEpoch: 3, valFraction: 0.1 },
  finetune: { epochs: 3, batchSize: 3 },
  selfTrain: { epochs: 1, stepsPerEpoch: 4, labelledPerStep: 6, pairsPerStep: 8 },
  baseline: { epochs: 2, batchSize: 3 },
};

let cwd: string;
const quarterturn = (args: string) => cli(args.split(' '), { cwd });
const read = (path: string) => fs.readFile(join(cwd, path), 'utf8');
const begin = 'ablate --config tiny.json --data data --threads 1 --draws 2 --out table';

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-ablate-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(settings));
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('two variants, two draws', () => {
  let first: Awaited<ReturnType<typeof quarterturn>>;
  let table: Record<string, unknown> & { rows: Record<string, unknown>[] };

  beforeAll(async () => {
    first = await quarterturn(`${begin} --variants fine-tuned,frozen --json`);
    expect(first.stderr).toContain('Variant 2 of 2');
    expect(first.code).toBe(0);
    table = JSON.parse(first.stdout);
  });

  test('pretrain once, then train each; the table has them in its own order', async () => {
    expect(first.stderr.match(/^Pretraining on rotations {2}/gm)).toHaveLength(1);
    expect(first.stderr).toMatch(
      /^Variant 1 of 2: \+ rotation pretraining, backbone frozen {2}\(ETA of all /m,
    );
    expect(table).toMatchObject({ folder: 'table', variants: ['frozen', 'fine-tuned'] });
    const row = {
      accuracies: [expect.any(Number), expect.any(Number)],
      mean: expect.any(Number),
      deviation: expect.any(Number),
      trainSeconds: expect.any(Number),
      // 2 × 3 batches of 32, and 3 batches of 3.
      imagesTrained: 192 + 9,
    };
    expect(table.rows).toEqual([
      { variant: 'frozen', title: expect.any(String), ...row },
      { variant: 'fine-tuned', title: expect.any(String), ...row },
    ]);
    const markdown = await read('table/ablation.md');
    expect(markdown.split('\n')).toHaveLength(5);
    expect((await fs.readdir(join(cwd, 'table'))).sort()).toEqual([
      'ablation.json',
      'ablation.md',
      'fine-tuned',
      'frozen',
      'pretraining',
    ]);
    expect(JSON.parse(await read('table/frozen/config.json'))).toMatchObject({
      stages: ['finetune'],
      draws: 2,
      finetune: { frozenBlocks: 3 },
      selfTrain: null,
    });
    await fs.access(join(cwd, 'table/frozen/report.html'));
  });

  test('again in the same folder: nothing is trained, the table is the same', async () => {
    const again = await quarterturn('ablate --resume table --json');
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(/^table is complete: nothing to train\.$/m);
    expect(again.stderr).not.toMatch(/Pretraining|Fine-tuning/);
    expect(JSON.parse(again.stdout).rows).toEqual(table.rows);

    const shown = await quarterturn(`${begin} --variants frozen`);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^\+ rotation pretraining, fine-tuned +\d/m);
    expect(shown.stdout).toContain('Table  table/ablation.md\n');
    for (const line of shown.stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  });

  test.runIf(byNight)(
    'more variants: what they have in common with others is not trained again',
    async () => {
      const more = await quarterturn('ablate --resume table --variants self-training,fixmatch,suggested');
      expect(more.stderr).toMatch(/^Variant 3 of 5: \+ self-training /m);
      expect(more.code).toBe(0);
      expect(more.stderr).not.toMatch(/^Pretraining/m);
      expect(more.stderr).toMatch(/^Fine-tuning on 3 labels {2}3 epochs, 3 steps, done before$/m);
      expect(more.stderr).toMatch(/^Fine-tuning on 3 labels, draw 1 {2}3 epochs, 3 steps, done before$/m);
      expect(more.stderr.match(/^Self-training on .* 4 steps$/gm)).toHaveLength(5);
      const { rows } = JSON.parse(await read('table/ablation.json'));
      expect(rows.slice(0, 2)).toEqual(table.rows);
      const selfTrained = 4 * (6 + 2 * 8);
      expect(rows.slice(2)).toMatchObject([
        { variant: 'self-training', imagesTrained: 192 + 9 + selfTrained },
        { variant: 'fixmatch', imagesTrained: 9 + selfTrained },
        { variant: 'suggested', imagesTrained: 9 + selfTrained, deviation: null },
      ]);
      const { labels, draws } = JSON.parse(await read('table/suggested/config.json'));
      expect(draws).toBe(1);
      expect(labels.images).toHaveLength(3);
    },
  );

  test('other data is refused by the file that differs, and the table stays as it was', async () => {
    await writeTinyData(join(cwd, 'other'), { train: 601, test: 200 });
    const before = await read('table/ablation.json');
    for (const args of ['ablate --resume table --data other', `${begin} --variants views --data other`]) {
      const { code, stdout, stderr } = await quarterturn(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^error: table: expected the data that it was started with, .*data\. Received: train-images-idx3-ubyte with MD5 [0-9a-f]{32}, not [0-9a-f]{32}\.$/m,
      );
    }
    expect(await read('table/ablation.json')).toBe(before);
  });

  test('a run on other data that was put into the table is refused, finished or not', async () => {
    const other = await quarterturn(
      'ablate --config tiny.json --data other --threads 1 --draws 2 --out mixed --variants baseline',
    );
    expect(other.code).toBe(0);
    for (const [name, change] of [
      ['finished', async () => {}],
      ['begun', () => fs.rm(join(cwd, 'begun/baseline/result.json'))],
    ] as const) {
      await fs.cp(join(cwd, 'table'), join(cwd, name), { recursive: true });
      await fs.cp(join(cwd, 'mixed/baseline'), join(cwd, name, 'baseline'), { recursive: true });
      await change();
      const { code, stderr } = await quarterturn(`ablate --resume ${name} --variants baseline`);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^error: ${name}/baseline: expected the data that it was started with, .*other\\. Received: train-images`,
          'm',
        ),
      );
    }
  });

  test('a run with other settings that was put into the table is refused by the setting', async () => {
    await fs.cp(join(cwd, 'table'), join(cwd, 'altered'), { recursive: true });
    const file = join(cwd, 'altered/frozen/config.json');
    const config = JSON.parse(await fs.readFile(file, 'utf8'));
    await fs.writeFile(file, JSON.stringify({ ...config, finetune: { ...config.finetune, epochs: 5 } }));
    const { code, stderr } = await quarterturn('ablate --resume altered');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'error: altered/frozen: expected the settings that it was started with. Received: finetune.epochs 3, not 5.',
    );
  });

  test('a second one on the same folder is refused while the first runs, and nothing is left', async () => {
    const args = `${begin.replace('table', 'shared')} --variants baseline,frozen`.split(' ');
    const first = spawn(process.execPath, [bin, ...args], { cwd, stdio: 'ignore' });
    const ended = once(first, 'exit');
    while (!existsSync(join(cwd, 'shared/ablation.json'))) await sleep(10);
    // Meanwhile it stands still, so that it is not done before the others have looked.
    first.kill('SIGSTOP');
    for (const args of ['ablate --resume shared', begin.replace('table', 'shared')]) {
      const second = await quarterturn(args);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(
        /^error: shared: expected a run that no other process writes\. Received: process \d+\.$/m,
      );
    }
    first.kill('SIGCONT');
    expect(await ended).toEqual([0, null]);
    expect((await fs.readdir(join(cwd, 'shared'))).sort()).toEqual([
      'ablation.json',
      'ablation.md',
      'baseline',
      'frozen',
      'pretraining',
    ]);
  });

  test('a document that was damaged is refused by its fields', async () => {
    await fs.mkdir(join(cwd, 'damaged'));
    await fs.writeFile(
      join(cwd, 'damaged/ablation.json'),
      JSON.stringify({ ...table, rows: [{ ...table.rows[0], accuracies: [null, 2] }] }),
    );
    const { code, stderr } = await quarterturn('ablate --resume damaged');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: damaged\/ablation\.json: expected what quarterturn ablate wrote\. Received: rows\.0\.accuracies\.0: /m,
    );
    expect(await fs.readdir(join(cwd, 'damaged'))).toEqual(['ablation.json']);
  });

  test('other settings are refused', async () => {
    const { code, stderr } = await quarterturn('ablate --resume table --draws 3');
    expect(code).toBe(2);
    expect(stderr).toContain('Received: --draws 3 (the run has 2).');
  });
});

test.each([
  [
    'ablate --variants baseline,nothing --data data',
    /--variants: expected some of baseline, [\s\S]*Received: nothing\./,
  ],
  ['ablate --variants baseline,, --data data', /--variants: expected names with commas between/],
  ['ablate --preset notebook --variants self-training', /--variants: [\s\S]*Received: self-training\./],
  ['ablate --preset notebook --budget 1h', /--budget: expected a preset that can be scaled/],
])('%s is wrong usage, and nothing is made', async (args, message) => {
  const before = await fs.readdir(cwd);
  const { code, stdout, stderr } = await inProcess(args.split(' '), { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(await fs.readdir(cwd)).toEqual(before);
});

test('a folder without a table is no table to go on with', async () => {
  const { code, stderr } = await inProcess('ablate --resume data'.split(' '), { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain('data: expected a folder of quarterturn ablate.');
});
