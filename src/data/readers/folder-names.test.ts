import { expect, test } from 'vitest';
import { isEmptyName, isPileName, splitOfName } from './folder-names.js';

test.each([
  ['train', 'train'],
  ['Training', 'train'],
  ['TRAIN', 'train'],
  ['train_images', 'train'],
  ['trainset', 'train'],
  ['Training Set', 'train'],
  ['seg_train', 'train'],
  ['ｔｒａｉｎ', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['Validation', 'val'],
  ['validation-data', 'val'],
  ['dev', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
  ['images.test', 'test'],
  ['TestSet', 'test'],
  ['trainer', undefined],
  ['steam train', undefined],
  ['train test', undefined],
  ['contest', undefined],
  ['images', undefined],
  ['valve', undefined],
  ['', undefined],
])('%s is the part %s', (name, split) => {
  expect(splitOfName(name)).toBe(split);
});

test('folders of images without a label', () => {
  const piles = ['unlabelled', 'unlabeled', 'Unlabeled', 'unlabeled_images', 'unlabelledset'];
  expect(piles.filter(isPileName)).toEqual(piles);
  expect(['unknown', 'labelled', 'other', 'unlabelled cats'].filter(isPileName)).toEqual([]);
});

test('folders whose names say nothing', () => {
  const empty = ['images', 'Photos', 'data set', 'img', 'image_data'];
  expect(empty.filter(isEmptyName)).toEqual(empty);
  expect(['cat', 'cat images', '7'].filter(isEmptyName)).toEqual([]);
});
