import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pixelsOf } from '../../test/support/pixels.js';
import { readImageFiles } from './image-files.node.js';

let folder: string;
const at = (name: string) => join(folder, name);

/** Write raw pixels losslessly. */
const save = (name: string, pixels: number[], height: number, width: number, channels: 1 | 3 | 4) =>
  sharp(Uint8Array.from(pixels), { raw: { height, width, channels } }).toFile(at(name));

beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-images-'));
  await save('grey.png', [0, 50, 100, 255], 2, 2, 1);
  await save('red.png', [255, 0, 0], 1, 1, 3);
  await save('clear.png', [255, 255, 255, 0], 1, 1, 4);
  await save('wide.png', [200, 100], 1, 2, 1);
  await fs.writeFile(at('text.png'), 'no picture');
  // Stored lying; orientation 6 says: turn 90 degrees clockwise to see it.
  await sharp(Uint8Array.from([0, 50, 100, 255]), { raw: { height: 2, width: 2, channels: 1 } })
    .withMetadata({ orientation: 6 })
    .toFile(at('turned.png'));
});
afterAll(() => fs.rm(folder, { recursive: true }));

it('reads several files as one source, in order', async () => {
  const images = await readImageFiles([at('grey.png'), at('turned.png')], {
    height: 2,
    width: 2,
    channels: 1,
  });
  expect(images).toMatchObject({ name: '2 image files', count: 2, height: 2, width: 2, channels: 1 });
  expect([...(await pixelsOf(images))]).toEqual([0, 50, 100, 255, 100, 0, 255, 50]);
});

it('makes grey from colour and colour from grey', async () => {
  const grey = await readImageFiles([at('red.png')], { height: 1, width: 1, channels: 1 });
  expect([...(await pixelsOf(grey))]).toEqual([76]);
  const colour = await readImageFiles([at('grey.png')], { height: 2, width: 2, channels: 3 });
  expect([...(await pixelsOf(colour))]).toEqual([0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255]);
});

it('fits whole, with background 0 around and behind', async () => {
  const wide = await readImageFiles([at('wide.png')], { height: 4, width: 2, channels: 1 });
  const pixels = await pixelsOf(wide);
  expect([...pixels].filter((x) => x > 0)).toEqual([200, 100]);
  expect(pixels.length).toBe(8);
  const clear = await readImageFiles([at('clear.png')], { height: 1, width: 1, channels: 3 });
  expect([...(await pixelsOf(clear))]).toEqual([0, 0, 0]);
});

it('names the file that is no image', async () => {
  const read = (name: string) =>
    readImageFiles([at('grey.png'), at(name)], { height: 2, width: 2, channels: 1 });
  await expect(read('text.png')).rejects.toMatchObject({
    code: 'data',
    message: `${at('text.png')}: expected a readable image file. Received: a text file.`,
  });
  await expect(read('missing.png')).rejects.toMatchObject({
    code: 'data',
    message: `${at('missing.png')}: expected an image file. Received: no such file.`,
  });
});

it('reads what a path names, not what it may mean as a pattern', async () => {
  const read = async (name: string) =>
    pixelsOf(await readImageFiles([at(name)], { height: 2, width: 2, channels: 1 }));
  await fs.copyFile(at('turned.png'), at('scan'));
  for (const name of ['scan[1].png', 'scan[1]', '4B:1z.png', '%d.png', 'a.png[page=1]']) {
    await fs.copyFile(at('grey.png'), at(name));
    expect([...(await read(name))]).toEqual([0, 50, 100, 255]);
  }
});

it('reads what lies at a path now, however often it changes', async () => {
  for (let round = 0; round < 20; round++) {
    for (const [name, pixels] of [
      ['grey.png', [0, 50, 100, 255]],
      ['turned.png', [100, 0, 255, 50]],
    ] as const) {
      await fs.copyFile(at(name), at('current.png'));
      const images = await readImageFiles([at('current.png')], { height: 2, width: 2, channels: 1 });
      expect([...(await pixelsOf(images))]).toEqual(pixels);
    }
  }
});

it('takes negatives where it is told to', async () => {
  const size = { height: 2, width: 2, channels: 1 };
  const images = await readImageFiles([at('grey.png')], size, { invert: true });
  expect([...(await pixelsOf(images))]).toEqual([255, 205, 155, 0]);
});

it('keeps the order of many files', async () => {
  const names = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? 'turned.png' : 'grey.png'));
  const pixels = await pixelsOf(await readImageFiles(names.map(at), { height: 2, width: 2, channels: 1 }));
  expect(names.map((_, i) => pixels[4 * i])).toEqual(names.map((name) => (name === 'grey.png' ? 0 : 100)));
});

it('refuses no files and odd channels', async () => {
  await expect(readImageFiles([], { height: 2, width: 2, channels: 1 })).rejects.toThrow(/at least one path/);
  await expect(readImageFiles([at('grey.png')], { height: 2, width: 2, channels: 2 })).rejects.toThrow(
    'expected 1 or 3 channels. Received: 2.',
  );
});
