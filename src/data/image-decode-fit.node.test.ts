import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type DecodeOptions, decodeImage, fitPixels } from './image-decode.node.js';

/** 56×28: left quarter 40, middle half 120, right quarter 200. */
const [height, width] = [28, 56];
const bands = Uint8Array.from({ length: height * width }, (_, i) =>
  i % width < 14 ? 40 : i % width < 42 ? 120 : 200,
);
const size = { height: 28, width: 28, channels: 1 };
const picture = { height, width, channels: 1, pixels: bands };

const png = (pixels: Uint8Array, raw: { height: number; width: number; channels: 1 | 2 | 3 | 4 }) =>
  sharp(pixels, { raw }).png().toBuffer();
const row = (pixels: Uint8Array, y: number, channels = 1) =>
  pixels.subarray(y * 28 * channels, (y + 1) * 28 * channels);
const decodeBands = async (options: DecodeOptions) =>
  decodeImage('bands.png', await png(bands, { height, width, channels: 1 }), size, options);

describe('a picture twice as wide as the size', () => {
  test('cover takes its middle, unchanged', async () => {
    const { pixels, coverage, stored } = await decodeBands({ fit: 'cover' });
    expect(pixels).toEqual(new Uint8Array(28 * 28).fill(120));
    expect(coverage).toBe(1);
    expect(stored).toEqual({ height, width });
  });

  test.each(['black', 'white'] as const)('contain keeps all of it, on %s', async (ground) => {
    const { pixels, coverage } = await decodeBands({ fit: 'contain', ground });
    const outside = ground === 'white' ? 255 : 0;
    expect(coverage).toBe(0.5);
    expect([...row(pixels, 6)]).toEqual(new Array(28).fill(outside));
    expect([...row(pixels, 21)]).toEqual(new Array(28).fill(outside));
    expect([pixels[14 * 28], pixels[14 * 28 + 14], pixels[14 * 28 + 27]]).toEqual([40, 120, 200]);
  });

  test('stretch keeps all of it and fills the size', async () => {
    const { pixels, coverage } = await decodeBands({ fit: 'stretch' });
    expect(coverage).toBe(1);
    for (const y of [0, 27]) {
      expect([row(pixels, y)[0], row(pixels, y)[14], row(pixels, y)[27]]).toEqual([40, 120, 200]);
    }
  });

  test('contain is the default, on black', async () => {
    expect(await decodeBands({})).toEqual(await decodeBands({ fit: 'contain', ground: 'black' }));
  });
});

test('a picture that lies on its side is turned before it is fitted, and its size told as it lies there', async () => {
  const bytes = await sharp(bands, { raw: { height, width, channels: 1 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const { pixels, stored } = await decodeImage('a.png', bytes, size, { fit: 'stretch' });
  expect(stored).toEqual({ height, width });
  expect([pixels[14], pixels[14 * 28 + 14], pixels[27 * 28 + 14]]).toEqual([40, 120, 200]);
});

describe('the ground', () => {
  const clear = new Uint8Array(28 * 28 * 2).fill(0);

  test.each([
    ['black', false, 0],
    ['white', false, 255],
    ['black', true, 0],
    ['white', true, 255],
  ] as const)('%s shows through what is transparent; negative: %s', async (ground, invert, value) => {
    const bytes = await png(clear, { height: 28, width: 28, channels: 2 });
    const { pixels, hasAlpha } = await decodeImage('a.png', bytes, size, { ground, invert });
    expect(pixels).toEqual(new Uint8Array(28 * 28).fill(value));
    expect(hasAlpha).toBe(true);
  });
});

test('CMYK is read as the colours that it prints', async () => {
  const red = { create: { height: 28, width: 28, channels: 3, background: '#c81e1e' } } as const;
  const bytes = await sharp(red).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(bytes).metadata()).space).toBe('cmyk');
  const { pixels, colour } = await decodeImage('a.jpg', bytes, { ...size, channels: 3 });
  expect(colour).toBe(true);
  expect(pixels[0]).toBeGreaterThan(150);
  expect(pixels[1]).toBeLessThan(90);
});

describe('pixels of arrays', () => {
  test('of the size are taken as they are', async () => {
    const pixels = Uint8Array.from({ length: 28 * 28 }, (_, i) => i % 256);
    const grey = await fitPixels({ ...size, pixels }, size, { fit: 'cover' });
    expect(grey.pixels).toEqual(pixels);
    const rgb = await fitPixels({ ...size, pixels }, { ...size, channels: 3 });
    expect(rgb.pixels).toEqual(Uint8Array.from([...pixels].flatMap((v) => [v, v, v])));
    expect(rgb.colour).toBe(false);
    const back = await fitPixels({ ...size, channels: 3, pixels: rgb.pixels }, size);
    expect(back.pixels).toEqual(pixels);
  });

  test.each(['cover', 'contain', 'stretch'] as const)(
    'of another size are fitted as a file is: %s',
    async (fit) => {
      expect(await fitPixels(picture, size, { fit })).toEqual(await decodeBands({ fit }));
    },
  );

  test('with opacity lie on the ground', async () => {
    const pixels = new Uint8Array(28 * 28 * 4).fill(0);
    const fitted = await fitPixels({ ...size, channels: 4, pixels }, size, { ground: 'white' });
    expect(fitted).toMatchObject({ pixels: new Uint8Array(28 * 28).fill(255), hasAlpha: true });
  });
});

test.each([
  ['an empty file', new Uint8Array(), 'empty file'],
  ['a web page', new TextEncoder().encode('<!doctype html>'), 'web page (HTML)'],
  ['a pointer', new TextEncoder().encode('version https://git-lfs'), 'Git LFS pointer in place of the file'],
  ['HEIC', new TextEncoder().encode('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'HEIC photograph'],
])('%s is set aside under a name of its kind', async (_, bytes, reason) => {
  await expect(decodeImage('a.jpg', bytes, size)).rejects.toMatchObject({ name: 'QuarterturnError', reason });
});

test('a file that is cut off is set aside under a name of its kind', async () => {
  const whole = await png(
    new Uint8Array(100 * 100).map((_, i) => (i * 7919) % 256),
    {
      height: 100,
      width: 100,
      channels: 1,
    },
  );
  const cut = decodeImage('a.png', whole.subarray(0, whole.length / 2), size);
  await expect(cut).rejects.toMatchObject({ reason: 'PNG file that is cut off' });
});
