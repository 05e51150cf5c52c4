import { describe, expect, test } from 'vitest';
import { describeDuplicates, distinctImages, type KnownImage } from './duplicates.js';

const image = (name: string, row: number, more: Partial<KnownImage> = {}): KnownImage => ({
  name,
  row,
  hash: `hash of row ${row}`,
  ...more,
});
const keptOf = (images: readonly KnownImage[]) =>
  distinctImages(images).images.map(({ name, label }) => (label === undefined ? name : `${name}: ${label}`));

test('different pictures all stay, in their order', () => {
  const images = Array.from({ length: 128 }, (_, i) => image(`${i}`, 127 - i));
  expect(distinctImages(images)).toEqual({ images, duplicates: [] });
});

describe('the same picture twice', () => {
  test('in one part stays once, the first', () => {
    expect(keptOf([image('a', 0), image('b', 1), image('c', 0)])).toEqual(['a', 'b']);
  });

  test('stays with its label, where one copy has one', () => {
    expect(keptOf([image('a', 0), image('b', 0, { label: 'cat' }), image('c', 0, { label: 'cat' })])).toEqual(
      ['b: cat'],
    );
  });

  test.each([
    ['train', 'test', 'b'],
    ['test', 'train', 'a'],
    ['val', 'train', 'a'],
    ['val', 'test', 'b'],
    [undefined, 'test', 'b'],
    ['train', undefined, 'a'],
  ] as const)('in %s and %s', (first, second, kept) => {
    const split = (part: KnownImage['split']) => (part === undefined ? {} : { split: part });
    expect(keptOf([image('a', 0, split(first)), image('b', 0, split(second))])).toEqual([kept]);
  });

  test('with two labels is learned without any', () => {
    const images = [image('a', 0, { label: 'cat', split: 'train' }), image('b', 0, { label: 'dog' })];
    expect(keptOf(images)).toEqual(['a']);
    expect(distinctImages(images).duplicates[0]?.labels).toEqual(['cat', 'dog']);
  });

  test('with two labels is nothing to test by', () => {
    const split = 'test';
    expect(keptOf([image('a', 0, { label: 'cat', split }), image('b', 0, { label: 'dog', split })])).toEqual(
      [],
    );
  });

  test('is tested by the label of its own part, whatever another part says', () => {
    const images = [
      image('a', 0, { label: 'cat', split: 'train' }),
      image('b', 0, { label: 'dog', split: 'test' }),
    ];
    expect(keptOf(images)).toEqual(['b: dog']);
  });
});

test('what is said', () => {
  const { duplicates } = distinctImages([
    image('train/a/1.png', 0, { label: 'a', split: 'train' }),
    image('train/b/copy.png', 0, { label: 'b', split: 'train' }),
    image('train/a/2.png', 1, { label: 'a', split: 'train' }),
    image('test/a/other.png', 1, { label: 'a', split: 'test' }),
    image('train/a/3.png', 2, { label: 'a', split: 'train', hash: 'x' }),
    image('test/a/again.png', 2, { label: 'a', split: 'test', hash: 'y' }),
    image('pile/1.png', 3),
    image('pile/2.png', 3),
  ]);
  expect(describeDuplicates(duplicates)).toEqual([
    '2 test images are also training images (1 byte for byte, 1 only after decoding): test/a/other.png, test/a/again.png. They are left out of training.',
    '1 picture bears more than one label: train/a/1.png: a ≠ train/b/copy.png: b. Training takes such a picture without a label, and no test takes it; settle which one is right.',
    '1 picture comes more than once: pile/1.png. Each is taken once.',
  ]);
  expect(describeDuplicates(duplicates, 'keep').at(-1)).toBe('1 picture comes more than once: pile/1.png.');
});
