import { describe, expect, it, test } from 'vitest';
import { MemoryStore } from '../store/checkpoint.js';
import { notStarted } from '../store/progress.js';
import { meanCost, variantStages, variants } from './ablation.js';
import { presets } from './presets.js';
import { parseSettings, type RunSettings } from './settings.js';

const { quick, notebook } = presets;
const whole: RunSettings = { ...quick, draws: 2 };
const suggested = { data: null, images: [{ index: 5, label: null }] };
const named = (name: string) => variants.find((variant) => variant.name === name)!;
const settingsOf = (name: string, settings = whole) =>
  named(name).change(settings, { blocks: 2, suggested })!;

const stagesOf = (name: string) => variantStages(named(name), settingsOf(name));

/** Paths at which two settings differ. */
function differences(a: unknown, b: unknown, path = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const records = [a, b].every((x) => typeof x === 'object' && x !== null && !Array.isArray(x));
  if (!records) return [path];
  const keys = [...new Set([...Object.keys(a as object), ...Object.keys(b as object)])];
  return keys.flatMap((key) =>
    differences(
      (a as Record<string, unknown>)[key],
      (b as Record<string, unknown>)[key],
      path === '' ? key : `${path}.${key}`,
    ),
  );
}

describe('variants', () => {
  it('have names of their own that are good for folders, titles that leave room for figures, valid settings', () => {
    expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
    for (const { name, title } of variants) {
      expect(name).toMatch(/^[a-z][a-z-]*$/);
      expect(title.length).toBeLessThanOrEqual(40);
      expect(stagesOf(name)).not.toContain('pretrain');
      expect(parseSettings(settingsOf(name))).toEqual(settingsOf(name));
    }
  });

  test.each([
    ['baseline', 'statistics', []],
    ['statistics', 'augmentation', []],
    ['augmentation', 'fine-tuned', []],
    ['frozen', 'fine-tuned', ['finetune.frozenBlocks']],
    ['fine-tuned', 'self-training', ['selfTrain']],
    ['augmentation', 'self-training-alone', ['selfTrain']],
    ['self-training', 'self-training-alone', ['selfTrain.start']],
    ['self-training-alone', 'views', ['selfTrain.teacher']],
    ['views', 'fixmatch', ['selfTrain.informationWeight', 'selfTrain.pseudoLabelWeight']],
    ['self-training-alone', 'suggested', ['draws', 'labels']],
  ])('the settings of %s and %s differ in what their names say', (a, b, paths) => {
    expect(differences(settingsOf(a), settingsOf(b)).sort()).toEqual(paths);
  });

  test.each([
    ['baseline', ['baseline']],
    ['statistics', ['baseline']],
    ['augmentation', ['scratch']],
    ['frozen', ['finetune']],
    ['fine-tuned', ['finetune']],
    ['self-training', ['finetune', 'selfTrain']],
    ['self-training-alone', ['scratch', 'selfTrain']],
    ['views', ['scratch', 'selfTrain']],
    ['fixmatch', ['scratch', 'selfTrain']],
    ['suggested', ['scratch', 'selfTrain']],
  ])('%s trains what its figure needs', (name, stages) => {
    expect(stagesOf(name)).toEqual(stages);
  });

  it('the whole recipe is one of them, as it is', () => {
    expect(variants.map(({ name }) => settingsOf(name))).toContainEqual(whole);
  });

  it('leave out what a recipe does not have', () => {
    const possible = variants.filter((variant) =>
      variant.change(notebook, { blocks: 3, suggested: undefined }),
    );
    expect(possible.map(({ name }) => name)).toEqual(['baseline', 'statistics', 'frozen', 'fine-tuned']);
  });
});

test('meanCost is that of one draw, with all that it builds on', async () => {
  const store = new MemoryStore();
  const save = (name: string, trainMs: number, imagesTrained: number) =>
    store.saveCheckpoint(name, {
      tensors: {},
      state: { ...notStarted('finetune', 0), trainMs, imagesTrained },
    });
  await save('finetune', 1000, 10);
  await save('finetune-draw1', 3000, 10);
  await save('selfTrain', 500, 7);
  await save('selfTrain-draw1', 500, 9);
  const context = { store, settings: whole };
  const pretraining = { durationMs: 10_000, imagesTrained: 50 };
  expect(await meanCost(['finetune', 'selfTrain'], context, pretraining)).toEqual({
    durationMs: 12_500,
    imagesTrained: 68,
  });
  expect(await meanCost(['finetune'], context, undefined)).toEqual({
    durationMs: 2000,
    imagesTrained: 10,
  });
});
