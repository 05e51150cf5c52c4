import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backboneNames } from '../nn/network.js';
import { presets, settingsFor } from '../recipes/presets.js';
import { assertUnchanged, chosenSettings } from './settings.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-settings-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

async function configFile(content: unknown): Promise<string> {
  const file = join(folder, 'config.json');
  await fs.writeFile(file, JSON.stringify(content));
  return file;
}

describe('chosenSettings', () => {
  test('is the quick preset where nothing is asked for', async () => {
    expect(await chosenSettings({}, 'pretrain')).toEqual(presets.quick);
    // Of somebody's images all labels are learned from, unless a number or several draws are asked for.
    const labelsPerClass = async (flags: Parameters<typeof chosenSettings>[0]) =>
      (await chosenSettings({ data: 'photos', ...flags }, 'pretrain')).labelsPerClass;
    expect(await labelsPerClass({})).toBe('all');
    expect(await labelsPerClass({ labelsPerClass: 7 })).toBe(7);
    expect(await labelsPerClass({ draws: 3 })).toBe(10);
    expect(await labelsPerClass({ preset: 'notebook' })).toBe(10);
  });

  test('puts flags over the file, and the file over the preset', async () => {
    const config = await configFile({ preset: 'notebook', seed: 1, draws: 3, pretrain: { batchSize: 64 } });
    const settings = await chosenSettings({ config, seed: 2, epochs: 4, width: 0.5 }, 'finetune');
    expect(settings).toEqual({
      ...presets.notebook,
      seed: 2,
      draws: 3,
      network: { ...presets.notebook.network, width: 0.5 },
      pretrain: { ...presets.notebook.pretrain, batchSize: 64 },
      finetune: { ...presets.notebook.finetune, epochs: 4 },
    });
  });

  test('takes another kind of schedule as a whole, the same kind field by field', async () => {
    const constant = { kind: 'constant', learningRate: 0.01 };
    const config = await configFile({
      pretrain: { schedule: constant, optimizer: { kind: 'sgd', momentum: 0.5 } },
    });
    const { pretrain } = await chosenSettings({ config }, 'pretrain');
    expect(pretrain.schedule).toEqual(constant);
    expect(pretrain.optimizer).toEqual({ ...presets.quick.pretrain.optimizer, momentum: 0.5 });
  });

  test("takes a run's own config.json for its settings", async () => {
    const settings = settingsFor('best', { seed: 3, width: 0.5 });
    const run = { startedAt: '2026-01-01', stages: ['pretrain'], kernels: '1', ...settings, budgetMs: 9 };
    expect(await chosenSettings({ config: await configFile(run) }, 'pretrain')).toEqual(settings);
    const seeded = await chosenSettings({ config: await configFile(run), seed: 5 }, 'pretrain');
    expect(seeded).toEqual({ ...settings, seed: 5 });
  });

  test.each(backboneNames)('takes the backbone %s', async (backbone) => {
    const config = await configFile({ network: { backbone } });
    expect((await chosenSettings({ config }, 'pretrain')).network).toEqual({
      ...presets.quick.network,
      backbone,
    });
  });

  test('refuses a backbone that is not there, and names all that are', async () => {
    const config = await configFile({ network: { backbone: 'rotnett' } });
    const error = await chosenSettings({ config }, 'pretrain').catch((refused: Error) => refused);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('network.backbone: ') });
    for (const name of backboneNames) expect((error as Error).message).toContain(`"${name}"`);
  });

  test.each([
    [{ pretrain: { epoch: 3 } }, /pretrain: Unrecognized key: "epoch"/],
    [{ colour: 'red' }, /Received: Unrecognized key: "colour"/],
    [{ preset: 'quik' }, /preset: /],
    [{ network: null }, /network: /],
    [[1], /expected a JSON object/],
  ])('refuses %j', async (content, message) => {
    const refused = chosenSettings({ config: await configFile(content) }, 'pretrain');
    await expect(refused).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  });
});

test('assertUnchanged accepts what the run has, and names the rest', () => {
  const { quick } = presets;
  const same = { seed: quick.seed, epochs: quick.baseline.epochs };
  expect(() => assertUnchanged(same, quick, 'baseline', 'runs/a')).not.toThrow();
  const other = { ...same, width: 2, labelsPerClass: 11 };
  expect(() => assertUnchanged(other, quick, 'baseline', 'runs/a')).toThrow(
    `--labels-per-class 11 (the run has ${quick.labelsPerClass}), --width 2 (the run has ${quick.network.width}).`,
  );
});

test('assertUnchanged speaks of a --budget as it is typed', () => {
  const settings = { ...presets.quick, budgetMs: 600_000 };
  expect(() => assertUnchanged({ budget: 600_000 }, settings, 'pretrain', 'runs/a')).not.toThrow();
  const other = { budget: 5_400_000 };
  expect(() => assertUnchanged(other, settings, 'pretrain', 'runs/a')).toThrow(
    '--budget 1h30m (the run has 10m)',
  );
  expect(() => assertUnchanged(other, presets.quick, 'pretrain', 'runs/a')).toThrow('(the run has none)');
});
