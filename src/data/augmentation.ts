import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';

/** How far images are distorted at most; each amplitude is drawn uniformly from -value to +value. */
export interface AugmentationPolicy {
  /** Degrees about the centre. */
  readonly rotateDegrees: number;
  /** Fraction of the size: 0.1 scales by 0.9 to 1.1. */
  readonly scale: number;
  /** Pixels along each axis; fractions are allowed. */
  readonly shiftPixels: number;
  /** Horizontal slant: pixels to the side for each pixel down from the centre. */
  readonly shearFraction: number;
}

/** Leaves every image as it is. */
export const identityPolicy: AugmentationPolicy = {
  rotateDegrees: 0,
  scale: 0,
  shiftPixels: 0,
  shearFraction: 0,
};

/** Axes of a batch of images, N x H x W x C. */
export interface BatchShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** One image's distortion: shear, then scale, then turn about the centre, then shift. */
export interface AffineTransform {
  /** Counter-clockwise as seen. */
  readonly rotateDegrees: number;
  /** Magnification, 1 for none. */
  readonly scale: number;
  readonly shearFraction: number;
  /** Pixels to the right. */
  readonly shiftX: number;
  /** Pixels down. */
  readonly shiftY: number;
}

/**
 * A policy that keeps the label of most things that are photographed or written upright.
 *
 * - 15 degrees: people's slant in handwriting and of a hand-held camera; far from the 45 degrees at
 *   which a quarter turn, or 6 and 9, begin to be confused.
 * - 12 % in size: as loosely as objects are usually framed.
 * - 8 % of the shorter side as shift, 2.2 pixels of 28: an object centred by its mass or box is off by
 *   about that much, and a margin of a tenth keeps it in the picture.
 * - shear 0.15, about 9 degrees: italic hands.
 */
export function policyFor(height: number, width: number): AugmentationPolicy {
  return { rotateDegrees: 15, scale: 0.12, shiftPixels: 0.08 * Math.min(height, width), shearFraction: 0.15 };
}

/**
 * Distort each image of a batch by a transform of its own.
 *
 * @param images uint8 [count, height, width, channels]
 * @param random five numbers are drawn for each image, whatever the policy
 * @param into receives the result; may be `images` itself
 * @returns uint8 of the same shape: `into`, or a new array
 * @throws QuarterturnError `shape` where an array does not have the shape's size; `usage` for an
 *   amplitude that is negative or a scale of 1 and more
 */
export function augmentBatch(
  images: Uint8Array,
  shape: BatchShape,
  policy: AugmentationPolicy,
  random: Random,
  into: Uint8Array = new Uint8Array(images.length),
): Uint8Array {
  requirePolicy(policy);
  const { count, height, width, channels } = shape;
  const imageSize = height * width * channels;
  if (images.length !== count * imageSize || into.length !== images.length) {
    throw new QuarterturnError(
      'shape',
      `augmentBatch: expected ${count * imageSize} elements for ${count} x ${height} x ${width} x ${channels}, in and out. Received: ${images.length} in, ${into.length} out.`,
    );
  }
  const framed = new Uint8Array((height + 2) * (width + 2) * channels);
  for (let offset = 0; offset < images.length; offset += imageSize) {
    frame(images, offset, framed, height, width, channels);
    resample(framed, into, offset, height, width, channels, inverseOf(drawTransform(policy, random)));
  }
  return into;
}

/** One image distorted by a given transform. @param pixels uint8 [height, width, channels] */
export function transformImage(
  pixels: Uint8Array,
  height: number,
  width: number,
  channels: number,
  transform: AffineTransform,
): Uint8Array {
  const framed = new Uint8Array((height + 2) * (width + 2) * channels);
  const result = new Uint8Array(pixels.length);
  frame(pixels, 0, framed, height, width, channels);
  resample(framed, result, 0, height, width, channels, inverseOf(transform));
  return result;
}

/** Each amplitude uniform within the policy. */
export function drawTransform(policy: AugmentationPolicy, random: Random): AffineTransform {
  const within = (amplitude: number) => amplitude * random.uniform(-1, 1);
  return {
    rotateDegrees: within(policy.rotateDegrees),
    scale: 1 + within(policy.scale),
    shearFraction: within(policy.shearFraction),
    shiftX: within(policy.shiftPixels),
    shiftY: within(policy.shiftPixels),
  };
}

/** Where an output pixel comes from, relative to the centre: `x = xx (X - dx) + xy (Y - dy)`, y alike. */
interface InverseMap {
  readonly xx: number;
  readonly xy: number;
  readonly yx: number;
  readonly yy: number;
  readonly dx: number;
  readonly dy: number;
}

/**
 * The inverse of `scale * turn * shear`. With y pointing down, a counter-clockwise turn is
 * [[cos, sin], [-sin, cos]] and its inverse the transpose; the inverse shear is [[1, -h], [0, 1]].
 */
function inverseOf({ rotateDegrees, scale, shearFraction, shiftX, shiftY }: AffineTransform): InverseMap {
  const radians = (rotateDegrees * Math.PI) / 180;
  const cos = Math.cos(radians) / scale;
  const sin = Math.sin(radians) / scale;
  return {
    xx: cos - shearFraction * sin,
    xy: -sin - shearFraction * cos,
    yx: sin,
    yy: cos,
    dx: shiftX,
    dy: shiftY,
  };
}

/**
 * Copy an image into the middle of a frame one pixel wider on each side, which stays 0. Sampling then
 * fades to the background at the border without a test for each neighbour, and may overwrite its source.
 */
function frame(
  src: Uint8Array,
  offset: number,
  framed: Uint8Array,
  height: number,
  width: number,
  channels: number,
) {
  const rowSize = width * channels;
  for (let y = 0; y < height; y++) {
    const row = offset + y * rowSize;
    framed.set(src.subarray(row, row + rowSize), ((y + 1) * (width + 2) + 1) * channels);
  }
}

/**
 * Bilinear samples of a framed image at the inverse image of each output pixel, 0 outside.
 * No low-pass filter: at the mild scales of a policy, aliasing stays below the interpolation's own blur.
 */
function resample(
  framed: Uint8Array,
  dst: Uint8Array,
  dstOffset: number,
  height: number,
  width: number,
  channels: number,
  { xx, xy, yx, yy, dx, dy }: InverseMap,
): void {
  const centreX = (width - 1) / 2;
  const centreY = (height - 1) / 2;
  const rowSize = (width + 2) * channels;
  let out = dstOffset;
  for (let row = 0; row < height; row++) {
    // In the frame's coordinates (+ 1), where the samples wanted are those in (0, size + 1).
    let x = xx * (-centreX - dx) + xy * (row - centreY - dy) + centreX + 1;
    let y = yx * (-centreX - dx) + yy * (row - centreY - dy) + centreY + 1;
    for (let column = 0; column < width; column++) {
      if (x > 0 && x < width + 1 && y > 0 && y < height + 1) {
        const left = Math.floor(x);
        const top = Math.floor(y);
        const right = x - left;
        const bottom = y - top;
        let at = top * rowSize + left * channels;
        for (let c = 0; c < channels; c++, at++) {
          const above = framed[at]! + right * (framed[at + channels]! - framed[at]!);
          const below =
            framed[at + rowSize]! + right * (framed[at + rowSize + channels]! - framed[at + rowSize]!);
          dst[out++] = above + bottom * (below - above) + 0.5; // the store cuts: rounds to the nearest
        }
      } else {
        for (let c = 0; c < channels; c++) dst[out++] = 0;
      }
      x += xx;
      y += yx;
    }
  }
}

function requirePolicy(policy: AugmentationPolicy): void {
  for (const [name, value] of Object.entries(policy)) {
    if (!(value >= 0 && value < (name === 'scale' ? 1 : Number.POSITIVE_INFINITY))) {
      throw new QuarterturnError(
        'usage',
        `augmentation ${name}: expected ${name === 'scale' ? 'a number from 0 to below 1' : 'a number of 0 or more'}. Received: ${value}.`,
      );
    }
  }
}
