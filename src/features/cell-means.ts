import { type Tensor, tensor } from '../tensor/tensor.js';

/** Cells along each side, of an image that has as many pixels. */
const cells = 8;

/**
 * The mean of each channel in each of 8×8 cells, 0–1: which tone is in which part of an image, and hardly any shape.
 *
 * @param images uint8 [N, H, W, C]
 * @returns float32 [N, cells · C]
 */
export function cellMeans(images: Tensor<'uint8'>): Tensor<'float32'> {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const [rows, columns] = [Math.min(cells, height), Math.min(cells, width)];
  const length = rows * columns * channels;
  const means = new Float32Array(count * length);
  const areas = new Float32Array(length);
  const placeOf = (y: number, x: number) =>
    (Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width)) * channels;
  for (let n = 0, at = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const place = placeOf(y, x);
        for (let channel = 0; channel < channels; channel++, at++) {
          means[n * length + place + channel]! += (images.data[at] ?? 0) / 255;
          if (n === 0) areas[place + channel]!++;
        }
      }
    }
  }
  return tensor(
    'float32',
    [count, length],
    means.map((sum, i) => sum / (areas[i % length] ?? 1)),
  );
}
