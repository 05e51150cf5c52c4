import { tensor } from '../tensor/tensor.js';
import type { ImageSource } from './image-source.js';

/** The mirror images of a source's images, left for right, as a source of their own. They are mirrored when they are read. */
export function mirroredImages(source: ImageSource): ImageSource {
  const { name, count, height, width, channels } = source;
  return {
    name: `${name}, mirrored`,
    count,
    height,
    width,
    channels,
    async read(indices) {
      const { shape, data } = await source.read(indices);
      const mirrored = new Uint8Array(data.length);
      const row = width * channels;
      for (let start = 0; start < data.length; start += row) {
        for (let x = 0; x < width; x++) {
          const from = start + x * channels;
          mirrored.set(data.subarray(from, from + channels), start + row - (x + 1) * channels);
        }
      }
      return tensor('uint8', shape, mirrored);
    },
  };
}
