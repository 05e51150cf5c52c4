import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GlyphClass,
  glyph,
  glyphAt,
  glyphClasses,
  glyphPng,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import type { FoundImage, FoundImages, Split } from '../data/readers/found-images.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { evaluateModel } from './evaluate-model.node.js';

let classifier: LoadedClassifier;
let files: Readonly<Record<GlyphClass, Uint8Array>>;

beforeAll(async () => {
  classifier = await loadGlyphClassifier();
  files = { 1: await glyphPng('1'), 3: await glyphPng('3'), 7: await glyphPng('7') };
});
afterAll(() => classifier.release());

/** Image i shows a glyph in turn; its label is that glyph's name, if no other is given. */
function image(
  i: number,
  more: { label?: string | undefined; split?: Split; bytes?: Uint8Array } = {},
): FoundImage {
  const { label = glyphAt(i), split, bytes = files[glyphAt(i)] } = more;
  return {
    name: `${label}/${i}.png`,
    ...('label' in more && more.label === undefined ? {} : { label }),
    ...(split !== undefined && { split }),
    read: async () => ({ kind: 'file', bytes }),
  };
}

const foundOf = (images: readonly FoundImage[]): FoundImages => ({
  format: 'folder',
  origin: 'photos',
  images,
  classNames: [],
  skipped: [{ name: 'notes.txt', reason: 'text' }],
  notes: [],
});

test.each([1, 3, 128, 300])('%i images, all right', async (count) => {
  const found = foundOf(Array.from({ length: count }, (_, i) => image(i)));
  const progress: number[] = [];
  const { evaluation, part } = await evaluateModel(classifier, found, {
    emit: ({ done, total }) => progress.push(done / total),
  });
  expect(part).toBe(`all ${count} labelled images: the data has no test set`);
  expect(evaluation).toMatchObject({ total: count, correct: count, unknownClasses: [] });
  expect(evaluation.classes.map(({ support }) => support)).toEqual(
    glyphClasses.map((_, k) => Math.floor((count + 2 - k) / 3)),
  );
  expect(progress.at(-1)).toBe(1);
});

test('mistakes, unknown classes, images without a label and those that cannot be read', async () => {
  const found = foundOf([
    image(0),
    image(1, { label: '7' }),
    image(2, { label: 'seven' }),
    image(3, { label: undefined }),
    image(4, { bytes: Buffer.from('<html>') }),
  ]);
  const { evaluation, unlabelled, skipped } = await evaluateModel(classifier, found, { shown: 4 });
  expect(evaluation).toMatchObject({ total: 2, correct: 1, unknownClasses: [{ name: 'seven', count: 1 }] });
  expect(evaluation.mistakes).toMatchObject([{ name: '7/1.png', label: '7', predicted: '3' }]);
  expect(evaluation.mistakes[0]?.pixels).toEqual(glyph('3'));
  expect(unlabelled).toBe(1);
  expect(skipped).toMatchObject([{ name: 'notes.txt' }, { name: '3/4.png', reason: 'web page (HTML)' }]);
  await expect(evaluateModel(classifier, found, { strict: true })).rejects.toMatchObject({ code: 'data' });
});

describe('which images', () => {
  const found = () =>
    foundOf([
      image(0, { split: 'train' }),
      image(1),
      image(2, { split: 'test' }),
      image(3, { split: 'test' }),
      image(4, { split: 'test', label: undefined }),
    ]);

  test.each([
    [undefined, 2, 'the 2 labelled test images'],
    ['test', 2, 'the 2 labelled test images'],
    ['train', 2, 'the 2 labelled training images'],
    ['all', 4, 'all 4 labelled images'],
  ] as const)('%s', async (wanted, total, part) => {
    const result = await evaluateModel(classifier, found(), { part: wanted });
    expect([result.evaluation.total, result.part]).toEqual([total, part]);
  });

  test('a part without labels, and data without any, are refused', async () => {
    await expect(evaluateModel(classifier, found(), { part: 'val' })).rejects.toMatchObject({
      code: 'data',
      message:
        'photos: expected images with labels in val. Received: 2 in train, 0 in val, 2 in test, of 5 images.',
    });
    const pile = foundOf([image(0, { label: undefined })]);
    await expect(evaluateModel(classifier, pile)).rejects.toThrow(
      'photos: expected images with labels. Received:',
    );
  });

  test('no class in common is an error that names both', async () => {
    const other = foundOf([image(0, { label: 'cat' }), image(1, { label: 'dog' })]);
    await expect(evaluateModel(classifier, other)).rejects.toMatchObject({
      code: 'data',
      message: "photos: expected images of the model's classes, 1, 3, 7. Received: images of cat, dog.",
    });
  });
});

test('a signal ends it with its reason', async () => {
  const reason = new Error('enough');
  const found = foundOf(Array.from({ length: 300 }, (_, i) => image(i)));
  await expect(evaluateModel(classifier, found, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
