import type { ImageSize } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import { fromBase64, toBase64 } from '../store/base64.js';

const headerBytes = 54;

/**
 * An image as a `data:` URI that any browser shows: an uncompressed 24-bit BMP, which needs no codec.
 *
 * @param pixels base64 of uint8 [height, width, channels]; below 3 channels the first is shown as grey, above 3 the
 *   first three as RGB
 * @param where names the image in an error
 * @throws QuarterturnError `data` if the pixels are not base64 or not as many as the size says
 */
export function imageDataUri(pixels: string, size: ImageSize, where: string): string {
  return `data:image/bmp;base64,${toBase64(encodeBmp(decodePixels(pixels, size, where), size))}`;
}

/** BITMAPFILEHEADER + BITMAPINFOHEADER + rows of BGR, bottom row first, each padded to 4 bytes. */
export function encodeBmp(pixels: Uint8Array, { height, width, channels }: ImageSize): Uint8Array {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = new Uint8Array(headerBytes + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]); // "BM"
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, headerBytes, true); // where the pixels start
  view.setUint32(14, 40, true); // size of the info header
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true); // planes
  view.setUint16(28, 24, true); // bits a pixel
  view.setUint32(34, stride * height, true);

  const [red, green, blue] = channels >= 3 ? [0, 1, 2] : [0, 0, 0];
  for (let y = 0; y < height; y++) {
    let to = headerBytes + (height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      bytes[to++] = pixels[from + blue]!;
      bytes[to++] = pixels[from + green]!;
      bytes[to++] = pixels[from + red]!;
    }
  }
  return bytes;
}

function decodePixels(pixels: string, { height, width, channels }: ImageSize, where: string): Uint8Array {
  const expected = `expected base64 of ${height} × ${width} × ${channels} bytes`;
  const hint =
    'exhibits.json does not belong to this version, or was changed by hand; evaluate the run again.';
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(pixels);
  } catch (cause) {
    throw new QuarterturnError('data', `${where}: ${expected}. Received: text that is not base64.`, {
      hint,
      cause,
    });
  }
  if (bytes.length !== height * width * channels) {
    throw new QuarterturnError('data', `${where}: ${expected}. Received: ${bytes.length} bytes.`, { hint });
  }
  return bytes;
}
