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
  const sums = new Float32Array(framed * framed * directions);
  for (let n = 0; n < count; n++) {
    const from = n * size;
    sums.fill(0);
    for (let y = 0; y < height; y++) {
      const line = from + y * width * channels;
      const above = from + Math.max(y - 1, 0) * width * channels;
      const below = from + Math.min(y + 1, height - 1) * width * channels;
      for (let x = 0; x < width; x++) {
        const left = line + Math.max(x - 1, 0) * channels;
        const right = line + Math.min(x + 1, width - 1) * channels;
        let dx = 0;
        let dy = 0;
        let squared = 0;
        for (let c = 0; c < channels; c++) {
          const u = pixels[right + c]! - pixels[left + c]!;
          const v = pixels[below + x * channels + c]! - pixels[above + x * channels + c]!;
          const length = u * u + v * v;
          if (length > squared) {
            dx = u;
            dy = v;
            squared = length;
          }
        }
        if (squared === 0) continue;
        const edge = edgeOf(dx, dy);
        const turn = edges[edge + 1]!;
        const ofFirst = edges[edge]! * down.ofFirst[y]!;
        const ofNext = edges[edge]! * down.ofNext[y]!;
        const cell = (down.first[y]! * framed + across.first[x]!) * directions;
        const nextRow = cell + framed * directions;
        addTo(sums, cell, ofFirst * across.ofFirst[x]!, turn);
        addTo(sums, cell + directions, ofFirst * across.ofNext[x]!, turn);
        addTo(sums, nextRow, ofNext * across.ofFirst[x]!, turn);
        addTo(sums, nextRow + directions, ofNext * across.ofNext[x]!, turn);
      }
    }
    setRow(rows.subarray(n * orientedGradientsLength, (n + 1) * orientedGradientsLength), sums);
  }
  return tensor('float32', [count, orientedGradientsLength], rows);
}

/** Cells along each side with a frame around them: what a pixel near the border gives to cells that there are not. */
const framed = cells + 2;

/** For each position, the first of the two cells whose centres are nearest to it, and the share of each. */
interface Overlaps {
  /** Counted with the frame; the other cell is the next one. */
  readonly first: Uint8Array;
  readonly ofFirst: Float64Array;
  readonly ofNext: Float64Array;
}

function overlaps(size: number): Overlaps {
  const at = Float64Array.from({ length: size }, (_, position) => ((position + 0.5) * cells) / size - 0.5);
  const first = at.map(Math.floor);
  const ofNext = at.map((place, i) => place - first[i]!);
  return {
    first: Uint8Array.from(first, (cell) => cell + 1),
    ofFirst: ofNext.map((share) => 1 - share),
    ofNext,
  };
}

/** Differences of two pixels that there are: −255 … 255. */
const differences = 511;

/**
 * |∇I| and direction, 0 … 2 · `directions`, of a gradient [dx, dy], at 2 · ((dy + 255) · 511 + dx + 255). Each is computed
 * when it is first met; until then its length is 0.
 */
const edges = new Float64Array(2 * differences * differences);

function edgeOf(dx: number, dy: number): number {
  const edge = 2 * ((dy + 255) * differences + dx + 255);
  if (edges[edge] === 0) {
    edges[edge] = Math.hypot(dx, dy);
    edges[edge + 1] = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) * directions;
  }
  return edge;
}

/** Adds a gradient to the two nearest directions of one cell. */
function addTo(sums: Float32Array, cell: number, weight: number, turn: number): void {
  // A whole number, as Math.floor gives it, of a type whose remainder is fast.
  const before = turn | 0;
  const toNext = turn - before;
  sums[cell + (before % directions)]! += weight * (1 - toNext);
  sums[cell + ((before + 1) % directions)]! += weight * toNext;
}

/** The sums without those of the frame, scaled, and their roots. */
function setRow(row: Float32Array, sums: Float32Array): void {
  const line = cells * directions;
  for (let y = 0; y < cells; y++) {
    const from = ((y + 1) * framed + 1) * directions;
    row.set(sums.subarray(from, from + line), y * line);
  }
  let total = 0;
  for (const sum of row) total += sum;
  // The squares of the roots are the sums: this is length 1 of what remains.
  if (total > 0) for (let i = 0; i < row.length; i++) row[i] = Math.sqrt(row[i]! / total);
}
