import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeImage } from '../data/image-decode.node.js';
import { preprocessingFor } from '../model/preprocessing.js';
import { readFiles } from './predict-images.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-fit-'));
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

test('a picture is fitted as the classifier says that its own were', async () => {
  const file = join(folder, 'wide.png');
  const pixels = Uint8Array.from({ length: 80 * 40 }, (_, i) => (i % 80) * 3);
  await sharp(pixels, { raw: { width: 80, height: 40, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(file);
  const size = { height: 28, width: 28, channels: 1 };
  const bytes = await fs.readFile(file);
  for (const fit of ['contain', 'cover', 'stretch'] as const) {
    const asked = preprocessingFor(size, { meanBrightness: 33, fit: fit })?.fit;
    const expected = await decodeImage(file, bytes, size, { fit });
    for await (const read of readFiles([file], size, { fit: asked })) {
      expect('images' in read && read.images.pixels).toEqual(expected.pixels);
    }
  }
  expect(preprocessingFor(size)?.fit).toBe('contain');
});
