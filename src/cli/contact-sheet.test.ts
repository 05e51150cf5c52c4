import { expect, test } from 'vitest';
import { imagesInMemory } from '../data/image-source.js';
import { contactSheet, encodePng } from './contact-sheet.js';

/** Two images of 42×42: black, and of one colour. */
function images(channels: number) {
  const size = 42 * 42 * channels;
  const pixels = new Uint8Array(2 * size).fill(99, size);
  return imagesInMemory({ name: 'two', pixels, height: 42, width: 42, channels });
}

test.each([1, 3])(
  'images of %d channels side by side, enlarged, with their numbers below',
  async (channels) => {
    const sheet = await contactSheet(images(channels), [1, 0]);
    expect(sheet).toMatchObject({ width: 10 + 2 * (84 + 10), height: 10 + 84 + 25 + 10, channels });
    const at = (x: number, y: number) => sheet.pixels[(y * sheet.width + x) * channels];
    expect([at(9, 9), at(10, 10), at(93, 93), at(104, 10), at(94, 10)]).toEqual([255, 99, 99, 0, 255]);
    const caption = (left: number) =>
      Array.from({ length: 5 }, (_, y) =>
        Array.from({ length: 3 }, (_, x) => (at(left + 3 * x + 1, 99 + 3 * y + 1) === 32 ? '#' : ' ')).join(
          '',
        ),
      ).join('|');
    expect(caption(10)).toBe(' # |## | # | # |###');
    expect(caption(104)).toBe('###|# #|# #|# #|###');
    const png = await encodePng(sheet);
    expect([...png.slice(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
  },
);

test('large images are left as they are; no images are refused', async () => {
  const pixels = new Uint8Array(84 * 21);
  const large = imagesInMemory({ name: 'large', pixels, height: 84, width: 21, channels: 1 });
  expect(await contactSheet(large, [0])).toMatchObject({ width: 41, height: 129 });
  await expect(contactSheet(large, [])).rejects.toThrow('contact sheet: expected images. Received: none.');
});
