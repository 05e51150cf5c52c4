import { describe, expect, test } from 'vitest';
import { strengths } from '../data/augmentation-policy.js';
import { presets, settingsFor } from './presets.js';
import { parseSettings, settingsOfConfig } from './settings.js';

const { quick } = presets;

/** The settings with the value at a path replaced; nothing in them is in two places. */
function changed(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(quick)) as Record<string, unknown>;
  const keys = path.split('.');
  const parent = keys.slice(0, -1).reduce((object, key) => object[key] as Record<string, unknown>, copy);
  parent[keys.at(-1)!] = value;
  return copy;
}

/** Paths of all numbers in the settings. */
function numbersIn(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([key, leaf]) =>
    typeof leaf === 'number'
      ? [`${path}${key}`]
      : typeof leaf === 'object' && leaf !== null
        ? numbersIn(leaf, `${path}${key}.`)
        : [],
  );
}

describe('every number in the settings', () => {
  const paths = numbersIn(quick);

  test('is among those that are checked', () => {
    expect(paths.length).toBeGreaterThan(60);
    for (const name of Object.keys(presets) as (keyof typeof presets)[]) {
      expect(parseSettings(settingsFor(name))).toEqual(settingsFor(name));
    }
  });

  test.each(paths)('%s has a range, which the error says', (path) => {
    for (const value of [-3, 1e300, Number.NaN, Number.POSITIVE_INFINITY, '1', null, [], { a: 1 }]) {
      // A rate may be null if nothing is to be done, steps where all images are an epoch or nothing bounds them.
      if (value === null && /correctEvery|maxLabelSteps|pretrain\.stepsPerEpoch/.test(path)) continue;
      expect(() => parseSettings(changed(path, value), 'my.json')).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: expect.stringMatching(
            new RegExp(
              `^my\\.json: expected valid settings\\. Received: ${path.replaceAll('.', '\\.')}: .*expected a (whole )?number (from|above) [^]* not .+\\.$`,
            ),
          ),
        }),
      );
    }
  });
});

test.each([
  ['selfTrain.pairsPerStep', 1e8, 'expected a whole number from 1 to 16384, not 100000000'],
  ['seed', 2 ** 53, 'expected a whole number from 0 to 9007199254740991, not 9007199254740992'],
  ['finetune.batchSize', 12.5, 'expected a whole number from 1 to 65536, not 12.5'],
  ['network.width', 0, 'expected a number above 0 and at most 8, not 0'],
  [
    'pretrain.batchSize',
    50,
    'expected a multiple of 4, since the turns of an image lie in one batch (grouped)',
  ],
])('%s of %d is refused in so many words', (path, value, message) => {
  expect(() => parseSettings(changed(path, value))).toThrow(`${path}: ${message}`);
});

test('batches that are not grouped may have any size', () => {
  const pretrain = { ...quick.pretrain, grouped: false, batchSize: 50 };
  expect(parseSettings({ ...quick, pretrain }).pretrain.batchSize).toBe(50);
});

test('a seed may be any whole number that a double holds', () => {
  for (const seed of [1e9 + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    expect(parseSettings({ ...quick, seed }).seed).toBe(seed);
  }
});

test("what a run's config.json holds beside the settings is passed over; what is no object is refused", () => {
  expect(settingsOfConfig({ ...quick, startedAt: 'today', stages: [] }, 'runs/a')).toEqual(quick);
  for (const config of [null, [], 'text', 3]) {
    expect(() => settingsOfConfig(config, 'runs/a')).toThrow(expect.objectContaining({ code: 'usage' }));
  }
});

describe('augmentation', () => {
  const strong = quick.finetune.augmentation;
  const parsed = (augmentation: unknown) =>
    parseSettings({ ...quick, finetune: { ...quick.finetune, augmentation } }).finetune.augmentation;

  test('what the settings of an earlier version lack is off', () => {
    const { rotateDegrees, scale, shiftFraction, shearFraction } = strengths.strong;
    const earlier = { rotateDegrees, scale, shiftFraction, shearFraction };
    expect(parsed(earlier)).toEqual({ ...strengths.none, ...earlier });
  });

  test('hold any strength', () => {
    for (const strength of Object.values(strengths)) expect(parsed(strength)).toEqual(strength);
  });

  test('are refused by name', () => {
    expect(() => parsed({ ...strong, cutoutFraction: 2 })).toThrow(/finetune\.augmentation\.cutoutFraction/);
    expect(() => parsed({ ...strong, flip: true })).toThrow(/flip/);
  });
});
