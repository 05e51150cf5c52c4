import { expect, test } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { fitToLabels } from './fit-to-labels.js';
import { labelledIndices } from './labels.js';
import { presets } from './presets.js';
import { parseSettings, type RunSettings } from './settings.js';
import { isMostlyLabelled } from './stages/pretrain.js';

/** Images of 8×8 that have a class, of ten, where `isLabelled` says so. */
function contextOf(count: number, settings: Partial<RunSettings>, isLabelled = (_: number) => true) {
  const images = imagesInMemory({
    ...{ name: 'train', height: 8, width: 8, channels: 1 },
    pixels: new Uint8Array(64 * count),
  });
  const labels = Int32Array.from({ length: count }, (_, i) => (isLabelled(i) ? i % 10 : -1));
  const train = { images, labels, classNames: [...'0123456789'] };
  return { settings: { ...presets.quick, ...settings }, data: { train, origin: '', checksums: {} } };
}

test('a hundred labels change nothing', () => {
  const context = contextOf(20_000, {});
  expect(fitToLabels(context).settings).toEqual(context.settings);
});

test('of many labels, epochs are as many as fit, and without a pile there is no self-training', () => {
  const context = contextOf(20_000, { labelsPerClass: 'all' });
  const { settings } = fitToLabels(context);
  // 400 steps of 50 an epoch: 12 epochs are 4,800, 13 would be 5,200.
  expect(settings.finetune.epochs).toBe(12);
  expect(settings.baseline.epochs).toBe(presets.quick.baseline.epochs);
  expect(settings.selfTrain).toBeNull();
  expect(isMostlyLabelled(context)).toBe(true);
  expect(fitToLabels({ ...context, settings }).settings).toEqual(settings);
});

test('an epoch is the least, and earlier runs keep their epochs', () => {
  const epochs = (maxLabelSteps: number | null) =>
    fitToLabels(contextOf(20_000, { labelsPerClass: 'all', maxLabelSteps })).settings.finetune.epochs;
  expect(epochs(100)).toBe(1);
  expect(epochs(null)).toBe(presets.quick.finetune.epochs);
});

test('all are the images that have a class, once', () => {
  const context = contextOf(100, { labelsPerClass: 'all' }, (i) => i % 4 === 0);
  expect([...labelledIndices(context, 0)]).toEqual(Array.from({ length: 25 }, (_, i) => 4 * i));
  expect(fitToLabels(context).settings.selfTrain).not.toBeNull();
  expect(isMostlyLabelled(context)).toBe(false);
});

test('settings of earlier versions are read, and several draws of all labels refused', () => {
  const { maxLabelSteps: _, ...earlier } = presets.quick;
  expect(parseSettings(earlier)).toMatchObject({ labelsPerClass: 10, maxLabelSteps: null });
  expect(() => parseSettings({ ...presets.quick, labelsPerClass: 'all', draws: 2 })).toThrow('draws');
});
