import { crc32, deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { glyph, glyphSize } from '../../test/support/glyph-classifier.js';
import { tiff } from '../../test/support/tiff.js';
import { decodeImage } from './image-decode.node.js';

const side = glyphSize;
const seven = glyph('7');
const square = { width: side, height: side } as const;
const greySize = { ...square, channels: 1 };
const colourSize = { ...square, channels: 3 };

/** Lossless, so that pixels can be compared one by one. */
const grey = (pixels: Uint8Array) => sharp(pixels, { raw: { ...square, channels: 1 } }).toColourspace('b-w');
const rgba = (pixelOf: (v: number) => readonly number[], pixels = seven) =>
  sharp(Uint8Array.from([...pixels].flatMap(pixelOf)), { raw: { ...square, channels: 4 } });
const decode = (bytes: Uint8Array, size = greySize) => decodeImage('a.png', bytes, size);

/** Of two images, the largest difference of a pixel. */
const difference = (a: Uint8Array, b: Uint8Array) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));

test('a grey picture of the model’s size stays as it is', async () => {
  const decoded = await decode(await grey(seven).png().toBuffer());
  expect(decoded).toEqual({
    pixels: seven,
    coverage: 1,
    contrast: 255,
    stored: square,
    colour: false,
    pictures: 1,
    bits: 8,
    hasAlpha: false,
  });
});

describe('orientation', () => {
  /** Where the stored pixel (x, y) comes from in the upright picture, by EXIF tag. */
  const origins: Readonly<Record<number, (x: number, y: number, last: number) => readonly [number, number]>> =
    {
      1: (x, y) => [x, y],
      2: (x, y, last) => [last - x, y],
      3: (x, y, last) => [last - x, last - y],
      4: (x, y, last) => [x, last - y],
      5: (x, y) => [y, x],
      6: (x, y, last) => [last - y, x],
      7: (x, y, last) => [last - y, last - x],
      8: (x, y, last) => [y, last - x],
    };

  test.each(Object.keys(origins).map(Number))('tag %i is turned upright', async (orientation) => {
    const stored = seven.map((_, i) => {
      const [x, y] = origins[orientation]!(i % side, Math.floor(i / side), side - 1);
      return seven[y * side + x]!;
    });
    const bytes = await grey(stored).withMetadata({ orientation }).png().toBuffer();
    expect((await decode(bytes)).pixels).toEqual(seven);
  });
});

describe('transparency', () => {
  test.each([
    ['white ink, nothing beside it', (v: number) => [255, 255, 255, v]],
    [
      'white hidden under what is transparent',
      (v: number) => (v > 0 ? [255, 255, 255, v] : [255, 255, 255, 0]),
    ],
    [
      'noise hidden under what is transparent',
      (v: number) => (v > 0 ? [255, 255, 255, v] : [17, 99, 201, 0]),
    ],
  ])('%s lies on black', async (_, pixelOf) => {
    const decoded = await decode(await rgba(pixelOf).png().toBuffer());
    expect(difference(decoded.pixels, seven)).toBeLessThanOrEqual(1);
    expect(decoded).toMatchObject({ hasAlpha: true, contrast: 255 });
  });

  test('dark ink on nothing disappears, and its negative does not', async () => {
    const bytes = await rgba((v) => [0, 0, 0, v])
      .png()
      .toBuffer();
    expect(await decode(bytes)).toMatchObject({ contrast: 0, hasAlpha: true });
    const inverted = await decodeImage('a.png', bytes, greySize, { invert: true });
    expect(difference(inverted.pixels, seven)).toBeLessThanOrEqual(1);
  });
});

test('a negative is that of the picture, not of the frame around it', async () => {
  const page = new Uint8Array(side * 14).fill(255);
  page[100] = 0;
  const bytes = await sharp(page, { raw: { width: 14, height: side, channels: 1 } })
    .png()
    .toBuffer();
  const { pixels, coverage } = await decodeImage('a.png', bytes, greySize, { invert: true });
  expect(coverage).toBe(0.5);
  expect(pixels.reduce((a, b) => a + b)).toBe(255);
});

describe('depth', () => {
  const wide = (scale: number) => Uint16Array.from(seven, (v) => Math.round((v / 255) * scale));
  const png16 = (samples: Uint16Array, channels: 1 | 3) =>
    sharp(samples, { raw: { ...square, channels } })
      .toColourspace(channels === 1 ? 'grey16' : 'rgb16')
      .png()
      .toBuffer();

  test('16 bits are divided by 257', async () => {
    const samples = wide(65535);
    expect(await decode(await png16(samples, 1))).toMatchObject({ pixels: seven, bits: 16 });
    const rgb = Uint16Array.from([...samples].flatMap((v) => [v, v, v]));
    expect(await decode(await png16(rgb, 3))).toMatchObject({ pixels: seven, bits: 16 });
    const file = tiff({ ...square, channels: 1 }, 'unsigned', samples);
    expect(await decode(file)).toMatchObject({ pixels: seven, bits: 16 });
    // 128 / 257 is 0.498: rounded down, not cut off; 129 / 257 is 0.502.
    const small = Uint16Array.from(seven, (_, i) => (i % 2 === 0 ? 128 : 129));
    expect([...(await decode(await png16(small, 1))).pixels.subarray(0, 2)]).toEqual([0, 1]);
  });

  test('12 bits in 16 are read as they stand, nearly black', async () => {
    expect(await decode(await png16(wide(4095), 1))).toMatchObject({ contrast: 16, bits: 16 });
  });

  test.each([1, 2, 4] as const)('%i bits', async (bits) => {
    const levels = 2 ** bits - 1;
    const coarse = seven.map((v) => Math.round(Math.round((v / 255) * levels) * (255 / levels)));
    const bytes = await grey(coarse)
      .png({ palette: true, colours: 2 ** bits, dither: 0 })
      .toBuffer();
    expect(bytes[24]).toBeLessThanOrEqual(bits); // IHDR's bit depth
    expect(difference((await decode(bytes)).pixels, coarse)).toBeLessThanOrEqual(1);
  });

  test('floating point from 0 to 1 is multiplied by 255, up to 255 taken as it is', async () => {
    const unit = tiff(
      { ...square, channels: 1 },
      'float',
      Float32Array.from(seven, (v) => v / 255),
    );
    expect(await decode(unit)).toMatchObject({ pixels: seven, bits: 32 });
    const byte = tiff({ ...square, channels: 1 }, 'float', Float32Array.from(seven));
    expect((await decode(byte)).pixels).toEqual(seven);
    const colours = Float32Array.from([...seven].flatMap((v) => [v / 255, 0.5, 0]));
    const { pixels } = await decode(tiff({ ...square, channels: 3 }, 'float', colours), colourSize);
    expect([...pixels]).toEqual([...seven].flatMap((v) => [v, 128, 0]));
  });

  test.each([
    ['below 0', -0.5, /samples from -0.5 to/],
    ['above 255', 700, /to 700/],
    ['no number', Number.NaN, /samples that are no numbers/],
  ])('floating point that is %s is refused', async (_, value, message) => {
    const samples = Float32Array.from(seven);
    samples[5] = value;
    await expect(decode(tiff({ ...square, channels: 1 }, 'float', samples))).rejects.toThrow(message);
  });

  test('signed samples are refused', async () => {
    const bytes = tiff({ ...square, channels: 1 }, 'signed', Int16Array.from(seven));
    await expect(decode(bytes)).rejects.toThrow(/a\.png: .*samples of another kind \(short\)/);
  });
});

describe('several pictures', () => {
  const frames = Uint8Array.from([...seven, ...glyph('3'), ...glyph('1')].flatMap((v) => [v, v, v]));
  const raw = { width: side, height: 3 * side, channels: 3, pageHeight: side } as const;

  test.each(['gif', 'webp'] as const)('the first of an animated %s is taken', async (format) => {
    const bytes = await sharp(frames, { raw }).toFormat(format, { lossless: true }).toBuffer();
    const decoded = await decode(bytes);
    expect(decoded.pictures).toBe(3);
    expect(difference(decoded.pixels, seven)).toBeLessThanOrEqual(8); // 256 colours of GIF
  });
});

describe('broken files', () => {
  const large = () => sharp(seven, { raw: { ...square, channels: 1 } }).resize(224, 224);
  const formats = [
    ['JPEG', () => large().jpeg().toBuffer()],
    ['progressive JPEG', () => large().jpeg({ progressive: true }).toBuffer()],
    ['PNG', () => large().png().toBuffer()],
    ['WebP', () => large().webp().toBuffer()],
    ['GIF', () => large().gif().toBuffer()],
    ['TIFF', () => large().tiff({ compression: 'none' }).toBuffer()],
    ['AVIF', () => large().avif({ effort: 0 }).toBuffer()],
  ] as const;

  test.each(formats)('%s: read whole, and refused where it is cut off', async (name, encode) => {
    const whole = await encode();
    expect(difference((await decode(whole)).pixels, seven)).toBeLessThan(60);
    const format = name.replace('progressive ', '');
    for (const share of [0.5, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      await expect(decode(cut)).rejects.toMatchObject({
        code: 'data',
        message: `a.png: expected a readable image file. Received: a ${format} file that is cut off.`,
      });
    }
  });

  test('a TIFF that lacks pixels behind its directory is refused', async () => {
    const bytes = tiff({ ...square, channels: 1 }, 'float', Float32Array.from(seven));
    await expect(decode(bytes.subarray(0, 1000))).rejects.toThrow(/a TIFF file that is damaged, cut off/);
  });

  test('a JPEG that lacks nothing but its end marker is read, garbage behind it too', async () => {
    const whole = await large().jpeg().toBuffer();
    const { pixels } = await decode(whole);
    expect((await decode(whole.subarray(0, -2))).pixels).toEqual(pixels);
    const longer = Buffer.concat([whole, Buffer.from('garbage'.repeat(20))]);
    expect((await decode(longer)).pixels).toEqual(pixels);
  });

  test('a changed byte is found', async () => {
    const bytes = await large().png().toBuffer();
    bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
    await expect(decode(bytes)).rejects.toThrow('Received: a PNG file that is damaged.');
  });
});

describe('no images', () => {
  const text = (content: string) => new TextEncoder().encode(content);
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="9" height="9"/></svg>';

  test.each([
    ['an empty file', new Uint8Array(), 'an empty file', /again/],
    ['a web page', text('\n<!DOCTYPE html><html>'), 'a web page (HTML)', /Download/],
    [
      'a pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n'),
      'a Git LFS pointer in place of the file',
      /git lfs pull/,
    ],
    [
      'a resource fork',
      Uint8Array.of(0, 5, 0x16, 7, 0, 2, 0, 0),
      "a macOS resource fork, the companion of the picture's own file",
      /delete/,
    ],
    ['a phone’s HEIC', text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'a HEIC photograph', /JPEG/],
    ['a drawing', text(svg), 'an SVG drawing', /PNG/],
    [
      'a drawing with a prologue',
      text(`<?xml version="1.0"?>\n<!DOCTYPE svg [\n]>${svg}`),
      'an SVG drawing',
      /PNG/,
    ],
    ['text', text('no picture'), 'a text file', /can be read/],
    ['UTF-16 text', Uint8Array.of(0xff, 0xfe, 0x61, 0), 'a text file', /can be read/],
    ['zero bytes', new Uint8Array(1000), 'nothing but zero bytes', /again/],
    ['an array', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 0), 'an IDX file', /readIdxFolder/],
    ['a packed page', gzipSync('<html>'), 'a web page (HTML)', /Download/],
    ['a film', text('\0\0\0\x18ftypisom'), 'a film', /pictures/],
    ['anything', Uint8Array.of(1, 2, 3, 4), 'an unknown format', /can be read/],
  ])('%s is said to be what it is', async (_, bytes, received, hint) => {
    await expect(decode(bytes)).rejects.toMatchObject({
      code: 'data',
      message: `a.png: expected a readable image file. Received: ${received}.`,
      hint: expect.stringMatching(hint),
    });
  });
});

test('an image within a gzip file is read, a gzip file within a gzip file is not', async () => {
  const bytes = await grey(seven).png().toBuffer();
  expect((await decode(gzipSync(bytes))).pixels).toEqual(seven);
  await expect(decode(gzipSync(gzipSync(bytes)))).rejects.toThrow('a gzip file within a gzip file');
  await expect(decode(gzipSync(bytes).subarray(0, 60))).rejects.toThrow('gzip: expected a complete stream');
});

test('a file that claims billions of pixels is refused by its header', async () => {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const bytes = Buffer.alloc(body.length + 8);
    bytes.writeUInt32BE(data.length);
    body.copy(bytes, 4);
    bytes.writeUInt32BE(crc32(body), body.length + 4);
    return bytes;
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  header.writeUInt32BE(65000);
  header.writeUInt32BE(65000, 4);
  const png = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header)];
  png.push(chunk('IDAT', deflateSync(new Uint8Array(100))), chunk('IEND', new Uint8Array()));
  const before = process.memoryUsage().rss;
  await expect(decode(Buffer.concat(png))).rejects.toThrow(
    'a.png: expected a picture of at most 268 million pixels. Received: 65000×65000, 4225 million.',
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

test('the same picture at other sizes is nearly the same image', async () => {
  for (const times of [2, 4, 10, 40]) {
    const width = times * side;
    const origin = (i: number) => side * Math.floor(i / width / times) + Math.floor((i % width) / times);
    const large = Uint8Array.from({ length: width ** 2 }, (_, i) => seven[origin(i)]!);
    const bytes = await sharp(large, { raw: { width, height: width, channels: 1 } })
      .png()
      .toBuffer();
    const decoded = await decode(bytes);
    const differences = [...decoded.pixels].map((v, i) => Math.abs(v - seven[i]!));
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(3);
  }
});

describe('colours', () => {
  const plain = (colour: readonly [number, number, number]) =>
    sharp({ create: { ...square, channels: 3, background: { r: colour[0], g: colour[1], b: colour[2] } } })
      .png()
      .toBuffer();

  test.each([
    ['red', [255, 0, 0], 76],
    ['green', [0, 255, 0], 150],
    ['blue', [0, 0, 255], 29],
    ['grey', [128, 128, 128], 128],
  ] as const)('%s: as grey by 0.299 R + 0.587 G + 0.114 B, as colour red first', async (_, colour, luma) => {
    const bytes = await plain(colour);
    const [first] = (await decode(bytes)).pixels;
    expect(first).toBe(luma);
    expect([...(await decode(bytes, colourSize)).pixels.subarray(0, 3)]).toEqual(colour);
  });

  test('a picture of one colour has no contrast, whatever the colour', async () => {
    expect((await decode(await plain([255, 0, 0]), colourSize)).contrast).toBe(0);
  });
});
