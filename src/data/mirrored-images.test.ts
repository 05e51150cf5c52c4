import { expect, it } from 'vitest';
import { imagesInMemory } from './image-source.js';
import { mirroredImages } from './mirrored-images.js';

it('mirrors each row, whole colours at a time, and mirrored twice is itself', async () => {
  const pixels = Uint8Array.from({ length: 2 * 2 * 3 * 3 }, (_, i) => i);
  const images = imagesInMemory({ name: 'two', pixels, height: 2, width: 3, channels: 3 });
  const mirrored = mirroredImages(images);
  expect(mirrored).toMatchObject({ name: 'two, mirrored', count: 2, height: 2, width: 3, channels: 3 });
  const { shape, data } = await mirrored.read([1]);
  expect(shape).toEqual([1, 2, 3, 3]);
  const row = (start: number) => [6, 7, 8, 3, 4, 5, 0, 1, 2].map((value) => value + start);
  expect([...data]).toEqual([...row(18), ...row(27)]);
  expect((await mirroredImages(mirrored).read([0, 1])).data).toEqual(pixels);
});
