import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hashImage, hashImages, imageHashPattern } from './image-hash.js';
import { imagesInMemory } from './image-source.js';

const pixels = Uint8Array.from({ length: 3000 * 784 }, (_, i) => (i * 2_654_435_761) >>> 13);
const size = { height: 28, width: 28, channels: 1 };
const source = imagesInMemory({ name: 'noise', pixels, ...size });

/** By another implementation, from the formula. */
function expected(index: number): string {
  const hash = createHash('sha256').update('28x28x1\n');
  return hash
    .update(pixels.subarray(index * 784, (index + 1) * 784))
    .digest('hex')
    .slice(0, 32);
}

describe('the hash of an image', () => {
  test('is the beginning of SHA-256 over size and pixels', async () => {
    const hash = await hashImage({ pixels: Uint8Array.of(0, 255), height: 1, width: 2, channels: 1 });
    // printf '1x2x1\n\000\377' | sha256sum
    expect(hash).toBe('34873dedf080dd92741e74e19616bbca');
    expect(hash).toMatch(imageHashPattern);
  });

  test('differs where only the size does', async () => {
    const hashes = await Promise.all(
      [
        [28, 28, 1],
        [14, 56, 1],
        [28, 14, 2],
      ].map(([height, width, channels]) =>
        hashImage({ pixels: pixels.subarray(0, 784), height: height!, width: width!, channels: channels! }),
      ),
    );
    expect(new Set(hashes).size).toBe(3);
  });
});

describe('hashes of many images', () => {
  test.each([1, 3, 128, 3000])('%d, in the order asked for', async (count) => {
    const indices = Uint32Array.from({ length: count }, (_, i) => (i * 7) % 3000);
    expect(await hashImages(source, indices)).toEqual(Array.from(indices, expected));
  });

  test('an index outside is refused', async () => {
    await expect(hashImages(source, [3000])).rejects.toThrow('from 0 to 2999. Received: 3000.');
  });
});
