import sharp, { type Metadata, type Sharp } from 'sharp';
import { QuarterturnError } from '../errors.js';
import { contrastOf } from './brightness.js';
import { greyOf } from './grey.js';
import { unpackGzip } from './gunzip.node.js';
import { contentOf, endsJpeg, type ImageFormat, isCutOff, readableFormats } from './image-content.js';
import type { ImageSize } from './image-source.js';

/** A picture in a model's size, and what was found of it on the way. */
export interface DecodedImage {
  /** uint8 [height, width, channels] of the size asked for. */
  readonly pixels: Uint8Array;
  /** Share of the image that the picture covers, 0–1; the rest is frame. */
  readonly coverage: number;
  /** Largest difference of two pixels of the picture in the same channel, 0–255; the frame does not count. */
  readonly contrast: number;
  /** Pictures in the file; the first one was taken. */
  readonly pictures: number;
  /** Bits of a stored sample. */
  readonly bits: 8 | 16 | 32;
  /** Whether parts of the picture may be transparent. */
  readonly hasAlpha: boolean;
}

export interface DecodeOptions {
  /** Turn the picture into its negative: for dark ink on light paper where a model knows light on dark. */
  readonly invert?: boolean;
}

/** Pixels of the largest picture that is decoded, 268 million: a few kilobytes can claim billions. */
const maxPixels = 0x3fff ** 2;
/** Bytes of an image file that lies packed in a gzip file. */
const maxUnpackedBytes = 2 ** 28;

/**
 * Decode an image file and fit it into a model's size.
 *
 * The content decides what it is, not the name. The picture is turned upright by its EXIF orientation, laid on black where
 * it is transparent, and fitted whole into the size with its proportions kept; the frame around it is 0. Samples of 16 bits
 * are divided by 257, floating-point samples from 0 to 1 are multiplied by 255 and others from 0 to 255 taken as they are.
 * Colours become grey by {@link greyOf}. Of several pictures in a file the first is taken.
 *
 * @param name what to call the file in errors
 * @param size what a model takes: 1 channel is grey, 3 are red, green and blue
 * @throws QuarterturnError `data` for what is no image, damaged, cut off or larger than 268 million pixels
 */
export async function decodeImage(
  name: string,
  bytes: Uint8Array,
  size: ImageSize,
  { invert = false }: DecodeOptions = {},
): Promise<DecodedImage> {
  const content = contentOf(bytes);
  switch (content.kind) {
    case 'gzip':
      return decodeImage(name, await unpackOnce(name, bytes), size, { invert });
    case 'idx':
      throw noImage(name, 'an IDX file', 'Read it with readIdxFolder.');
    case 'other':
      throw noImage(name, content.what, content.hint);
    case 'image':
  }
  const { format } = content;
  const whole = format === 'JPEG' ? withEndMarker(bytes) : bytes;
  const picture = await explained(name, format, bytes, async () => {
    const header = await sharp(whole, { limitInputPixels: false }).metadata();
    assertSize(name, header);
    const bits = bitsOf(name, header);
    const source = bits === 32 ? await fromFloats(name, whole, header) : open(whole).autoOrient();
    return { header, bits, ...(await fitInside(source, size, { bits, invert })) };
  });
  const { header, bits, rgb, height, width } = picture;
  const fitted = size.channels === 1 ? greyOf(rgb) : rgb;
  return {
    pixels: framed(fitted, { height, width, channels: size.channels }, size),
    coverage: (height * width) / (size.height * size.width),
    contrast: contrastOf(fitted, size.channels),
    pictures: header.pages ?? 1,
    bits,
    hasAlpha: header.hasAlpha,
  };
}

function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: maxPixels });
}

/** A gzip file within a gzip file is taken for an attack, or a mistake. */
async function unpackOnce(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const unpacked = await unpackGzip(name, bytes, maxUnpackedBytes);
  if (contentOf(unpacked).kind === 'gzip')
    throw noImage(name, 'a gzip file within a gzip file', 'Unpack it.');
  return unpacked;
}

/**
 * Copying tools lose the two bytes at the end of a JPEG that say so, though every pixel is there. A decoder stops at the
 * first end marker: one more does no harm, and does not hide that pixels are missing.
 */
function withEndMarker(bytes: Uint8Array): Uint8Array {
  if (endsJpeg(bytes)) return bytes;
  const ended = new Uint8Array(bytes.length + 2);
  ended.set(bytes);
  ended.set([0xff, 0xd9], bytes.length);
  return ended;
}

function assertSize(name: string, { width, height }: Metadata): void {
  if (width * height <= maxPixels) return;
  const millions = (pixels: number) => Math.round(pixels / 1e6);
  throw new QuarterturnError(
    'data',
    `${name}: expected a picture of at most ${millions(maxPixels)} million pixels. Received: ${width}×${height}, ${millions(width * height)} million.`,
    { hint: 'Make it smaller first.' },
  );
}

function bitsOf(name: string, { depth }: Metadata): 8 | 16 | 32 {
  const bits = ({ uchar: 8, ushort: 16, float: 32, double: 32 } as const)[String(depth)];
  if (bits !== undefined) return bits;
  throw noImage(
    name,
    `one with samples of another kind (${depth})`,
    'Samples of 8 or 16 bits without sign, or floating point from 0 to 1, can be read.',
  );
}

/** Floating-point samples as bytes: 0–1 times 255, or 0–255 as they are. */
async function fromFloats(name: string, bytes: Uint8Array, header: Metadata): Promise<Sharp> {
  // Their own colour space: another one would take them for 0–255, or for light without gamma.
  const space = header.channels < 3 ? 'b-w' : 'scrgb';
  const { data, info } = await open(bytes)
    .autoOrient()
    .toColourspace(space)
    .raw({ depth: 'float' })
    .toBuffer({ resolveWithObject: true });
  const samples = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let numbers = true;
  for (const sample of samples) {
    numbers &&= Number.isFinite(sample);
    min = Math.min(min, sample);
    max = Math.max(max, sample);
  }
  if (!numbers || min < 0 || max > 255) {
    throw noImage(
      name,
      numbers ? `one with samples from ${min} to ${max}` : 'one with samples that are no numbers',
      'Floating-point samples are read from 0 to 1, or from 0 to 255.',
    );
  }
  const scale = max <= 1 ? 255 : 1;
  const raw = Uint8Array.from(samples, (sample) => Math.round(sample * scale));
  const { width, height, channels } = info;
  return sharp(raw, { raw: { width, height, channels } });
}

interface Fitted {
  /** uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** As large as it fits, without a frame; 16 bits are kept until it has its size. */
async function fitInside(
  source: Sharp,
  { height, width }: ImageSize,
  { bits, invert }: { readonly bits: 8 | 16 | 32; readonly invert: boolean },
): Promise<Fitted> {
  const { data, info } = await source
    // What is transparent ends as 0, the ground of the frame.
    .flatten({ background: invert ? 'white' : 'black' })
    .resize(width, height, { fit: 'inside' })
    .toColourspace(bits === 16 ? 'rgb16' : 'srgb')
    .raw({ depth: bits === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const rgb =
    bits === 16
      ? Uint8Array.from(new Uint16Array(data.buffer, data.byteOffset, data.length / 2), (v) =>
          Math.round(v / 257),
        )
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { rgb: invert ? rgb.map((v) => 255 - v) : rgb, height: info.height, width: info.width };
}

/** In the middle of black, or half a pixel left and above of it. */
function framed(pixels: Uint8Array, picture: ImageSize, size: ImageSize): Uint8Array {
  const { channels } = size;
  const image = new Uint8Array(size.height * size.width * channels);
  const top = Math.floor((size.height - picture.height) / 2);
  const left = Math.floor((size.width - picture.width) / 2);
  const rowBytes = picture.width * channels;
  for (let y = 0; y < picture.height; y++) {
    const row = pixels.subarray(y * rowBytes, (y + 1) * rowBytes);
    image.set(row, ((top + y) * size.width + left) * channels);
  }
  return image;
}

/** Failures of the decoder in words that say what is wrong with the file. */
async function explained<T>(
  name: string,
  format: ImageFormat,
  bytes: Uint8Array,
  decode: () => Promise<T>,
): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    if (cause instanceof QuarterturnError) throw cause;
    const received = isCutOff(format, bytes)
      ? `a ${format} file that is cut off`
      : format === 'TIFF'
        ? 'a TIFF file that is damaged, cut off or of an unknown kind'
        : `a ${format} file that is damaged`;
    throw noImage(name, received, 'Copy or download the file again.', cause);
  }
}

function noImage(
  name: string,
  received: string,
  hint: string = readableFormats,
  cause?: unknown,
): QuarterturnError {
  return new QuarterturnError('data', `${name}: expected a readable image file. Received: ${received}.`, {
    hint,
    cause,
  });
}
