import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GlyphClass,
  glyph,
  glyphAt,
  glyphClasses,
  glyphPng,
  glyphSize,
  loadGlyphClassifier,
} from '../../test/support/glyph-classifier.js';
import type { ImageBytes } from '../data/readers/found-images.js';
import type { LoadedClassifier } from '../model/load-classifier.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { classifyPictures, type Picture, predictFound } from './classify-pictures.node.js';

let classifier: LoadedClassifier;
let files: Readonly<Record<GlyphClass, Uint8Array>>;

beforeAll(async () => {
  classifier = await loadGlyphClassifier();
  files = { 1: await glyphPng('1'), 3: await glyphPng('3'), 7: await glyphPng('7') };
});
afterAll(() => classifier.release());

const fileAt = (i: number): Picture => ({
  name: `${i}.png`,
  read: async (): Promise<ImageBytes> => ({ kind: 'file', bytes: files[glyphAt(i)] }),
});
const pixelsAt = (i: number): Picture => ({
  name: `rows[${i}]`,
  read: async (): Promise<ImageBytes> => ({
    kind: 'pixels',
    height: glyphSize,
    width: glyphSize,
    channels: 1,
    pixels: glyph(glyphAt(i)),
  }),
});
const brokenAt = (i: number): Picture => ({
  name: `${i}.png`,
  read: async (): Promise<ImageBytes> => ({ kind: 'file', bytes: Buffer.from('<html>no picture</html>') }),
});

const classOf = (probabilities: Float32Array): string =>
  classifier.classNames[indexOfLargest(probabilities)] ?? '';

async function classesOf(pictures: Iterable<Picture>, options = {}): Promise<string[]> {
  const classes: string[] = [];
  for await (const batch of classifyPictures(classifier, pictures, options)) {
    for (const each of batch) {
      classes.push(
        'error' in each ? `${each.picture.name}: ${each.error.code}` : classOf(each.probabilities),
      );
    }
  }
  return classes;
}

describe.each([1, 3, 128, 300])('%i pictures', (count) => {
  const expected = Array.from({ length: count }, (_, i) => glyphAt(i));

  test.each([
    ['files', fileAt],
    ['pixels', pixelsAt],
  ])('come back in their order, from %s', async (_, pictureAt) => {
    expect(await classesOf(Array.from({ length: count }, (_, i) => pictureAt(i)))).toEqual(expected);
  });
});

test('pictures that cannot be read keep their places and shift no batch', async () => {
  const isBroken = (i: number) => i === 0 || i === 31 || i === 32 || i > 95;
  const pictures = Array.from({ length: 130 }, (_, i) => (isBroken(i) ? brokenAt(i) : fileAt(i)));
  const sizes: number[] = [];
  const outcomes: string[] = [];
  for await (const batch of classifyPictures(classifier, pictures, { batchSize: 32 })) {
    sizes.push(batch.length);
    for (const each of batch) outcomes.push('error' in each ? 'broken' : classOf(each.probabilities));
  }
  expect(sizes).toEqual([32, 32, 32, 32, 2]);
  expect(outcomes).toEqual(pictures.map((_, i) => (isBroken(i) ? 'broken' : glyphAt(i))));
});

test('the negative is what is classified where that is asked for', async () => {
  const negative = (i: number): Picture => ({
    name: 'negative',
    read: async () => ({ kind: 'file', bytes: await glyphPng(glyph(glyphAt(i)).map((v) => 255 - v)) }),
  });
  const pictures = [0, 1, 2].map(negative);
  expect(await classesOf(pictures, { invert: true })).toEqual([...glyphClasses]);
});

describe('memory', () => {
  /** How many are begun and not yet given back, at most, where each has so many bytes. */
  async function mostBegun(bytes: number, count: number): Promise<number> {
    let [begun, most, given] = [0, 0, 0];
    function* pictures(): Generator<Picture> {
      for (let i = 0; i < count; i++) {
        yield {
          name: `${i}`,
          read: async () => {
            most = Math.max(most, ++begun - given);
            const content = new Uint8Array(bytes);
            content.set(Buffer.from('<html>'));
            return { kind: 'file', bytes: content };
          },
        };
      }
    }
    for await (const batch of classifyPictures(classifier, pictures(), { batchSize: 32 }))
      given += batch.length;
    expect(given).toBe(count);
    return most;
  }

  test('holds a bounded number of pictures, of large ones fewer', async () => {
    expect(await mostBegun(1000, 1000)).toBeLessThanOrEqual(3 * 32);
    // Half a gigabyte in all; a batch of 32 and as many as the decoder needs at once.
    expect(await mostBegun(8 * 2 ** 20, 64)).toBeLessThanOrEqual(2 * 32);
  });

  test('a source that is left early is closed', async () => {
    let isClosed = false;
    async function* pictures(): AsyncGenerator<Picture> {
      try {
        for (let i = 0; ; i++) yield fileAt(i);
      } finally {
        isClosed = true;
      }
    }
    for await (const batch of classifyPictures(classifier, pictures(), { batchSize: 3 })) {
      expect(batch).toHaveLength(3);
      break;
    }
    expect(isClosed).toBe(true);
  });
});

test('a signal ends it with its reason, a fault of the program with that fault', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(classesOf([fileAt(0)], { signal: controller.signal })).rejects.toBe(reason);
  const fault = new TypeError('no such function');
  const faulty: Picture = { name: 'faulty', read: () => Promise.reject(fault) };
  await expect(classesOf([fileAt(0), faulty])).rejects.toBe(fault);
});

test('of a data set each image comes with its name, index and class, and a bad one with its fault', async () => {
  const images = [
    { ...fileAt(0), name: 'one/0.png', label: 'one' },
    { ...brokenAt(1), name: 'one/1.png', label: 'one' },
    { ...fileAt(2), name: '2.png' },
  ];
  const seen = [];
  for await (const each of predictFound(classifier, { images })) seen.push(each);
  expect(seen).toMatchObject([
    { name: 'one/0.png', index: 0, label: 'one', probabilities: expect.any(Float32Array) },
    { name: 'one/1.png', index: 1, label: 'one', skipped: { name: 'one/1.png', reason: 'web page (HTML)' } },
    { name: '2.png', index: 2, probabilities: expect.any(Float32Array) },
  ]);
  expect(seen[2]).not.toHaveProperty('label');
});
