import { describe, expect, test } from 'vitest';
import { settingsFor } from '../recipes/presets.js';
import type { RunSettings } from '../recipes/settings.js';
import { runCommand } from './next-command.js';

const commandAfter = (
  settings: RunSettings,
  { stages = ['pretrain'], dataFolder = null as string | null, device = 'cpu' as 'cpu' | 'webgpu' } = {},
) => {
  const config = { ...settings, stages };
  return runCommand('labels.json', {
    path: 'runs/a',
    config,
    settings,
    place: { dataFolder, device },
  });
};

const everything = ['pretrain', 'finetune', 'scratch', 'selfTrain', 'baseline'];

describe('the command that learns from a labels file as a run did', () => {
  test('is short where all is as usual', () => {
    expect(commandAfter(settingsFor('quick'))).toBe('quarterturn run --labels labels.json');
  });

  test('names data and device', () => {
    expect(commandAfter(settingsFor('quick'), { dataFolder: '/data/my images', device: 'webgpu' })).toBe(
      "quarterturn run '/data/my images' --labels labels.json --device webgpu",
    );
  });

  test('repeats how the data is read, with a table of labels', () => {
    const settings = settingsFor('quick');
    const reading = { labelTable: '/data/labels.csv', size: 32, fit: 'cover', colours: 'rgb' } as const;
    const place = { dataFolder: '/data/birds', device: 'cpu', reading } as const;
    expect(runCommand('labels.json', { path: 'runs/a', config: settings, settings, place })).toBe(
      'quarterturn run /data/birds --labels labels.json --label-table /data/labels.csv --size 32 --rgb',
    );
    const table = { fileColumn: 'my photo', labelColumn: 3 };
    const said = { ...place, reading: { labelTable: '/l.csv', table } };
    expect(runCommand('labels.json', { path: 'runs/a', config: settings, settings, place: said })).toContain(
      "--label-table /l.csv --label-columns 'file=my photo,label=3'",
    );
  });

  test('repeats the flags of the recipe', () => {
    expect(commandAfter(settingsFor('best', { seed: 3, width: 0.5, draws: 4 }))).toBe(
      'quarterturn run --labels labels.json --preset best --seed 3 --width 0.5',
    );
  });

  test('repeats the budget of a whole run, not that of pretraining alone', () => {
    const { pretrain, selfTrain, ...rest } = settingsFor('best');
    const fitted: RunSettings = {
      ...rest,
      pretrain: { ...pretrain, epochs: 2, stepsPerEpoch: 37 },
      selfTrain: { ...selfTrain!, epochs: 8, stepsPerEpoch: 77 },
      budgetMs: 600_000,
    };
    expect(commandAfter(fitted, { stages: everything })).toBe(
      'quarterturn run --labels labels.json --preset best --budget 10m',
    );
    expect(commandAfter(fitted)).toBe('quarterturn run --labels labels.json --preset best');
  });

  test('names the config of the run where flags cannot say what it holds', () => {
    const quick = settingsFor('quick');
    const changed = { ...quick, finetune: { ...quick.finetune, batchSize: 20 } };
    expect(commandAfter(changed, { dataFolder: '/data' })).toBe(
      'quarterturn run /data --labels labels.json --config runs/a/config.json',
    );
    expect(commandAfter(settingsFor('quick', { epochs: 1 }))).toContain('--config runs/a/config.json');
  });
});
