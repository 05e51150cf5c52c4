import { describe, expect, test } from 'vitest';
import { presets } from '../recipes/presets.js';
import { assertSameData, assertSameSettings, dataDifference, fingerprintIn } from './fingerprint.js';

const before = { origin: 'A', checksums: { images: 'a1', labels: 'b2' } };

describe('data', () => {
  test('differs in the first file whose checksum is another one, or that is missing', () => {
    expect(dataDifference(before, { checksums: { images: 'a1', labels: 'b2', more: 'c3' } })).toBeUndefined();
    expect(dataDifference(before, { checksums: { images: 'a1', labels: 'x9' } })).toBe(
      'labels with MD5 x9, not b2',
    );
    expect(dataDifference(before, { checksums: {} })).toBe('images with MD5 none, not a1');
    for (const trusted of [undefined, null])
      expect(dataDifference(trusted, { checksums: {} })).toBeUndefined();
  });

  test('a config holds it, be it with more beside it', () => {
    expect(fingerprintIn({ data: { ...before, more: 1 } })).toEqual(before);
    for (const data of [undefined, 3, { origin: 'A' }, { ...before, checksums: { images: 1 } }]) {
      expect(fingerprintIn({ data })).toBeUndefined();
    }
  });

  test('other data is refused by folder, origin and file', () => {
    assertSameData('runs/a', before, before);
    expect(() => assertSameData('runs/a', before, { checksums: { images: 'z' } })).toThrow(
      'runs/a: expected the data that it was started with, A. Received: images with MD5 z, not a1.',
    );
  });
});

describe('settings', () => {
  const { quick } = presets;

  test('the same are let through, in whatever order', () => {
    assertSameSettings('runs/a', quick, { ...quick });
    assertSameSettings('runs/a', quick, Object.fromEntries(Object.entries(quick).reverse()));
  });

  test.each([
    [{ ...quick, seed: 99 }, `seed 99, not ${quick.seed}`],
    [
      { ...quick, pretrain: { ...quick.pretrain, epochs: 77 } },
      `pretrain.epochs 77, not ${quick.pretrain.epochs}`,
    ],
    [{ ...quick, selfTrain: null }, /selfTrain null, not \{.{59}…/],
    [
      { ...quick, labels: { data: null, images: [{ index: 3, label: null }] } },
      /labels \{"data".*, not null/,
    ],
  ])('others are refused by the leaf that differs', (now, words) => {
    const refused = () => assertSameSettings('runs/a', quick, now);
    expect(refused).toThrow('runs/a: expected the settings that it was started with. Received: ');
    expect(refused).toThrow(words);
  });
});
