import { describe, expect, it } from 'vitest';
import { type AugmentationPolicy, policyFor, requirePolicy, strengths } from './augmentation-policy.js';

describe('policyFor', () => {
  it('turns fractions of the shorter side into pixels, and leaves the rest', () => {
    const strength = { ...strengths.none, rotateDegrees: 8, shiftFraction: 0.05, elasticFraction: 0.1 };
    expect(policyFor(40, 60, strength)).toEqual({
      rotateDegrees: 8,
      scale: 0,
      aspect: 0,
      shiftPixels: 2,
      shearFraction: 0,
      elasticPixels: 4,
      cutoutFraction: 0,
      flipHorizontal: false,
      contrast: 0,
      brightness: 0,
    });
    expect(policyFor(60, 40, strength)).toEqual(policyFor(40, 60, strength));
  });

  it.each(Object.entries(strengths))('%s keeps what is upright upright, and unmirrored', (_, strength) => {
    expect(strength.rotateDegrees).toBeLessThan(45);
    expect(strength.flipHorizontal).toBe(false);
    expect(() => requirePolicy(policyFor(28, 28, strength))).not.toThrow();
  });
});

describe('requirePolicy', () => {
  const policy = policyFor(28, 28, strengths.strong);

  it.each<[keyof AugmentationPolicy, unknown, string]>([
    ['rotateDegrees', 181, 'a number from 0 to 180'],
    ['scale', 1, 'a number from 0 to below 1'],
    ['aspect', 1, 'a number from 0 to below 1'],
    ['shiftPixels', -1, 'a number of 0 or more'],
    ['shearFraction', Number.NaN, 'a number of 0 or more'],
    ['elasticPixels', Number.POSITIVE_INFINITY, 'a number of 0 or more'],
    ['cutoutFraction', 1.1, 'a number from 0 to 1'],
    ['contrast', 2, 'a number from 0 to 1'],
    ['brightness', undefined, 'a number from 0 to 1'],
    ['flipHorizontal', 1, 'true or false'],
  ])('refuses %s %s by name', (name, value, expected) => {
    expect(() => requirePolicy({ ...policy, [name]: value })).toThrow(
      `augmentation ${name}: expected ${expected}. Received: ${value}.`,
    );
  });

  it('takes the bounds themselves', () => {
    const bounds = { rotateDegrees: 180, cutoutFraction: 1, contrast: 1, brightness: 1 };
    expect(() => requirePolicy({ ...policy, ...bounds })).not.toThrow();
  });
});
