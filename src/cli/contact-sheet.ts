import type { ImageSource } from '../data/image-source.js';
import { QuarterturnError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** Grey or RGB pixels, uint8 [height, width, channels]. */
export interface Sheet {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Pixels a side that an image is enlarged to at least, by whole factors. */
const minSide = 84;
const margin = 10;
/** Digits are 3×5 dots, each dot drawn so large. */
const dot = 3;
const captionHeight = 5 * dot + margin;
const paper = 255;
const ink = 32;

/** The digits, five rows of three dots each. */
const glyphs = [
  '###|# #|# #|# #|###',
  ' # |## | # | # |###',
  '###|  #|###|#  |###',
  '###|  #|###|  #|###',
  '# #|# #|###|  #|  #',
  '###|#  |###|  #|###',
  '###|#  |###|# #|###',
  '###|  #|  #|  #|  #',
  '###|# #|###|# #|###',
  '###|# #|###|  #|###',
].map((glyph) => glyph.split('|'));

/**
 * Some images in rows, enlarged, each with its index below: to be labelled by looking. It draws its own digits,
 * since a machine without a screen has no fonts.
 * @throws QuarterturnError `usage` for no images
 */
export async function contactSheet(images: ImageSource, indices: ArrayLike<number>): Promise<Sheet> {
  const count = indices.length;
  if (count === 0) throw new QuarterturnError('usage', 'contact sheet: expected images. Received: none.');
  const factor = Math.max(1, Math.ceil(minSide / Math.max(images.height, images.width)));
  const cell = {
    width: images.width * factor + margin,
    height: images.height * factor + captionHeight + margin,
  };
  const columns = Math.min(count, Math.max(5, Math.ceil(Math.sqrt(count * 1.5))));
  const channels = images.channels === 3 ? 3 : 1;
  const width = columns * cell.width + margin;
  const height = Math.ceil(count / columns) * cell.height + margin;
  const sheet = {
    pixels: new Uint8Array(height * width * channels).fill(paper),
    height,
    width,
    channels,
  } as const;
  for (let i = 0; i < count; i++) {
    const left = margin + (i % columns) * cell.width;
    const top = margin + Math.floor(i / columns) * cell.height;
    drawImage(sheet, left, top, await images.read([indices[i]!]), factor);
    drawNumber(sheet, left, top + images.height * factor + margin / 2, indices[i]!);
  }
  return sheet;
}

function drawImage(sheet: Sheet, left: number, top: number, image: Tensor<'uint8'>, factor: number): void {
  const [, height, width, channels] = image.shape as [number, number, number, number];
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const pixel = Math.floor(y / factor) * width + Math.floor(x / factor);
      const at = ((top + y) * sheet.width + left + x) * sheet.channels;
      for (let c = 0; c < sheet.channels; c++) sheet.pixels[at + c] = image.data[pixel * channels + c]!;
    }
  }
}

function drawNumber(sheet: Sheet, left: number, top: number, value: number): void {
  for (const [place, digit] of [...String(value)].entries()) {
    for (let y = 0; y < 5 * dot; y++) {
      for (let x = 0; x < 3 * dot; x++) {
        if (glyphs[Number(digit)]![Math.floor(y / dot)]![Math.floor(x / dot)] !== '#') continue;
        const at = ((top + y) * sheet.width + left + place * 4 * dot + x) * sheet.channels;
        sheet.pixels.fill(ink, at, at + sheet.channels);
      }
    }
  }
}

/** A sheet as a PNG file's bytes. */
export async function encodePng({ pixels, height, width, channels }: Sheet): Promise<Uint8Array> {
  // Loaded only now: nothing else in the command needs the image library.
  const { default: sharp } = await import('sharp');
  const image = sharp(pixels, { raw: { height, width, channels } });
  return image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
}
