import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imagesInMemory } from './image-source.js';
import {
  copiesOf,
  imageOfCopy,
  requireSquare,
  rotateByDegrees,
  rotatedCopies,
  rotateImage,
  turnsOfCopy,
} from './rotation.js';

function turned(
  pixels: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
  k: number,
): number[] {
  const result = new Uint8Array(pixels.length);
  rotateImage(Uint8Array.from(pixels), 0, result, 0, height, width, channels, k);
  return [...result];
}

describe('rotateImage', () => {
  // biome-ignore format: images are drawn as they look
  const square = [
    1, 2, 3,
    4, 5, 6,
    7, 8, 9,
  ];
  // biome-ignore format: images are drawn as they look
  it.each([
    [0, [1, 2, 3,
         4, 5, 6,
         7, 8, 9]],
    [1, [3, 6, 9,
         2, 5, 8,
         1, 4, 7]],
    [2, [9, 8, 7,
         6, 5, 4,
         3, 2, 1]],
    [3, [7, 4, 1,
         8, 5, 2,
         9, 6, 3]],
  ])('k = %d: as np.rot90', (k, expected) => {
    expect(turned(square, 3, 3, 1, k)).toEqual(expected);
  });

  // biome-ignore format: images are drawn as they look
  it.each([
    [1, [3, 6,
         2, 5,
         1, 4]],
    [2, [6, 5, 4,
         3, 2, 1]],
    [3, [4, 1,
         5, 2,
         6, 3]],
  ])('2 x 3, k = %d: an odd turn swaps height and width', (k, expected) => {
    expect(turned([1, 2, 3, 4, 5, 6], 2, 3, 1, k)).toEqual(expected);
  });

  it('keeps the channels of a pixel together', () => {
    // Top row red, green; bottom row blue, white: the right column comes to the top.
    const rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
    expect(turned(rgb, 2, 2, 3, 1)).toEqual([0, 255, 0, 9, 9, 9, 255, 0, 0, 0, 0, 255]);
  });

  it('reads and writes at the offsets and nowhere else', () => {
    const result = new Uint8Array(8).fill(99);
    rotateImage(Uint8Array.from([50, 1, 2, 3, 4]), 1, result, 2, 2, 2, 1, 1);
    expect([...result]).toEqual([99, 99, 2, 4, 1, 3, 99, 99]);
  });

  it('refuses other turns and arrays that are too short', () => {
    const four = new Uint8Array(4);
    for (const k of [-1, 4, 0.5]) {
      expect(() => rotateImage(four, 0, new Uint8Array(4), 0, 2, 2, 1, k)).toThrow(`Received: ${k}.`);
    }
    expect(() => rotateImage(four, 1, new Uint8Array(4), 0, 2, 2, 1, 0)).toThrow('Received: 3 and 4.');
    expect(() => rotateImage(four, 0, new Uint8Array(4), 2, 2, 2, 1, 0)).toThrow('Received: 4 and 2.');
  });

  const image = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }))
    .chain(([height, width, channels]) =>
      fc
        .uint8Array({ minLength: height * width * channels, maxLength: height * width * channels })
        .map((pixels) => ({ pixels, height, width, channels })),
    );

  it('four turns are the identity', () => {
    fc.assert(
      fc.property(image, (x) => {
        const back = [90, 90, 90, 90].reduce(rotateByDegrees, x);
        expect(back).toEqual(x);
      }),
    );
  });

  it('turns add up', () => {
    fc.assert(
      fc.property(image, fc.nat(3), fc.nat(3), (x, j, k) => {
        const one = rotateByDegrees(rotateByDegrees(x, 90 * j), 90 * k);
        expect(one).toEqual(rotateByDegrees(x, 90 * ((j + k) % 4)));
      }),
    );
  });
});

describe('rotateByDegrees', () => {
  it('is counter-clockwise and swaps the sides', () => {
    const image = { pixels: Uint8Array.from([1, 2, 3, 4, 5, 6]), height: 2, width: 3, channels: 1 };
    const result = { pixels: Uint8Array.from([3, 6, 2, 5, 1, 4]), height: 3, width: 2, channels: 1 };
    expect(rotateByDegrees(image, 90)).toEqual(result);
  });

  it.each([45, -90, 360, Number.NaN])('refuses %d', (degrees) => {
    const image = { pixels: new Uint8Array(1), height: 1, width: 1, channels: 1 };
    expect(() => rotateByDegrees(image, degrees)).toThrow('rotation should be 0, 90, 180, or 270 degrees');
  });
});

it('copies are numbered 4 * image + turns', () => {
  expect([...copiesOf([5, 2])]).toEqual([20, 21, 22, 23, 8, 9, 10, 11]);
  expect([imageOfCopy(23), turnsOfCopy(23)]).toEqual([5, 3]);
});

it('requireSquare', () => {
  expect(() => requireSquare({ height: 2, width: 2 })).not.toThrow();
  expect(() => requireSquare({ height: 2, width: 3 })).toThrow(
    'quarter turns of a batch need square images. Received: 2 x 3.',
  );
});

describe('rotatedCopies', () => {
  const pixels = Uint8Array.from({ length: 2 * 28 * 28 * 3 }, (_, i) => (i * 31) % 253);
  const source = imagesInMemory({ name: 'two', pixels, height: 28, width: 28, channels: 3 });

  it('has every image in four turns', async () => {
    const copies = rotatedCopies(source);
    expect(copies).toMatchObject({ count: 8, height: 28, width: 28, channels: 3 });
    const { shape, data } = await copies.read([6, 0, 5]);
    expect(shape).toEqual([3, 28, 28, 3]);
    const [first, second] = [pixels.subarray(0, 2352), pixels.subarray(2352)];
    expect([...data]).toEqual([...turned(second, 28, 28, 3, 2), ...first, ...turned(second, 28, 28, 3, 1)]);
  });

  it('refuses a copy that is not there, and images that are not square', async () => {
    await expect(rotatedCopies(source).read([8])).rejects.toThrow(
      'two, turned: expected image indices from 0 to 7. Received: 8.',
    );
    const wide = imagesInMemory({ name: 'wide', pixels, height: 14, width: 56, channels: 3 });
    expect(() => rotatedCopies(wide)).toThrow('need square images. Received: 14 x 56.');
  });
});
