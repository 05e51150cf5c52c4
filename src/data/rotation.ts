import { QuarterturnError } from '../errors.js';
import { tensor } from '../tensor/tensor.js';
import { checkedIndex, type ImageSize, type ImageSource } from './image-source.js';

/** Rotations that the pretext task tells apart. */
export const turnCount = 4;

/** One image outside a dataset: uint8 [height, width, channels], row-major. */
export interface Image extends ImageSize {
  readonly pixels: Uint8Array;
}

/**
 * Write an image turned by k quarter turns counter-clockwise, as `np.rot90(x, k)` does.
 *
 * This is the one definition of rotation label k. With H x W the size of the source, the result is
 * `out[i, j] = x[i, j]`, `x[j, W-1-i]`, `x[H-1-i, W-1-j]`, `x[H-1-j, i]` for k = 0, 1, 2, 3; an odd k
 * swaps height and width. Source and destination must not overlap.
 *
 * @param src uint8 holding [height, width, channels] from `srcOffset` on
 * @param dst receives as many elements from `dstOffset` on
 * @throws QuarterturnError `usage` for another k; `shape` if either array is too short
 */
export function rotateImage(
  src: Uint8Array,
  srcOffset: number,
  dst: Uint8Array,
  dstOffset: number,
  height: number,
  width: number,
  channels: number,
  k: number,
): void {
  const size = height * width * channels;
  if (srcOffset + size > src.length || dstOffset + size > dst.length) {
    throw new QuarterturnError(
      'shape',
      `rotateImage: expected ${size} elements after each offset. Received: ${src.length - srcOffset} and ${dst.length - dstOffset}.`,
    );
  }
  // A turn is a walk over the source: where it begins, and how far one output row or column moves it.
  const walk = [
    { start: 0, perRow: width, perColumn: 1 },
    { start: width - 1, perRow: -1, perColumn: width },
    { start: height * width - 1, perRow: -width, perColumn: -1 },
    { start: (height - 1) * width, perRow: 1, perColumn: -width },
  ][k];
  if (walk === undefined) {
    throw new QuarterturnError('usage', `rotateImage: expected 0, 1, 2 or 3 quarter turns. Received: ${k}.`);
  }
  const [rows, columns] = k % 2 === 0 ? [height, width] : [width, height];
  const step = walk.perColumn * channels;
  // Channels outermost: the inner loop stays a plain strided copy, twice as fast for grey images.
  for (let c = 0; c < channels; c++) {
    let to = dstOffset + c;
    for (let i = 0; i < rows; i++) {
      let from = srcOffset + (walk.start + i * walk.perRow) * channels + c;
      for (let j = 0; j < columns; j++) {
        dst[to] = src[from]!;
        to += channels;
        from += step;
      }
    }
  }
}

/**
 * An image turned counter-clockwise by an angle in degrees, as the notebook's `Rot(X, d)`.
 * @throws QuarterturnError `usage`, in the notebook's words, for anything but 0, 90, 180 and 270
 */
export function rotateByDegrees(image: Image, degrees: number): Image {
  if (![0, 90, 180, 270].includes(degrees)) {
    throw new QuarterturnError(
      'usage',
      `rotation should be 0, 90, 180, or 270 degrees. Received: ${degrees}.`,
    );
  }
  const { height, width, channels } = image;
  const pixels = new Uint8Array(height * width * channels);
  const k = degrees / 90;
  rotateImage(image.pixels, 0, pixels, 0, height, width, channels, k);
  return k % 2 === 0 ? { ...image, pixels } : { pixels, height: width, width: height, channels };
}

/** Refuse images whose four turns do not fit one batch. @throws QuarterturnError `shape` */
export function requireSquare({ height, width }: Pick<ImageSize, 'height' | 'width'>): void {
  if (height !== width) {
    throw new QuarterturnError(
      'shape',
      `rotation: quarter turns of a batch need square images. Received: ${height} x ${width}.`,
      { hint: 'Crop or pad the images to a square.' },
    );
  }
}

// Every image stands for four rotated copies that are never stored: copy `4 * image + k` is image
// `image` turned k times. Splits and batch orders are lists of such numbers.

/** Image that a rotated copy shows. */
export function imageOfCopy(copy: number): number {
  return Math.floor(copy / turnCount);
}

/** Quarter turns of a rotated copy: its target in the pretext task, 0 ... 3. */
export function turnsOfCopy(copy: number): number {
  return copy % turnCount;
}

/** All four rotated copies of each image, those of one image side by side. */
export function copiesOf(images: ArrayLike<number>): Uint32Array {
  return Uint32Array.from(
    { length: images.length * turnCount },
    (_, i) => images[imageOfCopy(i)]! * turnCount + turnsOfCopy(i),
  );
}

/**
 * All rotated copies of a source's images, as a source of their own: image `4 * i + k` of it is image i turned k times.
 * They are turned when they are read.
 * @throws QuarterturnError `shape` for images that are not square
 */
export function rotatedCopies(source: ImageSource): ImageSource {
  requireSquare(source);
  const { height, width, channels } = source;
  const imageSize = height * width * channels;
  const share = source.share?.bind(source);
  const itself = { name: `${source.name}, turned`, count: source.count * turnCount };
  return {
    ...itself,
    height,
    width,
    channels,
    async read(copies) {
      const images = Uint32Array.from(copies, (copy) => imageOfCopy(checkedIndex(itself, copy)));
      const { shape, data } = await source.read(images);
      const turned = new Uint8Array(data.length);
      for (let i = 0; i < copies.length; i++) {
        const at = i * imageSize;
        rotateImage(data, at, turned, at, height, width, channels, turnsOfCopy(copies[i]!));
      }
      return tensor('uint8', shape, turned);
    },
    ...(share && { share: () => ({ kind: 'rotations', images: share() }) }),
  };
}
