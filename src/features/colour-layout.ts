import { type Tensor, tensor } from '../tensor/tensor.js';

/** Cells along each side: where in a picture which colour is, and no shape. */
const cells = 4;

/** How much differences of colour count beside those of brightness, which are larger in photographs. */
const chroma = 3;

/** Numbers that an image's colours are described by. */
export const colourLayoutLength = cells * cells * 3;

/**
 * Which colour is in which part of each image: the mean brightness of each cell less that of the image, and its mean
 * opponent colours.
 *
 *   [ (R + G + B) / 3 − mean, 3 · (R − G), 3 · ((R + G) / 2 − B) ] for each of 4×4 cells, all of an image scaled to length 1
 *
 * @param images uint8 [N, H, W, 3]
 * @returns float32 [N, 48], rows of length 1; 0 for an image of one grey
 */
export function colourLayout(images: Tensor<'uint8'>): Tensor<'float32'> {
  const { data: pixels } = images;
  const [count, height, width] = images.shape as [number, number, number, number];
  const rows = new Float32Array(count * colourLayoutLength);
  const [down, across] = [height, width].map((size) =>
    Int32Array.from({ length: size }, (_, i) => Math.floor((i * cells) / size)),
  ) as [Int32Array, Int32Array];
  // An image narrower than the cells leaves some of them empty.
  const pixelsIn = new Float64Array(cells * cells);
  for (const row of down) for (const column of across) pixelsIn[row * cells + column]! += 1;
  const sums = new Float64Array(colourLayoutLength);
  for (let n = 0; n < count; n++) {
    sums.fill(0);
    let at = n * height * width * 3;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 3) {
        const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
        const cell = (down[y]! * cells + across[x]!) * 3;
        sums[cell]! += (red + green + blue) / 3;
        sums[cell + 1]! += chroma * (red - green);
        sums[cell + 2]! += chroma * ((red + green) / 2 - blue);
      }
    }
    rows.set(unitLength(sums, pixelsIn, height * width), n * colourLayoutLength);
  }
  return tensor('float32', [count, colourLayoutLength], rows);
}

function unitLength(sums: Float64Array, pixelsIn: Float64Array, pixels: number): Float64Array {
  let brightness = 0;
  for (let i = 0; i < sums.length; i += 3) brightness += sums[i]! / pixels;
  const row = sums.map((sum, i) => {
    const inCell = pixelsIn[Math.floor(i / 3)]!;
    return inCell === 0 ? 0 : sum / inCell - (i % 3 === 0 ? brightness : 0);
  });
  const length = Math.hypot(...row);
  // Below a thousandth of a step of brightness, differences are those of rounding.
  return length > 1e-3 ? row.map((value) => value / length) : row.fill(0);
}
