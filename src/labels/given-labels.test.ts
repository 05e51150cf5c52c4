import { describe, expect, test } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import type { DataSource, ImageDataset } from '../data/dataset.js';
import { imagesInMemory } from '../data/image-source.js';
import { noClass } from '../data/label-values.js';
import { labelledImages, labelledIndices } from '../recipes/labels.js';
import { settingsFor } from '../recipes/presets.js';
import { parseSettings } from '../recipes/settings.js';
import {
  classNamesIn,
  dataUnderLabels,
  type GivenLabels,
  labelledPlaces,
  labelsSchema,
  placesByIndex,
  resolveLabels,
} from './given-labels.js';

/** Eight images of two pixels, labelled 0 1 2 0 1 2 0 1. */
const train: ImageDataset = {
  images: imagesInMemory({
    name: 'pets train',
    pixels: Uint8Array.from({ length: 16 }, (_, i) => i),
    ...{ height: 1, width: 2, channels: 1 },
  }),
  labels: Int32Array.from({ length: 8 }, (_, i) => i % 3),
  classNames: ['cat', 'dog', 'hen'],
};
const data: DataSource = { train, test: train, origin: 'pets', checksums: { 'train-images': 'aa' } };
const { labels: _, ...bare } = train;

const given = (...images: readonly (readonly [number, string | null])[]): GivenLabels => ({
  data: null,
  images: images.map(([index, label]) => ({ index, label })),
});

function resolved(source: DataSource, labels: GivenLabels) {
  const classNames = classNamesIn(source.train, labels);
  return resolveLabels(source.train, { places: placesByIndex(source, labels), classNames });
}

describe('given labels', () => {
  const labels = given([5, null], [0, 'dog'], [3, null], [6, 'cat']);
  const settings = { ...settingsFor('quick'), labels };

  test('are exactly those images, in the order given, and go over the labels of the data', async () => {
    expect([...labelledIndices({ settings, data }, 0)]).toEqual([5, 0, 3, 6]);
    const labelled = labelledImages({ settings, data }, 0);
    expect([...labelled.labels!]).toEqual([2, 1, 0, 0]);
    expect([...(await pixelsOf(labelled.images))]).toEqual([10, 11, 0, 1, 6, 7, 12, 13]);
    expect([...train.labels!]).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
  });

  test('serve data that has no labels', () => {
    const { classes } = resolved({ ...data, train: bare }, given([7, 'hen'], [1, 'cat'], [2, 'dog']));
    expect([...classes]).toEqual([2, 0, 1]);
  });

  test('an image that has the same label twice is one image', () => {
    const twice = given([5, 'dog'], [0, 'cat'], [5, 'dog'], [2, 'hen']);
    expect([...labelledIndices({ settings: { ...settings, labels: twice }, data }, 0)]).toEqual([5, 0, 2]);
  });

  test('with hashes are not taken for granted', () => {
    const labels = { data: null, images: [{ image: '0'.repeat(32), index: 0, label: 'cat' }] };
    expect(() => labelledIndices({ settings: { ...settings, labels }, data }, 0)).toThrow(
      'labels: expected located labels. Received: the hash 00000000000000000000000000000000.',
    );
  });

  test('fit one draw alone', () => {
    expect(parseSettings(settings).labels).toEqual(labels);
    expect(() => parseSettings({ ...settings, draws: 2 })).toThrow(
      'draws: expected 1, since the labels are given.',
    );
  });

  test('as JSON: a class may be written as a number, other keys are refused', () => {
    const read = labelsSchema.parse({ images: [{ index: 3, label: 7 }] });
    expect(read).toEqual({ data: null, images: [{ index: 3, label: '7' }] });
    for (const wrong of [
      {},
      { images: [] },
      { images: [{ index: -1, label: null }] },
      { images: [{ index: 0 }] },
      { images: [{ label: 'cat' }] },
      { images: [{ image: 'ABCDEF00112233445566778899AABBCC', label: 'cat' }] },
      { images: [{ image: '0123', index: 0, label: 'cat' }] },
      { images: [{ index: 0, label: null, class: 'cat' }] },
    ]) {
      expect(labelsSchema.safeParse(wrong).success).toBe(false);
    }
  });

  test.each<[string, GivenLabels, RegExp]>([
    ['an index outside', given([8, null]), /expected indices from 0 to 7 of pets train\. Received: 8\./],
    [
      'two labels for an image',
      given([1, 'dog'], [2, null], [1, 'cat']),
      /one label for each image\. Received: "dog" for image 1 and "cat" for image 1, the same image\./,
    ],
    [
      'an unknown class',
      given([1, 'Dgo']),
      /a class of pets train for image 1\. Received: "Dgo"\.\n.*"dog"\? The classes are cat, dog, hen/,
    ],
    [
      'a class without an image',
      given([0, null], [3, null]),
      /at least one image of every class\. Received: none of dog, hen/,
    ],
    [
      'other data',
      { ...given([0, null]), data: { origin: 'zoo', checksums: { 'train-images': 'bb' } } },
      /the data they were made for, zoo\. Received: train-images with MD5 aa, not bb/,
    ],
  ])('refuse %s', (_, labels, message) => {
    expect(messageOf(() => resolved(data, labels))).toMatch(message);
  });

  test('a class with a blank before it, or in full-width letters, is led to the one that is meant', () => {
    const digits = { ...train, classNames: ['0', '7', '8'] };
    for (const label of [' 7', '７']) {
      const message = messageOf(() => resolved({ ...data, train: digits }, given([0, label])));
      expect(message).toContain(`for image 0. Received: ${JSON.stringify(label)}.`);
      expect(message).toContain('Did you mean "7"?');
    }
  });

  test('an image that has no label anywhere is still to be labelled; one at least has to have one', () => {
    const places = [
      { index: 4, label: null },
      { index: 1, label: 'cat' },
      { index: 2, label: null },
    ];
    expect(labelledPlaces(bare, places)).toEqual([{ index: 1, label: 'cat' }]);
    const labels = Int32Array.from([0, 1, 2, 0, noClass, 2, 0, 1]);
    expect(labelledPlaces({ ...train, labels }, places)).toEqual(places.slice(1));
    const message = messageOf(() => labelledPlaces(bare, [places[0]!, places[2]!]));
    expect(message).toMatch(/the class of an image\. Received: null for 4, 2\.\npets train has no label/);
  });
});

/** Message and hint. */
function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint?: string };
    expect(code).toBe('data');
    return `${message}\n${hint}`;
  }
  throw new Error('nothing was refused');
}

test('labels that bring their own classes leave nothing of those of the data but tests of the same name', () => {
  const { classNames, images } = labelsSchema.parse({
    classNames: ['hen', 'beak'],
    images: [
      { index: 1, label: 'beak' },
      { index: 2, label: 'hen' },
      { index: 3, label: null },
    ],
  });
  const labels: GivenLabels = { data: null, classNames, images };
  const under = dataUnderLabels(data, labels);
  expect(under.train).toMatchObject({ classNames: ['hen', 'beak'], images: { count: 8 } });
  expect(under.train.labels).toBeUndefined();
  // Hens were class 2 and are class 0.
  expect(under.test).toMatchObject({ images: { count: 2 }, labels: Int32Array.of(0, 0) });
  expect(dataUnderLabels(data, { classNames: ['beak'] }).test).toBeUndefined();
  expect(dataUnderLabels(data, {})).toBe(data);
  const places = labelledPlaces(under.train, placesByIndex(under, labels));
  expect(resolveLabels(under.train, { places, classNames: classNamesIn(under.train, labels) })).toEqual({
    indices: Uint32Array.of(1, 2),
    classes: Int32Array.of(1, 0),
  });
});
