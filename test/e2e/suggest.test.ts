import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GivenLabel, GivenLabels } from '../../src/labels/given-labels.js';
import { cli, tiniestSettings } from '../support/cli.js';
import { inProcess } from '../support/in-process.js';
import { tinyClasses, tinySize, writeTinyData } from '../support/tiny-data.js';

let cwd: string;
const quarterturn = (args: string) => cli(args.split(' '), { cwd });
const readJson = async (path: string) => JSON.parse(await fs.readFile(join(cwd, path), 'utf8'));
/** Labels as suggest writes them: each with the hash of its image and its index. */
const readLabels = (path: string): Promise<{ readonly images: readonly Required<GivenLabel>[] }> =>
  readJson(path);

/** The command that suggest prints as the next one. */
const commandIn = (stdout: string) => /^Next {4}(.*)$/m.exec(stdout)?.[1] ?? '';

/** A line as a person pastes it into a shell that finds `quarterturn`. */
async function paste(line: string) {
  const bin = join(cwd, 'bin');
  await fs.mkdir(bin, { recursive: true });
  const program = resolve(import.meta.dirname, '../../bin/quarterturn.js');
  const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
  await fs.writeFile(join(bin, 'quarterturn'), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return promisify(execFile)('sh', ['-c', line], { cwd, env });
}

beforeAll(async () => {
  cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-suggest-'));
  await writeTinyData(join(cwd, 'data'));
  await fs.writeFile(join(cwd, 'tiny.json'), JSON.stringify(tiniestSettings));
  const ended = await quarterturn(
    'pretrain --config tiny.json --data data --threads 1 --quiet --out runs/turns',
  );
  expect(ended).toMatchObject({ code: 0, stderr: '' });
});
afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

describe('suggest, label, fine-tune, suggest again', () => {
  test('suggest writes a list, a labels file and a sheet', async () => {
    const { code, stdout, stderr } = await quarterturn('suggest runs/turns --count 6 --sheet sheet.png');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Data  data: 600 training and 200 test images, 12×12, 3 classes\n',
    });
    const { images } = await readLabels('labels.json');
    expect(images.every(({ image }) => /^[0-9a-f]{32}$/.test(image))).toBe(true);
    expect(images).toHaveLength(6);
    expect(new Set(images.map(({ index }) => index % tinyClasses)).size).toBe(tinyClasses);
    expect(images.every(({ label }) => label === null)).toBe(true);
    expect(stdout).toMatch(/^6 images to label, each typical of many others:$/m);
    for (const { index } of images)
      expect(stdout).toMatch(new RegExp(`^ *${index} {2}[\\d.]+ % of the pile$`, 'm'));
    expect(commandIn(stdout)).toBe(
      'quarterturn run data --labels labels.json --config runs/turns/config.json',
    );
    // All but the command, which is to be pasted as it is.
    const lines = stdout.split('\n').filter((line) => !line.startsWith('Next'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const sheet = await sharp(join(cwd, 'sheet.png')).metadata();
    expect(sheet.width).toBeGreaterThan(6 * tinySize);
  });

  test('the same seed suggests the same, another one other images', async () => {
    const suggested = async (more = '') =>
      JSON.parse(
        (await quarterturn(`suggest runs/turns --count 6 --quiet --json --out again.json${more}`)).stdout,
      );
    const first = await suggested();
    expect(first).toMatchObject({
      run: 'runs/turns',
      strategy: 'typical',
      labels: 'again.json',
      sheet: null,
    });
    expect(first.images.map(({ index }: { index: number }) => index)).toEqual(
      (await readLabels('labels.json')).images.map(({ index }) => index),
    );
    expect((await suggested(' --seed 5')).images).not.toEqual(first.images);
  });

  test('finetune learns from exactly these, its config and its report say so', async () => {
    const { images } = await readLabels('labels.json');
    const text = await fs.readFile(join(cwd, 'labels.json'), 'utf8');
    const { index } = images[0]!;
    const filled = text.replace(
      `"index": ${index}, "label": null`,
      `"index": ${index}, "label": "${index % 3}"`,
    );
    await fs.writeFile(join(cwd, 'labels.json'), filled);
    const ended = await quarterturn('finetune --from runs/turns --labels labels.json --out runs/tuned');
    expect(ended.stderr).toContain('Fine-tuning on 6 labels');
    expect(ended.code).toBe(0);
    const config = await readJson('runs/tuned/config.json');
    expect(config.labels).toEqual({ data: null, ...(await readLabels('labels.json')) });
    expect(config.baselineSteps).toBe(tiniestSettings.baseline.epochs);
    const { classCounts } = await readJson('runs/tuned/exhibits.json');
    const counts = classCounts.map(({ labelled }: { labelled: number }) => labelled);
    expect(counts.reduce((a: number, b: number) => a + b)).toBe(6);
    expect(await fs.readFile(join(cwd, 'runs/tuned/report.html'), 'utf8')).toContain(
      `${index} (${index % 3})`,
    );
    const again = await quarterturn('finetune --resume runs/tuned --labels labels.json');
    expect(again).toMatchObject({ code: 0, stderr: 'runs/tuned is complete: nothing to train.\n' });
  });

  test('labels follow their images to a reordered copy of the data', async () => {
    const count = 600;
    await writeTinyData(join(cwd, 'reordered'));
    for (const [stem, size] of [
      ['images-idx3', tinySize * tinySize],
      ['labels-idx1', 1],
    ] as const) {
      const file = join(cwd, `reordered/train-${stem}-ubyte`);
      const bytes = await fs.readFile(file);
      const items = bytes.subarray(-count * size);
      const before = Uint8Array.from(items);
      for (let i = 0; i < count; i++)
        items.set(before.subarray(i * size, (i + 1) * size), ((7 * i + 5) % count) * size);
      await fs.writeFile(file, bytes);
    }
    const args = 'baseline --data reordered --config tiny.json --labels labels.json';
    const ended = await quarterturn(`${args} --out runs/reordered`);
    expect(ended.stderr).toContain('6 of 6 labelled images have moved in the data and were found again.');
    expect(ended.code).toBe(0);
    const imagesIn = async (run: string) => (await readJson(`${run}/labels.json`)).draws[0].images;
    const byHash = (entries: readonly Record<string, unknown>[]) =>
      entries.map(({ index: _, ...entry }) => entry);
    const [before, after] = [await imagesIn('runs/tuned'), await imagesIn('runs/reordered')];
    expect(byHash(after)).toEqual(byHash(before));
    expect(before.map(({ by }: { by: string }) => by)).toEqual(['given', 'own', 'own', 'own', 'own', 'own']);
    const { images } = (await readJson('runs/reordered/config.json')).labels;
    expect(images.map(({ index }: { index: number }) => index)).toEqual(
      after.map(({ index }: { index: number }) => index),
    );
    const again = await quarterturn('baseline --resume runs/reordered --labels labels.json');
    expect(again).toMatchObject({ code: 0, stderr: 'runs/reordered is complete: nothing to train.\n' });
  });

  test('the command that is printed runs as it is printed, with data, recipe and labels of before', async () => {
    await writeTinyData(join(cwd, "it's mine"));
    const settings = { ...tiniestSettings, preset: 'best', seed: 4 };
    await fs.writeFile(join(cwd, 'best.json'), JSON.stringify(settings));
    const pretrained = await cli(
      ['pretrain', '--config', 'best.json', '--data', "it's mine", '--threads', '1', '--out', 'runs/a b'],
      { cwd },
    );
    expect(pretrained.code).toBe(0);
    const suggested = await cli(['suggest', 'runs/a b', '--count', '9', '--out', 'nine labels.json'], {
      cwd,
    });
    const command = commandIn(suggested.stdout);
    expect(command).toBe(
      "quarterturn run 'it'\\''s mine' --labels 'nine labels.json' --config 'runs/a b/config.json'",
    );

    const { stdout } = await paste(command);
    const run = /^Report {2}(.*)\/report\.html$/m.exec(stdout)![1]!;
    const { labels, ...config } = await readJson(join(run, 'config.json'));
    expect(labels).toEqual({ data: null, ...(await readLabels('nine labels.json')) });
    const before = await readJson('runs/a b/config.json');
    for (const name of ['preset', 'seed', 'network', 'pretrain', 'finetune', 'selfTrain', 'baseline'])
      expect(config[name], name).toEqual(before[name]);
    expect(config.data).toEqual(before.data);
    expect(config.stages).toEqual(['pretrain', 'finetune', 'scratch', 'selfTrain', 'mixture', 'baseline']);
    // Which is more than fine-tuning does.
    expect((await readJson(join(run, 'result.json'))).selfTrain).not.toBeNull();
  });

  test('labels are not lost: they are refused, kept beside new ones, or given up by --force', async () => {
    const before = await readLabels('labels.json');
    const refused = await quarterturn('suggest runs/turns');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/labels\.json: expected [\s\S]*Received: 1 label in it\.[\s\S]*--force/);
    expect(await readLabels('labels.json')).toEqual(before);

    const args = 'suggest runs/tuned --labels labels.json --count 4 --strategy uncertain';
    const more = await quarterturn(args);
    expect(more.code).toBe(0);
    expect(more.stdout).toMatch(/^ *\d+ {2}[012] \(\d+ %\) or [012] \(\d+ %\)$/m);
    const after = await readLabels('labels.json');
    expect(after.images.slice(0, 6)).toEqual(before.images);
    expect(new Set(after.images.map(({ index }) => index)).size).toBe(10);

    expect((await quarterturn('suggest runs/turns --count 1 --force')).code).toBe(0);
    expect((await readLabels('labels.json')).images).toHaveLength(1);
  });

  test.each<[string, number, RegExp, GivenLabels['images'] | string]>([
    ['run', 1, /indices from 0 to 599 of data train\. Received: 600/, [{ index: 600, label: null }]],
    [
      'run',
      1,
      /a class of data train for image 3\. Received: "two"\.[\s\S]*Did you mean/,
      [{ index: 3, label: 'two' }],
    ],
    [
      'baseline',
      1,
      /at least one image of every class\. Received: none of 1, 2\./,
      [{ index: 3, label: null }],
    ],
    ['run', 1, /given\.json: expected a value at line 1, column 1\. Received: "no JSON"/, 'no JSON'],
    ['run --draws 2', 2, /draws: expected 1, since the labels are given/, [{ index: 3, label: null }]],
    ['run --labels-per-class 2', 2, /'--labels <file>' cannot be used with/, [{ index: 3, label: null }]],
    ['suggest runs/turns --strategy best', 2, /--strategy: expected typical or uncertain/, []],
    ['suggest runs/turns --count 0', 2, /--count: expected a whole number from 1 on/, []],
    [
      'suggest runs/turns --strategy uncertain --out u.json',
      1,
      /expected a classifier/,
      [{ index: 3, label: null }],
    ],
    ['suggest runs/none --out u.json', 1, /runs\/none/, [{ index: 3, label: null }]],
  ])('%s fails with status %d', async (args, status, message, images) => {
    await fs.writeFile(
      join(cwd, 'given.json'),
      typeof images === 'string' ? images : JSON.stringify({ images }),
    );
    const before = await fs.readdir(cwd);
    const place = args.startsWith('suggest') ? '' : ' --data data';
    const given = `${args}${place} --labels given.json`.split(' ');
    const { code, stdout, stderr } = await inProcess(given, { cwd });
    expect({ code, stdout }).toEqual({ code: status, stdout: '' });
    expect(stderr).toMatch(message);
    expect(await fs.readdir(cwd)).toEqual(before);
  });
});
