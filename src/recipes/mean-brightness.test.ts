import { expect, test } from 'vitest';
import { meanOf } from '../data/brightness.js';
import { imagesInMemory } from '../data/image-source.js';
import type { ProgressEvent } from '../progress.js';
import { meanBrightness } from './mean-brightness.js';

// More than are added up at a time, so that there are several parts.
const count = 1000;
const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => (i * 2_654_435_761) >>> 24);
const images = imagesInMemory({ name: 'noise', pixels, height: 28, width: 28, channels: 1 });

test('is the mean of all values, to the last bit, whatever is read at a time', async () => {
  const told: number[] = [];
  const mean = await meanBrightness(images, { emit: ({ done }: ProgressEvent) => told.push(done) });
  expect(mean).toBe(meanOf(pixels));
  expect(told).toEqual([334, 668, 1000]);
});

test('stops when it is asked to', async () => {
  await expect(meanBrightness(images, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'interrupted',
    message: 'brightness of 1,000 images: stopped after 334 images.',
  });
});
