import { QuarterturnError } from '../../errors.js';
import type { ImageRows } from './array-images.js';
import { type ArrayLayout, channelsLast, layoutOf } from './array-layout.js';
import { type ByteSource, inBlocks } from './byte-source.js';
import { elementsOf, type NpyHeader } from './npy-header.js';
import { numbersOf } from './npy-values.js';

/** An array of a file: what its header says, and where its elements lie. */
export interface NpyArray {
  /** Its name in the file: `train_images`. */
  readonly key: string;
  readonly header: NpyHeader;
  readonly source: ByteSource;
}

/** Smallest and largest value of some arrays. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
  /** Whether all are numbers, none infinite. */
  readonly areNumbers: boolean;
}

/** Bytes that are read at once where a whole array is gone through. */
const blockBytes = 4 * 2 ** 20;
/** Pixels that are held where the first axis varies fastest, so that no image lies in one piece. */
const maxHeldBytes = 2 ** 31 - 1;

/** How stored values become bytes. */
export interface PixelScale {
  readonly factor: number;
  /** For people; absent where values are taken as they are. */
  readonly note?: string;
}

/** Elements of an array in the order of the file, a block at a time. */
async function* blocksOf({ header, source }: NpyArray): AsyncGenerator<ArrayLike<number>> {
  const { itemBytes, dataStart } = header;
  const end = source.sizeBytes;
  const step = blockBytes - (blockBytes % itemBytes);
  for (let at = dataStart; at < end; at += step) {
    yield numbersOf(header, await source.read(at, Math.min(at + step, end)));
  }
}

/** The range of all values of an array; of bytes and booleans, what they can hold. */
export async function rangeOf(array: NpyArray): Promise<ValueRange> {
  const { kind, itemBytes } = array.header;
  if (kind === 'bool') return { min: 0, max: 1, areNumbers: true };
  if (kind === 'uint' && itemBytes === 1) return { min: 0, max: 255, areNumbers: true };
  let [min, max, areNumbers] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  for await (const values of blocksOf(array)) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (value < min) min = value;
      if (value > max) max = value;
      areNumbers &&= Number.isFinite(value);
    }
  }
  // An empty array has no values that could be wrong.
  return min > max ? { min: 0, max: 0, areNumbers } : { min, max, areNumbers };
}

/**
 * How values of a type and range become bytes 0–255: booleans are black and white, floating-point numbers from 0 to 1 are
 * multiplied by 255, all from 0 to 255 are taken as they are, and whole numbers of 16 bits that go beyond are divided by
 * 257.
 *
 * @throws QuarterturnError `data` for any other range
 */
export function pixelScale({ key, header, source }: NpyArray, range: ValueRange): PixelScale {
  const { kind, itemBytes } = header;
  const { min, max, areNumbers } = range;
  const received = areNumbers ? `values from ${min} to ${max}` : 'values that are no numbers, or infinite';
  if (kind === 'bool') return { factor: 255 };
  if (areNumbers && min >= 0) {
    if (kind === 'float' && max <= 1)
      return { factor: 255, note: `Values of ${key} from 0 to 1 are multiplied by 255.` };
    if (max <= 255) return { factor: 1 };
    if (kind === 'uint' && itemBytes === 2) {
      return { factor: 1 / 257, note: `Values of ${key} have 16 bits and are divided by 257.` };
    }
  }
  throw new QuarterturnError(
    'data',
    `${source.name}: expected values from 0 to 255, or floating-point numbers from 0 to 1. Received: ${received}.`,
    { hint: 'Write images as they were before they were normalised.' },
  );
}

/**
 * Images of an array, each read where it lies. Where the first axis varies fastest (Fortran order), no image lies in one
 * piece: all pixels are then put in order when the first image is asked for, and held, one byte a value, at most 2 GiB.
 *
 * @throws QuarterturnError `data` for texts, and for a shape or a size that cannot be read
 */
export function npyImages(array: NpyArray, scale: PixelScale, name = array.key): ImageRows {
  const { header, source } = array;
  const layout = imageLayout(array);
  const { count, height, width, channels, channelsFirst } = layout;
  const imageElements = height * width * channels;
  const imageBytes = imageElements * header.itemBytes;
  const toPixels = (values: ArrayLike<number>) => scaled(values, scale.factor);
  const arranged = (pixels: Uint8Array) => (channelsFirst ? channelsLast(pixels, channels) : pixels);
  const rows = { name, count, height, width, channels };
  if (!header.fortranOrder) {
    const bytes = inBlocks(source);
    return {
      ...rows,
      async readRow(index) {
        const start = header.dataStart + index * imageBytes;
        return arranged(toPixels(numbersOf(header, await bytes.read(start, start + imageBytes))));
      },
    };
  }
  if (count * imageElements > maxHeldBytes) {
    throw new QuarterturnError(
      'data',
      `${source.name}: expected at most ${maxHeldBytes} values where the first axis varies fastest. Received: ${count * imageElements}.`,
      { hint: 'Write it with `numpy.ascontiguousarray(images)`.' },
    );
  }
  let held: Promise<Uint8Array> | undefined;
  return {
    ...rows,
    async readRow(index) {
      held ??= inRowOrder(array, toPixels);
      const pixels = await held;
      return arranged(pixels.slice(index * imageElements, (index + 1) * imageElements));
    },
  };
}

/** @throws QuarterturnError `data` if an array holds no images */
export function imageLayout({ header, source }: NpyArray): ArrayLayout {
  if (header.kind === 'unicode' || header.kind === 'bytes') {
    throw new QuarterturnError('data', `${source.name}: expected images. Received: texts.`);
  }
  return layoutOf(source.name, header.shape);
}

/** Bytes of values; of bytes as they are, nothing is done. */
function scaled(values: ArrayLike<number>, factor: number): Uint8Array {
  if (factor === 1 && values instanceof Uint8Array) return values;
  return Uint8Array.from(values, (value) => Math.round(value * factor));
}

/** All pixels of an array whose first axis varies fastest, with the last axis varying fastest. */
async function inRowOrder(
  array: NpyArray,
  toPixels: (values: ArrayLike<number>) => Uint8Array,
): Promise<Uint8Array> {
  const { shape } = array.header;
  const result = new Uint8Array(elementsOf(shape));
  const strides = shape.map((_, axis) => elementsOf(shape.slice(axis + 1)));
  const index = shape.map(() => 0);
  let to = 0;
  for await (const values of blocksOf(array)) {
    for (const pixel of toPixels(values)) {
      result[to] = pixel;
      // The next element of the file is one further along the first axis, and so on.
      for (let axis = 0; axis < shape.length; axis++) {
        const [next, stride, size] = [(index[axis] ?? 0) + 1, strides[axis] ?? 1, shape[axis] ?? 1];
        to += stride;
        index[axis] = next;
        if (next < size) break;
        to -= stride * size;
        index[axis] = 0;
      }
    }
  }
  return result;
}
