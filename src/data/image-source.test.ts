import { describe, expect, test } from 'vitest';
import { imagesInMemory, joinImages, selectImages } from './image-source.js';

const pixels = Uint8Array.from({ length: 4 * 28 * 28 }, (_, i) => (7 * i) % 251);
const source = imagesInMemory({ name: 'four', pixels, height: 28, width: 28, channels: 1 });
const imageOf = (index: number) => pixels.subarray(index * 784, (index + 1) * 784);

describe('imagesInMemory', () => {
  test('gives images in the order asked for, as often as asked for, in memory of their own', async () => {
    const { shape, data } = await source.read([3, 1, 3]);
    expect(shape).toEqual([3, 28, 28, 1]);
    expect(data).toEqual(Uint8Array.from([...imageOf(3), ...imageOf(1), ...imageOf(3)]));
    data.fill(0);
    expect(pixels[784]).not.toBe(0);
  });

  test.each([-1, 4, 0.5, Number.NaN])('refuses the index %s', async (index) => {
    await expect(source.read([index])).rejects.toThrow(
      `four: expected image indices from 0 to 3. Received: ${index}.`,
    );
  });

  test('refuses a part of an image', () => {
    expect(() =>
      imagesInMemory({ name: 'cut', pixels: new Uint8Array(785), height: 28, width: 28, channels: 1 }),
    ).toThrow('cut: expected whole images of 28×28×1. Received: 785 bytes.');
  });
});

describe('selectImages', () => {
  const some = selectImages(source, Uint32Array.of(2, 0), { name: 'some' });

  test('counts its own images', async () => {
    expect(some).toMatchObject({ name: 'some', count: 2, height: 28, width: 28, channels: 1 });
    expect((await some.read([1, 0])).data).toEqual(Uint8Array.from([...imageOf(0), ...imageOf(2)]));
  });

  test('refuses an index that the source has and the selection has not', async () => {
    await expect(some.read([2])).rejects.toThrow('some: expected image indices from 0 to 1. Received: 2.');
  });
});

describe('joinImages', () => {
  const size = { height: 28, width: 28, channels: 1 };
  const sourceOf = (name: string, ...values: number[]) => {
    const pixels = new Uint8Array(values.length * 784);
    for (const [i, value] of values.entries()) pixels.fill(value, i * 784, (i + 1) * 784);
    return imagesInMemory({ name, pixels, ...size });
  };

  test('gives images of any of its sources, in the order asked for', async () => {
    const joined = joinImages([sourceOf('a', 1, 2), sourceOf('none'), sourceOf('b', 3, 4, 5)], {
      name: 'all',
    });
    expect(joined).toMatchObject({ name: 'all', count: 5, ...size });
    const { data, shape } = await joined.read([4, 0, 2, 4, 1]);
    expect(shape).toEqual([5, 28, 28, 1]);
    expect([0, 1, 2, 3, 4].map((i) => data[784 * i])).toEqual([5, 1, 3, 5, 2]);
    await expect(joined.read([5])).rejects.toThrow('all: expected image indices from 0 to 4. Received: 5.');
  });

  test('refuses no sources, and those of other sizes', () => {
    expect(() => joinImages([])).toThrow('images: expected sources. Received: none.');
    const larger = imagesInMemory({
      name: 'c',
      pixels: new Uint8Array(1024),
      height: 32,
      width: 32,
      channels: 1,
    });
    expect(() => joinImages([sourceOf('a', 1), larger])).toThrow(
      'c: expected images of 28×28×1, as those of a. Received: 32×32×1.',
    );
  });
});
