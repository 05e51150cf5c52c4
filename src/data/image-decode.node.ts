import sharp, { type Metadata, type Sharp } from 'sharp';
import { QuarterturnError } from '../errors.js';
import { contrastOf } from './brightness.js';
import { greyOf, rgbOf, showsColour } from './grey.js';
import { unpackGzip } from './gunzip.node.js';
import { contentOf, endsJpeg, type ImageFormat, isCutOff, readableFormats } from './image-content.js';
import type { FitMode, Ground } from './image-fit.js';
import type { ImageSize } from './image-source.js';
import { jpegSize } from './jpeg-size.js';
import { UnreadableImage } from './unreadable-image.js';

/** A picture in a model's size, and what was found of it on the way. */
export interface DecodedImage {
  /** uint8 [height, width, channels] of the size asked for. */
  readonly pixels: Uint8Array;
  /** Share of the image that the picture covers, 0–1; the rest is frame. */
  readonly coverage: number;
  /** Largest difference of two pixels of the picture in the same channel, 0–255; the frame does not count. */
  readonly contrast: number;
  /** Height and width of the picture as it lies in the file, before it was turned upright and fitted. */
  readonly stored: { readonly height: number; readonly width: number };
  /** Whether it shows colours; a grey picture may well be stored as red, green and blue. */
  readonly colour: boolean;
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
  /** How a picture of other proportions comes into the size; default: `contain`, which loses nothing of it. */
  readonly fit?: FitMode;
  /** What shows through transparent parts and around a picture that is contained; default: `black`. */
  readonly ground?: Ground;
}

/** What decodes and shrinks: another release of it may give other pixels. */
export const decoderName = `sharp ${sharp.versions.sharp}, vips ${sharp.versions.vips}`;

/** Pixels of the largest picture that is decoded, 268 million: a few kilobytes can claim billions. */
const maxPixels = 0x3fff ** 2;
/** Bytes of an image file that lies packed in a gzip file. */
const maxUnpackedBytes = 2 ** 28;

/**
 * Decode an image file and fit it into a model's size.
 *
 * The content decides what it is, not the name. The picture is turned upright by its EXIF orientation, laid on the ground
 * where it is transparent, and fitted: whole with a frame of the ground around it (`contain`), the middle of it (`cover`), or
 * with its proportions changed (`stretch`). Samples of 16 bits are divided by 257, floating-point samples from 0 to 1 are
 * multiplied by 255 and others from 0 to 255 taken as they are. Colours become grey by {@link greyOf}. Of several pictures in
 * a file the first is taken.
 *
 * @param name what to call the file in errors
 * @param size what a model takes: 1 channel is grey, 3 are red, green and blue
 * @throws QuarterturnError `data` for what is no image, damaged, cut off or larger than 268 million pixels: an
 *   {@link UnreadableImage} that tells of what kind the fault is
 */
export function decodeImage(
  name: string,
  bytes: Uint8Array,
  size: ImageSize,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  return withOpened(name, bytes, async (source, header) => {
    const { bits, stored, pictures, hasAlpha } = header;
    return decoded(await fitted(source, size, bits, options), size, options, {
      stored,
      pictures,
      bits,
      hasAlpha,
    });
  });
}

/** A picture as a person looks at it. */
export interface ImageView {
  /** uint8 [height, width, 3]: red, green and blue. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

export interface ImageViewOptions extends Pick<DecodeOptions, 'ground'> {
  /** Pixels of the longer side at most; a smaller picture is not enlarged. */
  readonly maxSide: number;
}

/**
 * Decode an image file for a person to look at: all of it, upright, in its own proportions.
 * @throws QuarterturnError `data` as {@link decodeImage}
 */
export function decodeView(
  name: string,
  bytes: Uint8Array,
  { maxSide, ...options }: ImageViewOptions,
): Promise<ImageView> {
  return withOpened(name, bytes, async (source, { stored, bits }) => {
    // A square, since the picture may yet be turned by a quarter.
    const side = Math.min(maxSide, Math.max(stored.height, stored.width));
    const { rgb, ...size } = await fitted(source, { height: side, width: side, channels: 3 }, bits, options);
    return { pixels: rgb, ...size };
  });
}

/** Do something with an image file once it is known to be one, and of a size that can be decoded. */
async function withOpened<T>(
  name: string,
  bytes: Uint8Array,
  use: (source: Sharp, header: Header) => Promise<T>,
): Promise<T> {
  const content = contentOf(bytes);
  switch (content.kind) {
    case 'gzip':
      return withOpened(name, await unpackOnce(name, bytes), use);
    case 'idx':
      throw noImage(name, 'an IDX file', {
        hint: 'It holds many images: name it by itself, or use readIdxFolder.',
      });
    case 'other':
      throw noImage(name, content.what, { hint: content.hint });
    case 'image':
  }
  const { format } = content;
  const whole = format === 'JPEG' ? withEndMarker(bytes) : bytes;
  return explained(name, format, bytes, async () => {
    const header = await headerOf(name, format, whole);
    assertSize(name, header.stored);
    const source =
      header.bits === 32 ? await fromFloats(name, whole, header.channels) : open(whole).autoOrient();
    return use(source, header);
  });
}

interface Header extends Pick<DecodedImage, 'stored' | 'pictures' | 'bits' | 'hasAlpha'> {
  readonly channels: number;
}

async function headerOf(name: string, format: ImageFormat, bytes: Uint8Array): Promise<Header> {
  const stored = format === 'JPEG' ? jpegSize(bytes) : undefined;
  if (stored !== undefined) return { stored, pictures: 1, bits: 8, hasAlpha: false, channels: 3 };
  const header = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { width, height, pages = 1, hasAlpha, channels } = header;
  return { stored: { height, width }, pictures: pages, bits: bitsOf(name, header), hasAlpha, channels };
}

/**
 * Fit pixels that need no decoding into a model's size, as {@link decodeImage} does with a file. Those that have the size
 * already are taken as they are.
 *
 * @param picture its channels: 1 grey, 2 grey and opacity, 3 red, green and blue, 4 those and opacity
 */
export async function fitPixels(
  picture: ImageSize & { readonly pixels: Uint8Array },
  size: ImageSize,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const { height, width, channels, pixels } = picture;
  const opaque = channels === 1 || channels === 3;
  const facts = { stored: { height, width }, pictures: 1, bits: 8, hasAlpha: !opaque } as const;
  if (opaque && height === size.height && width === size.width) {
    const rgb = channels === 3 ? pixels : rgbOf(pixels);
    return decoded({ rgb: options.invert ? negativeOf(rgb) : rgb, height, width }, size, options, facts);
  }
  const raw = { height, width, channels: channels as 1 | 2 | 3 | 4 };
  return decoded(await fitted(sharp(pixels, { raw }), size, 8, options), size, options, facts);
}

function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: maxPixels });
}

/** A gzip file within a gzip file is taken for an attack, or a mistake. */
async function unpackOnce(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const unpacked = await unpackGzip(name, bytes, maxUnpackedBytes);
  if (contentOf(unpacked).kind === 'gzip') {
    throw noImage(name, 'a gzip file within a gzip file', { hint: 'Unpack it.' });
  }
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

function assertSize(name: string, { width, height }: DecodedImage['stored']): void {
  if (width * height <= maxPixels) return;
  const millions = (pixels: number) => Math.round(pixels / 1e6);
  const most = `${millions(maxPixels)} million pixels`;
  throw new UnreadableImage(
    `${name}: expected a picture of at most ${most}. Received: ${width}×${height}, ${millions(width * height)} million.`,
    { reason: `picture of more than ${most}`, hint: 'Make it smaller first.' },
  );
}

function bitsOf(name: string, { depth }: Metadata): 8 | 16 | 32 {
  const bits = ({ uchar: 8, ushort: 16, float: 32, double: 32 } as const)[String(depth)];
  if (bits !== undefined) return bits;
  throw noImage(name, `one with samples of another kind (${depth})`, {
    reason: `picture with samples of another kind (${depth})`,
    hint: 'Samples of 8 or 16 bits without sign, or floating point from 0 to 1, can be read.',
  });
}

/** Floating-point samples as bytes: 0–1 times 255, or 0–255 as they are. */
async function fromFloats(name: string, bytes: Uint8Array, channels: number): Promise<Sharp> {
  // Their own colour space: another one would take them for 0–255, or for light without gamma.
  const space = channels < 3 ? 'b-w' : 'scrgb';
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
    const received = numbers
      ? `one with samples from ${min} to ${max}`
      : 'one with samples that are no numbers';
    throw noImage(name, received, {
      reason: `picture with samples that are ${numbers ? 'below 0 or above 255' : 'no numbers'}`,
      hint: 'Floating-point samples are read from 0 to 1, or from 0 to 255.',
    });
  }
  const scale = max <= 1 ? 255 : 1;
  const raw = Uint8Array.from(samples, (sample) => Math.round(sample * scale));
  const { width, height } = info;
  return sharp(raw, { raw: { width, height, channels: info.channels } });
}

interface Fitted {
  /** uint8 [height, width, 3]. */
  readonly rgb: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** Sharp's names; `inside` leaves the frame to {@link framed}. */
const sharpFits = { contain: 'inside', cover: 'cover', stretch: 'fill' } as const;

/** In the size, or as large as it fits there without a frame; 16 bits are kept until then. */
async function fitted(
  source: Sharp,
  { height, width }: ImageSize,
  bits: 8 | 16 | 32,
  { invert = false, fit = 'contain', ground = 'black' }: DecodeOptions,
): Promise<Fitted> {
  const { data, info } = await source
    // What is transparent ends as the ground, and a negative is made below.
    .flatten({ background: invert ? oppositeOf[ground] : ground })
    .resize(width, height, { fit: sharpFits[fit] })
    .toColourspace(bits === 16 ? 'rgb16' : 'srgb')
    .raw({ depth: bits === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const rgb =
    bits === 16
      ? Uint8Array.from(new Uint16Array(data.buffer, data.byteOffset, data.length / 2), (v) =>
          Math.round(v / 257),
        )
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { rgb: invert ? negativeOf(rgb) : rgb, height: info.height, width: info.width };
}

const oppositeOf = { black: 'white', white: 'black' } as const;

const negativeOf = (pixels: Uint8Array): Uint8Array => pixels.map((v) => 255 - v);

/** The picture in the colours and the frame of the size, with what was found of it. */
function decoded(
  { rgb, height, width }: Fitted,
  size: ImageSize,
  { ground = 'black' }: DecodeOptions,
  facts: Pick<DecodedImage, 'stored' | 'pictures' | 'bits' | 'hasAlpha'>,
): DecodedImage {
  const { channels } = size;
  const pixels = channels === 1 ? greyOf(rgb) : rgb;
  return {
    pixels: framed(pixels, { height, width, channels }, size, ground),
    coverage: (height * width) / (size.height * size.width),
    contrast: contrastOf(pixels, channels),
    colour: showsColour(rgb),
    ...facts,
  };
}

/** In the middle of the ground, or half a pixel left and above of it. */
function framed(pixels: Uint8Array, picture: ImageSize, size: ImageSize, ground: Ground): Uint8Array {
  const { channels } = size;
  if (picture.height === size.height && picture.width === size.width) return pixels;
  const image = new Uint8Array(size.height * size.width * channels).fill(ground === 'white' ? 255 : 0);
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
    throw noImage(name, received, { hint: 'Copy or download the file again.', cause });
  }
}

interface NoImageOptions {
  /** Default: what was received, without its article. */
  readonly reason?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

function noImage(name: string, received: string, options: NoImageOptions = {}): UnreadableImage {
  const { reason = received.replace(/^an? /, ''), hint = readableFormats, cause } = options;
  const message = `${name}: expected a readable image file. Received: ${received}.`;
  return new UnreadableImage(message, { reason, hint, cause });
}
