import { QuarterturnError } from '../errors.js';
import type { Random } from '../random/random.js';
import { type AffineTransform, inverseOf } from './affine.js';
import { type AugmentationPolicy, requirePolicy } from './augmentation-policy.js';
import { ElasticField } from './elastic-field.js';
import { changeTones, coverSquare, type Square } from './pixel-changes.js';
import { emptyFrame, frameImage, resample } from './resampling.js';

/** Axes of a batch of images, N x H x W x C. */
export interface BatchShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Change each image of a batch in a way of its own: distort it (affine and elastic in one resampling), cover a square,
 * change its tones.
 *
 * What comes into view from outside, and the square, get the image's background: the median of its border, 0 for
 * digits on black. In the paper the square has the data set's mean, 0 after its normalisation. Here it has what already
 * surrounds the object: a mean grey square on black would be a new object with four edges, the background merely takes
 * a part of the old one away. Tones come last, so that the background changes with the rest.
 *
 * @param images uint8 [count, height, width, channels]
 * @param random for each image, five numbers whatever the policy (turn, scale, shear, shift), then those of each change
 *   that is on: one for the aspect, one for mirroring, two for each point of the elastic field's grid, three for the
 *   square, one for contrast, one for brightness. What is off draws none, and leaves the stream as if it did not exist.
 * @param into receives the result; may be `images` itself
 * @returns uint8 of the same shape: `into`, or a new array
 * @throws QuarterturnError `shape` if an array does not have the shape's size; `usage` for a field of the policy
 *   that is out of its range
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
  const framed = emptyFrame(height, width, channels);
  const field = policy.elasticPixels > 0 ? new ElasticField(height, width) : undefined;
  for (let offset = 0; offset < images.length; offset += imageSize) {
    const transform = drawTransform(policy, random);
    field?.draw(policy.elasticPixels, random);
    frameImage(framed, images, offset);
    resample(framed, inverseOf(transform), field, into, offset);
    if (policy.cutoutFraction > 0) {
      coverSquare(into, offset, height, width, drawSquare(policy, height, width, random), framed.background);
    }
    if (policy.contrast > 0 || policy.brightness > 0) {
      const contrast = policy.contrast > 0 ? policy.contrast * random.uniform(-1, 1) : 0;
      const brightness = policy.brightness > 0 ? policy.brightness * random.uniform(-1, 1) : 0;
      changeTones(into, offset, imageSize, contrast, brightness);
    }
  }
  return into;
}

/**
 * One image distorted by a given transform, and by a field that was drawn for its size.
 * @param pixels uint8 [height, width, channels]
 */
export function transformImage(
  pixels: Uint8Array,
  height: number,
  width: number,
  channels: number,
  transform: AffineTransform,
  field?: ElasticField,
): Uint8Array {
  const framed = emptyFrame(height, width, channels);
  const result = new Uint8Array(pixels.length);
  frameImage(framed, pixels, 0);
  resample(framed, inverseOf(transform), field, result, 0);
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
    aspect: policy.aspect > 0 ? 1 + within(policy.aspect) : 1,
    mirror: policy.flipHorizontal && random.uniform() < 0.5,
  };
}

/** Its side up to the policy's fraction of the shorter side, its centre any pixel. */
function drawSquare(policy: AugmentationPolicy, height: number, width: number, random: Random): Square {
  const side = Math.round(random.uniform(0, policy.cutoutFraction) * Math.min(height, width));
  const centreX = Math.floor(random.uniform(0, width));
  const centreY = Math.floor(random.uniform(0, height));
  return { left: centreX - (side >> 1), top: centreY - (side >> 1), side };
}
