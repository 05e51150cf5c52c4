import { open, writeFile } from 'node:fs/promises';
import { type ImageSize, type ImageSource, readRange } from '../../src/data/image-source.js';
import { sizeOf, tensor } from '../../src/tensor/tensor.js';

/** Images in a file, and how much of it is asked for. */
export interface PackedImages extends ImageSource, AsyncDisposable {
  /** The most images that were on their way at any time. */
  readonly maxAtOnce: number;
  /** All images that were read. */
  readonly total: number;
}

/** Write the first images of a source to a file, one row of bytes an image and nothing else. */
export async function packImages(path: string, source: ImageSource, count: number): Promise<void> {
  await writeFile(path, (await readRange(source, 0, count)).data);
}

/**
 * The images of a file that {@link packImages} wrote: each is read by its offset when it is asked for, and none is kept.
 * A class with a state of its own, as a source of an application would be.
 */
export async function openPackedImages(
  path: string,
  { name, height, width, channels }: ImageSize & { readonly name: string },
): Promise<PackedImages> {
  const file = await open(path);
  const imageSize = height * width * channels;
  const { size } = await file.stat();
  return new (class implements PackedImages {
    readonly name = name;
    readonly count = size / imageSize;
    readonly height = height;
    readonly width = width;
    readonly channels = channels;
    #underWay = 0;
    maxAtOnce = 0;
    total = 0;

    async read(indices: ArrayLike<number>) {
      this.#underWay += indices.length;
      this.total += indices.length;
      this.maxAtOnce = Math.max(this.maxAtOnce, this.#underWay);
      const shape = [indices.length, this.height, this.width, this.channels];
      const data = new Uint8Array(sizeOf(shape));
      const reads = Array.from(indices, (index, i) =>
        file.read(data, i * imageSize, imageSize, index * imageSize),
      );
      for (const { bytesRead } of await Promise.all(reads)) {
        if (bytesRead !== imageSize) throw new Error(`${name}: a read past the end.`);
      }
      this.#underWay -= indices.length;
      return tensor('uint8', shape, data);
    }

    [Symbol.asyncDispose](): Promise<void> {
      return file.close();
    }
  })();
}
