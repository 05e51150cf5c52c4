import { describe, expect, it } from 'vitest';
import { augmentBatch } from '../data/augmentation.js';
import { policyFor, strengths } from '../data/augmentation-policy.js';
import { Random } from '../random/random.js';
import { tensor } from '../tensor/tensor.js';
import { augmentImages } from './augment.js';
import { presets } from './presets.js';
import { parseSettings } from './settings.js';

const quick = presets.quick.finetune.augmentation!;

it('augmentImages changes a batch in place, lengths taken from its shorter side', () => {
  const pixels = Uint8Array.from({ length: 2 * 10 * 7 * 3 }, (_, i) => (i * 37) % 256);
  const images = tensor('uint8', [2, 10, 7, 3], pixels.slice());
  augmentImages(images, { ...strengths.strong, cutoutFraction: 0.5 }, Random.seeded(4));
  const policy = policyFor(10, 7, { ...strengths.strong, cutoutFraction: 0.5 });
  const shape = { count: 2, height: 10, width: 7, channels: 3 };
  expect(images.data).toEqual(augmentBatch(pixels, shape, policy, Random.seeded(4)));
});

describe('settings', () => {
  const parsed = (augmentation: unknown) =>
    parseSettings({ ...presets.quick, finetune: { ...presets.quick.finetune, augmentation } }).finetune
      .augmentation;

  it('what the settings of an earlier version lack is off', () => {
    const { rotateDegrees, scale, shiftFraction, shearFraction } = quick;
    const earlier = { rotateDegrees, scale, shiftFraction, shearFraction };
    expect(parsed(earlier)).toEqual({ ...strengths.none, ...earlier });
  });

  it('hold any strength', () => {
    for (const strength of Object.values(strengths)) expect(parsed(strength)).toEqual(strength);
  });

  it('are refused by name', () => {
    expect(() => parsed({ ...quick, cutoutFraction: 2 })).toThrow(/finetune\.augmentation\.cutoutFraction/);
    expect(() => parsed({ ...quick, flip: true })).toThrow(/flip/);
  });
});
