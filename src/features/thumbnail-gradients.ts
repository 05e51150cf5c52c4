import { greyWeights } from '../data/grey.js';
import { type Tensor, tensor } from '../tensor/tensor.js';

/**
 * What an image looks like at a small size, by the differences of neighbouring pixels: images that were compressed again, made
 * lighter or darker, or shrunk and enlarged keep them; other images of the same kind of thing do not.
 *
 *   the image's brightness, averaged over s × s boxes with s = min(side, height, width); then every box less its left
 *   neighbour, and less its upper one; then all of an image scaled to length 1
 *
 * @param images uint8 [N, H, W, C]
 * @param side boxes along each side at most
 * @returns float32 [N, 2·s·(s − 1)], rows of length 1; 0 for an image of one colour
 */
export function thumbnailGradients(images: Tensor<'uint8'>, side: number): Tensor<'float32'> {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const boxes = Math.min(side, height, width);
  const length = 2 * boxes * (boxes - 1);
  const rows = new Float32Array(count * length);
  const thumbnail = new Float64Array(boxes * boxes);
  const size = height * width * channels;
  const boxOf = (length: number) =>
    Uint32Array.from({ length }, (_, at) => Math.floor((at * boxes) / length));
  const [down, across] = [boxOf(height), boxOf(width)];
  const areas = new Float64Array(boxes * boxes);
  for (const y of down) for (const x of across) areas[y * boxes + x]!++;
  for (let n = 0; n < count; n++) {
    thumbnail.fill(0);
    for (let y = 0, at = n * size; y < height; y++) {
      for (let x = 0; x < width; x++, at += channels) {
        thumbnail[down[y]! * boxes + across[x]!]! += brightnessAt(images.data, at, channels);
      }
    }
    for (let i = 0; i < thumbnail.length; i++) thumbnail[i]! /= areas[i]!;
    const row = rows.subarray(n * length, (n + 1) * length);
    let [to, squares] = [0, 0];
    const add = (difference: number): void => {
      row[to++] = difference;
      squares += difference * difference;
    };
    for (let y = 0; y < boxes; y++) {
      for (let x = 0; x < boxes; x++) {
        const at = y * boxes + x;
        if (x > 0) add(thumbnail[at]! - thumbnail[at - 1]!);
        if (y > 0) add(thumbnail[at]! - thumbnail[at - boxes]!);
      }
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < length; i++) row[i]! *= scale;
  }
  return tensor('float32', [count, length], rows);
}

function brightnessAt(pixels: Uint8Array, at: number, channels: number): number {
  if (channels !== 3) return pixels[at]!;
  return greyWeights[0] * pixels[at]! + greyWeights[1] * pixels[at + 1]! + greyWeights[2] * pixels[at + 2]!;
}
