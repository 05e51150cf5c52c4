import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GivenLabel } from '../../src/labels/given-labels.js';
import type { RunResult } from '../../src/store/run-record.js';
import { cli } from '../support/cli.js';
import { smallSettings, writeMnistSubset } from '../support/mnist-subset.js';

/** Labels that a person gives, of the digits that the images show. */
const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

describe('a pile that nobody has labelled, with no test set', () => {
  let cwd: string;
  const quarterturn = (args: string) => cli(args.split(' '), { cwd });
  /** Of each image of the pile: what only we know. */
  let digits: Uint8Array;

  beforeAll(async () => {
    cwd = await fs.mkdtemp(join(tmpdir(), 'quarterturn-pile-'));
    await writeMnistSubset(join(cwd, 'known'), { train: 400, test: 1 });
    await fs.mkdir(join(cwd, 'pile'));
    await fs.rename(join(cwd, 'known/train-images-idx3-ubyte'), join(cwd, 'pile/train-images-idx3-ubyte'));
    digits = (await fs.readFile(join(cwd, 'known/train-labels-idx1-ubyte'))).subarray(8);
    const settings = { ...smallSettings, finetune: { epochs: 60 } };
    await fs.writeFile(join(cwd, 'small.json'), JSON.stringify(settings));
  });
  afterAll(() => fs.rm(cwd, { recursive: true, force: true }));

  test('cannot be run before there are labels, and says how to get them', async () => {
    const { code, stderr } = await quarterturn('run --data pile --config small.json --out early');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: pile train: expected labels\. Received: images alone\.$/m);
    expect(stderr).toMatch(/^hint: .*quarterturn pretrain.*quarterturn suggest.*--labels/m);
    await expect(fs.access(join(cwd, 'early'))).rejects.toThrow();
  });

  test('goes from pretraining by way of suggested labels to a model and its report', async () => {
    const pretrained = await quarterturn('pretrain --data pile --config small.json --threads 1 --out turns');
    expect(pretrained).toMatchObject({ code: 0 });
    expect(pretrained.stderr).toContain('Data  pile: 400 images, no test set, 28×28, no labels');
    expect((await quarterturn('report turns')).code).toBe(0);

    expect((await quarterturn('suggest turns --count 40')).code).toBe(0);
    const suggested: { readonly images: readonly Required<GivenLabel>[] } = JSON.parse(
      await fs.readFile(join(cwd, 'labels.json'), 'utf8'),
    );
    const images = suggested.images.map((label) => ({ ...label, label: names[digits[label.index]!]! }));
    await fs.writeFile(join(cwd, 'labels.json'), JSON.stringify({ images }));

    const ran = await quarterturn(
      'run --data pile --config small.json --threads 1 --labels labels.json --out ran --json',
    );
    expect(ran).toMatchObject({ code: 0 });
    const result: RunResult = JSON.parse(ran.stdout);
    expect(result).toMatchObject({ final: { test: null }, fineTune: { test: null }, ladder: [] });
    const asked = result.evidence.map(({ stage }) => stage);
    expect(asked.slice(0, 3)).toEqual(['finetune', 'scratch', 'selfTrain']);
    const page = await fs.readFile(join(cwd, 'ran/report.html'), 'utf8');
    expect(page).toContain('seven');
    expect(page).not.toMatch(/\bNaN\b|\bundefined\b|notebook/);

    const evaluated = await quarterturn('evaluate ran --json');
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ final: result.final, evidence: result.evidence });

    const predicted = await quarterturn('predict ran pile/train-images-idx3-ubyte --limit 129 --json');
    expect(predicted.code).toBe(0);
    const rows: readonly { readonly label: string }[] = JSON.parse(predicted.stdout);
    expect(rows).toHaveLength(129);
    const right = rows.filter(({ label }, i) => label === names[digits[i]!]).length;
    // A small network after few steps: far from chance is all that it has to be.
    expect(right / rows.length).toBeGreaterThan(0.4);
  });
});
