import { QuarterturnError } from '../errors.js';
import type { ImageSize } from '../tensor/image-size.js';
import { sizeOf, type Tensor, tensor } from '../tensor/tensor.js';

export type { ImageSize } from '../tensor/image-size.js';

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
  /**
   * How another thread opens the same images without a copy of them: plain data, see `shared-images.node.ts`. Absent where only
   * this thread can read them.
   */
  share?(): SharedImages;
}

/** An {@link ImageSource} as structured clone carries it from thread to thread. */
export type SharedImages =
  | (ImageSize & {
      readonly kind: 'memory';
      readonly name: string;
      /** In a `SharedArrayBuffer`: structured clone hands over the memory itself. */
      readonly pixels: Uint8Array;
    })
  /** In a file, see `cache/packed-images.node.ts`: each thread reads it for itself. */
  | (ImageSize & {
      readonly kind: 'packed';
      readonly name: string;
      readonly path: string;
      readonly count: number;
    })
  | {
      readonly kind: 'selection';
      readonly name: string;
      readonly images: SharedImages;
      readonly indices: Uint32Array;
    }
  /** All four quarter turns of each image. */
  | { readonly kind: 'rotations'; readonly images: SharedImages };

export interface MemoryImagesOptions extends ImageSize {
  readonly name: string;
  /**
   * uint8 [count, height, width, channels], row-major; held, not copied. Shared with another thread, the source moves them
   * once into memory that both threads see, and lets go of these: who made the source should hold them no longer either.
   */
  readonly pixels: Uint8Array;
}

/**
 * An image source over pixels in memory.
 *
 * @example
 * const source = imagesInMemory({ name: 'digits', pixels, height: 28, width: 28, channels: 1 });
 * const { shape } = await source.read([3, 1, 3]); // [3, 28, 28, 1]
 * @throws QuarterturnError `shape` if the pixels are not a whole number of images
 */
export function imagesInMemory(options: MemoryImagesOptions): ImageSource {
  const { name, height, width, channels } = options;
  let { pixels } = options;
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
        const from = checkedIndex({ name, count }, indices[i]!) * imageSize;
        data.set(pixels.subarray(from, from + imageSize), i * imageSize);
      }
      return tensor('uint8', shape, data);
    },
    // Browsers have shared memory only on pages that ask for it.
    ...(typeof SharedArrayBuffer !== 'undefined' && {
      share() {
        if (!(pixels.buffer instanceof SharedArrayBuffer)) {
          const shared = new Uint8Array(new SharedArrayBuffer(pixels.length));
          shared.set(pixels);
          pixels = shared;
        }
        return { kind: 'memory', name, pixels, height, width, channels };
      },
    }),
  };
}

export interface SelectOptions {
  /** What to call the chosen images; default: as the source. */
  readonly name?: string;
}

/** Some images of a source, as a source of their own: image i of it is image `indices[i]`. Nothing is copied. */
export function selectImages(
  source: ImageSource,
  indices: Uint32Array,
  { name = source.name }: SelectOptions = {},
): ImageSource {
  const { height, width, channels } = source;
  const count = indices.length;
  const share = source.share?.bind(source);
  return {
    name,
    count,
    height,
    width,
    channels,
    async read(chosen) {
      return source.read(Uint32Array.from(chosen, (index) => indices[checkedIndex({ name, count }, index)]!));
    },
    ...(share && { share: () => ({ kind: 'selection', name, images: share(), indices }) }),
  };
}

/**
 * Sources one behind the other as one: first all images of the first. They have to be of one size.
 * @throws QuarterturnError `shape` if they are not; `usage` for no sources
 */
export function joinImages(
  sources: readonly ImageSource[],
  { name = sources[0]?.name ?? 'no images' }: SelectOptions = {},
): ImageSource {
  const [first] = sources;
  if (first === undefined) throw new QuarterturnError('usage', 'images: expected sources. Received: none.');
  const { height, width, channels } = first;
  const starts: number[] = [];
  let count = 0;
  for (const source of sources) {
    if (source.height !== height || source.width !== width || source.channels !== channels) {
      throw new QuarterturnError(
        'shape',
        `${source.name}: expected images of ${height}×${width}×${channels}, as those of ${first.name}. Received: ${source.height}×${source.width}×${source.channels}.`,
      );
    }
    starts.push(count);
    count += source.count;
  }
  return {
    ...{ name, count, height, width, channels },
    async read(indices) {
      for (let i = 0; i < indices.length; i++) checkedIndex({ name, count }, indices[i]!);
      const imageSize = height * width * channels;
      const data = new Uint8Array(indices.length * imageSize);
      for (const [k, source] of sources.entries()) {
        const from = starts[k]!;
        const places = Array.from({ length: indices.length }, (_, i) => i).filter(
          (i) => indices[i]! >= from && indices[i]! < from + source.count,
        );
        if (places.length === 0) continue;
        const images = await source.read(places.map((i) => indices[i]! - from));
        for (const [i, place] of places.entries()) {
          data.set(images.data.subarray(i * imageSize, (i + 1) * imageSize), place * imageSize);
        }
      }
      return tensor('uint8', [indices.length, height, width, channels], data);
    },
  };
}

/** Images `from` … `to` − 1: all of a source are gone through a few at a time. */
export function readRange(source: ImageSource, from: number, to: number): Promise<Tensor<'uint8'>> {
  return source.read(Uint32Array.from({ length: to - from }, (_, i) => from + i));
}

/** @throws QuarterturnError `usage` for an index that a source does not have */
export function checkedIndex({ name, count }: Pick<ImageSource, 'name' | 'count'>, index: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new QuarterturnError(
      'usage',
      `${name}: expected image indices from 0 to ${count - 1}. Received: ${index}.`,
    );
  }
  return index;
}
