import { QuarterturnError } from '../errors.js';
import { sizeOf, type Tensor, tensor } from '../tensor/tensor.js';

/** Height and width in pixels, and values a pixel: 1 is grey, 3 is red, green and blue. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Images by index, all of one size. Where they lie (in memory, in a file, behind a browser's handles) is the source's
 * business: whoever wants images asks for the few that it needs next, and nobody holds them all.
 */
export interface ImageSource extends ImageSize {
  /** What to call it in messages and reports, e.g. `MNIST train`. */
  readonly name: string;
  readonly count: number;
  /**
   * The images at some indices, in the order asked for; an index may come twice.
   * @returns uint8 [indices.length, height, width, channels], the caller's own
   * @throws QuarterturnError `usage` for an index outside 0 … count − 1
   */
  read(indices: ArrayLike<number>): Promise<Tensor<'uint8'>>;
}

export interface MemoryImagesOptions extends ImageSize {
  readonly name: string;
  /** uint8 [count, height, width, channels], row-major; held, not copied. */
  readonly pixels: Uint8Array;
}

/**
 * A source whose images all lie in memory.
 *
 * @example
 * const source = imagesInMemory({ name: 'digits', pixels, height: 28, width: 28, channels: 1 });
 * const { shape } = await source.read([3, 1, 3]); // [3, 28, 28, 1]
 * @throws QuarterturnError `shape` where the pixels are not a whole number of images
 */
export function imagesInMemory(options: MemoryImagesOptions): ImageSource {
  const { name, pixels, height, width, channels } = options;
  const imageSize = height * width * channels;
  const count = pixels.length / imageSize;
  if (!Number.isInteger(count)) {
    throw new QuarterturnError(
      'shape',
      `${name}: expected whole images of ${height}×${width}×${channels}. Received: ${pixels.length} bytes.`,
    );
  }
  return {
    name,
    count,
    height,
    width,
    channels,
    async read(indices) {
      const shape = [indices.length, height, width, channels];
      const data = new Uint8Array(sizeOf(shape));
      for (let i = 0; i < indices.length; i++) {
        const from = checkedIndex(name, count, indices[i]!) * imageSize;
        data.set(pixels.subarray(from, from + imageSize), i * imageSize);
      }
      return tensor('uint8', shape, data);
    },
  };
}

/** Some images of a source, as a source of their own: image i of it is image `indices[i]`. Nothing is copied. */
export function selectImages(source: ImageSource, indices: Uint32Array, name: string): ImageSource {
  const { height, width, channels } = source;
  return {
    name,
    count: indices.length,
    height,
    width,
    channels,
    async read(chosen) {
      const within = (index: number): number => indices[checkedIndex(name, indices.length, index)]!;
      return source.read(Uint32Array.from(chosen, within));
    },
  };
}

/** @throws QuarterturnError `usage` for what is no index of `count` images */
export function checkedIndex(name: string, count: number, index: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new QuarterturnError(
      'usage',
      `${name}: expected image indices from 0 to ${count - 1}. Received: ${index}.`,
    );
  }
  return index;
}
