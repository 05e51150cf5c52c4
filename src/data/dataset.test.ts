import { expect, test } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import { type ImageDataset, subsetOf } from './dataset.js';
import { imagesInMemory } from './image-source.js';

const pixels = Uint8Array.from({ length: 3 * 784 }, (_, i) => (5 * i) % 249);
const dataset: ImageDataset = {
  images: imagesInMemory({ name: 'three', pixels, height: 28, width: 28, channels: 1 }),
  labels: Int32Array.from([1, 0, 1]),
  classNames: ['a', 'b'],
};

test('a subset has its images and labels in the order of the indices', async () => {
  const part = subsetOf(dataset, Uint32Array.of(2, 1), { name: 'two' });
  expect(part.images).toMatchObject({ name: 'two', count: 2, height: 28, width: 28, channels: 1 });
  expect(part).toMatchObject({ labels: Int32Array.from([1, 0]), classNames: ['a', 'b'] });
  expect(await pixelsOf(part.images)).toEqual(
    Uint8Array.from([...pixels.subarray(2 * 784), ...pixels.subarray(784, 2 * 784)]),
  );
});

test('a subset of images without labels has none', () => {
  const { labels: _, ...unlabelled } = dataset;
  expect('labels' in subsetOf(unlabelled, Uint32Array.of(0))).toBe(false);
});

test('a subset reads no image before it is asked for one', () => {
  const images = { ...dataset.images, read: () => Promise.reject(new Error('read')) };
  expect(subsetOf({ ...dataset, images }, Uint32Array.of(0)).images.count).toBe(1);
});
