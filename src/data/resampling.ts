import type { InverseMap } from './affine.js';
import type { ElasticField } from './elastic-field.js';

/**
 * An image in the middle of a frame one pixel wider on each side, which holds the background. Sampling then fades to
 * the background at the border without a test for each neighbour, and may overwrite its source.
 */
export interface FramedImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** uint8 [height + 2, width + 2, channels] */
  readonly pixels: Uint8Array;
  /** What lies around the image: one value for each channel. */
  readonly background: Uint8Array;
  /** Of the first and last rows' and columns' pixels within an image. */
  readonly borderOffsets: Int32Array;
}

/** A frame to put images of one size into, one after the other. */
export function emptyFrame(height: number, width: number, channels: number): FramedImage {
  const pixels = new Uint8Array((height + 2) * (width + 2) * channels);
  return {
    height,
    width,
    channels,
    pixels,
    background: new Uint8Array(channels),
    borderOffsets: borderOffsetsOf(height, width, channels),
  };
}

function borderOffsetsOf(height: number, width: number, channels: number): Int32Array {
  const rows = Array.from({ length: width }, (_, x) => [x, (height - 1) * width + x]);
  const columns = Array.from({ length: height }, (_, y) => [y * width, y * width + width - 1]);
  return Int32Array.from([...rows, ...columns].flat(), (pixel) => pixel * channels);
}

/** Put the image that begins at `offset` of `src` into the frame, and its background around it. */
export function frameImage(framed: FramedImage, src: Uint8Array, offset: number): void {
  const { height, width, channels, pixels, background, borderOffsets } = framed;
  let same = true;
  for (let c = 0; c < channels; c++) {
    const median = borderMedian(src, offset + c, borderOffsets);
    same &&= median === background[c];
    background[c] = median;
  }
  const rowSize = width * channels;
  const framedRowSize = rowSize + 2 * channels;
  if (!same) for (let at = 0; at < pixels.length; at++) pixels[at] = background[at % channels]!;
  for (let y = 0; y < height; y++) {
    const from = offset + y * rowSize;
    pixels.set(src.subarray(from, from + rowSize), (y + 1) * framedRowSize + channels);
  }
}

/**
 * The median (the lower of two) of a channel along the image's border: what most of the border shows.
 *
 * It is the paper's white and the black behind digits, also where an object touches the border; the bars of an image
 * that was fitted into the size; and in a photograph the value nearest to all of the border. Repeating the edge instead
 * would draw streaks out of every object that is cut off, and 0 would put black corners, which tell how far an image
 * was turned and which no test image has, around everything that is not black.
 *
 * @param start of the channel's first pixel in `src`
 */
function borderMedian(src: Uint8Array, start: number, borderOffsets: Int32Array): number {
  // A value that takes more than half is the median: plain backgrounds, which are most, need no sorting.
  const corner = src[start]!;
  const half = borderOffsets.length / 2;
  let alike = 0;
  for (let i = 0; i < borderOffsets.length; i++) {
    if (src[start + borderOffsets[i]!] === corner && ++alike > half) return corner;
  }
  const values = new Uint8Array(borderOffsets.length);
  for (let i = 0; i < values.length; i++) values[i] = src[start + borderOffsets[i]!]!;
  return values.sort()[(values.length - 1) >> 1]!;
}

/**
 * Bilinear samples of a framed image at the inverse image of each output pixel, moved on by an elastic field where
 * there is one: one pass, so that pixels are interpolated and thereby blurred once. The background is outside.
 * No low-pass filter: at the mild scales of a policy, aliasing stays below the interpolation's own blur.
 */
export function resample(
  framed: FramedImage,
  { xx, xy, yx, yy, dx, dy }: InverseMap,
  field: ElasticField | undefined,
  dst: Uint8Array,
  dstOffset: number,
): void {
  const { height, width, channels, pixels, background } = framed;
  const centreX = (width - 1) / 2;
  const centreY = (height - 1) / 2;
  const rowSize = (width + 2) * channels;
  const fieldX = field?.dx;
  const fieldY = field?.dy;
  let out = dstOffset;
  for (let row = 0; row < height; row++) {
    // In the frame's coordinates (+ 1), where the samples wanted are those in (0, size + 1).
    let x = xx * (-centreX - dx) + xy * (row - centreY - dy) + centreX + 1;
    let y = yx * (-centreX - dx) + yy * (row - centreY - dy) + centreY + 1;
    field?.row(row);
    for (let column = 0; column < width; column++) {
      const sx = fieldX ? x + fieldX[column]! : x;
      const sy = fieldY ? y + fieldY[column]! : y;
      if (sx > 0 && sx < width + 1 && sy > 0 && sy < height + 1) {
        const left = Math.floor(sx);
        const top = Math.floor(sy);
        const right = sx - left;
        const bottom = sy - top;
        let at = top * rowSize + left * channels;
        for (let c = 0; c < channels; c++, at++) {
          const above = pixels[at]! + right * (pixels[at + channels]! - pixels[at]!);
          const below =
            pixels[at + rowSize]! + right * (pixels[at + rowSize + channels]! - pixels[at + rowSize]!);
          dst[out++] = above + bottom * (below - above) + 0.5; // the store cuts: rounds to the nearest
        }
      } else {
        for (let c = 0; c < channels; c++) dst[out++] = background[c]!;
      }
      x += xx;
      y += yx;
    }
  }
}
