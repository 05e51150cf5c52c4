import { expect, test } from 'vitest';
import { encodeBmp, imageDataUri } from './bitmap.js';

test('a grey image: rows from the bottom, each padded to four bytes', () => {
  const bmp = encodeBmp(Uint8Array.of(1, 2, 3, 4), { height: 2, width: 2, channels: 1 });
  expect(bmp.length).toBe(54 + 2 * 8);
  expect([...bmp.subarray(54)]).toEqual([3, 3, 3, 4, 4, 4, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0]);
  expect(new DataView(bmp.buffer).getInt32(18, true)).toBe(2);
});

test('RGB is stored as BGR; a fourth channel is left out', () => {
  const rgb = encodeBmp(Uint8Array.of(10, 20, 30), { height: 1, width: 1, channels: 3 });
  const rgba = encodeBmp(Uint8Array.of(10, 20, 30, 255), { height: 1, width: 1, channels: 4 });
  expect([...rgb.subarray(54)]).toEqual([30, 20, 10, 0]);
  expect(rgba).toEqual(rgb);
});

test('pixels that are not as many as the size says name the image', () => {
  const size = { height: 2, width: 3, channels: 1 };
  expect(() => imageDataUri('AAAA', size, 'report: grid "x", tile 4')).toThrowError(
    expect.objectContaining({
      code: 'data',
      message: 'report: grid "x", tile 4: expected base64 of 2 × 3 × 1 bytes. Received: 3 bytes.',
    }),
  );
  expect(() => imageDataUri('%', size, 'here')).toThrowError(/Received: text that is not base64\./);
});
