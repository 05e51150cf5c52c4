import { type Tensor, tensor } from '../tensor/tensor.js';

/** Cells along each side, whatever the image's size: a cell of a digit is as wide as a stroke or two. */
const cells = 7;

/** Directions of a full turn: from dark to light is another direction than from light to dark. */
const directions = 8;

/** Numbers that an image is described by. */
export const orientedGradientsLength = cells * cells * directions;

/**
 * Which way edges run in which part of each image: histograms of oriented gradients (Dalal and Triggs 2005, sections
 * 6.1–6.3). They say what a shape looks like and little of where exactly its strokes lie, so that images near each other
 * show the same thing; nothing has to be learned for it.
 *
 *   h[cell, direction] = √( Σ |∇I| · overlap(cell) · overlap(direction) ), then all of an image scaled to length 1
 *
 * A pixel's gradient is the longest of its channels', by central differences, the border repeated outside; it goes to the
 * four nearest cells and the two nearest directions by linear interpolation. The root makes distances those of Hellinger:
 * a few strong edges do not outweigh all others. One scale for the whole image, not one for each block of cells, since an
 * empty corner says something, too.
 *
 * @param images uint8 [N, H, W, C]
 * @returns float32 [N, 392], rows of length 1; 0 for an image of one colour
 */
export function orientedGradients(images: Tensor<'uint8'>): Tensor<'float32'> {
  const { data: pixels } = images;
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const rows = new Float32Array(count * orientedGradientsLength);
  const size = height * width * channels;
  const across = overlaps(width);
  const down = overlaps(height);
  for (let n = 0; n < count; n++) {
    const from = n * size;
    const row = rows.subarray(n * orientedGradientsLength, (n + 1) * orientedGradientsLength);
    for (let y = 0; y < height; y++) {
      const above = Math.max(y - 1, 0);
      const below = Math.min(y + 1, height - 1);
      for (let x = 0; x < width; x++) {
        const left = Math.max(x - 1, 0);
        const right = Math.min(x + 1, width - 1);
        let [dx, dy, squared] = [0, 0, 0];
        for (let c = 0; c < channels; c++) {
          const at = (row: number, column: number) => pixels[from + (row * width + column) * channels + c]!;
          const u = at(y, right) - at(y, left);
          const v = at(below, x) - at(above, x);
          if (u * u + v * v > squared) [dx, dy, squared] = [u, v, u * u + v * v];
        }
        if (squared > 0) addEdge(row, down[y]!, across[x]!, dx, dy);
      }
    }
    let total = 0;
    for (const sum of row) total += sum;
    // The squares of the roots are the sums: this is length 1 of what remains.
    if (total > 0) for (let i = 0; i < row.length; i++) row[i] = Math.sqrt(row[i]! / total);
  }
  return tensor('float32', [count, orientedGradientsLength], rows);
}

/** The two cells whose centres are nearest to a position, and the share of each; outside the image there are none. */
type Overlap = readonly (readonly [cell: number, share: number])[];

function overlaps(size: number): readonly Overlap[] {
  return Array.from({ length: size }, (_, position) => {
    const at = ((position + 0.5) * cells) / size - 0.5;
    const first = Math.floor(at);
    const both: Overlap = [
      [first, 1 - (at - first)],
      [first + 1, at - first],
    ];
    return both.filter(([cell]) => cell >= 0 && cell < cells);
  });
}

function addEdge(row: Float32Array, down: Overlap, across: Overlap, dx: number, dy: number): void {
  const turn = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) * directions;
  const first = Math.floor(turn);
  const toSecond = turn - first;
  const length = Math.hypot(dx, dy);
  for (const [cellY, shareY] of down) {
    for (const [cellX, shareX] of across) {
      const at = (cellY * cells + cellX) * directions;
      const weight = length * shareY * shareX;
      row[at + (first % directions)]! += weight * (1 - toSecond);
      row[at + ((first + 1) % directions)]! += weight * toSecond;
    }
  }
}
