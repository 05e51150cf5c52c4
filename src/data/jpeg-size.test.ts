import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { jpegSize } from './jpeg-size.js';

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'red' } });

test.each([
  ['plain', picture(60, 40).jpeg()],
  ['progressive', picture(60, 40).jpeg({ progressive: true })],
  ['optimised', picture(60, 40).jpeg({ mozjpeg: true })],
  ['grey', picture(60, 40).greyscale().jpeg()],
  ['of inks', picture(60, 40).toColourspace('cmyk').jpeg()],
  ['with EXIF and a profile', picture(60, 40).withMetadata({ orientation: 6 }).jpeg()],
])('a JPEG that is %s tells its size', async (_, encoded) => {
  expect(jpegSize(await encoded.toBuffer())).toEqual({ height: 40, width: 60 });
});

test('sizes of two bytes', async () => {
  expect(jpegSize(await picture(3000, 300).jpeg().toBuffer())).toEqual({ height: 300, width: 3000 });
});

test('what is cut off before it, damaged or no JPEG tells none', async () => {
  const whole = await picture(60, 40).jpeg().toBuffer();
  expect(jpegSize(whole.subarray(0, 20))).toBeUndefined();
  expect(jpegSize(new Uint8Array())).toBeUndefined();
  expect(jpegSize(await picture(60, 40).png().toBuffer())).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const size = jpegSize(Uint8Array.of(0xff, 0xd8, 0xff, ...bytes));
      if (size !== undefined) expect(Math.min(size.height, size.width)).toBeGreaterThan(0);
    }),
  );
});
