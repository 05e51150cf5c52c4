import { type ImageSource, readRange } from '../../src/data/image-source.js';

/** The pixels of a small source's images, uint8 [count, height, width, channels]; default: of all of them. */
export async function pixelsOf(
  images: ImageSource,
  count: number = images.count,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await readRange(images, 0, count)).data;
}
