import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { readImageFiles } from './index.node.js';

test('programs written for the former entry find all pixels in one array, of what lies there now', async () => {
  const path = join(await fs.mkdtemp(join(tmpdir(), 'quarterturn-former-')), 'picture.png');
  const size = { height: 28, width: 28, channels: 1 };
  for (const brightness of [40, 200]) {
    const background = { r: brightness, g: brightness, b: brightness };
    await sharp({ create: { width: 28, height: 28, channels: 3, background } })
      .png()
      .toFile(path);
    const { images, count, classNames } = await readImageFiles([path], size);
    expect({ count, classNames }).toEqual({ count: 1, classNames: [] });
    expect(images).toEqual(new Uint8Array(784).fill(brightness));
  }
});
