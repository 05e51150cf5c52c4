import type { Random } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { augmentBatch } from './augmentation.js';
import { type AugmentationStrength, policyFor } from './augmentation-policy.js';

/**
 * Change each image of a batch as far as a strength allows, in place.
 * @param images uint8 [N, H, W, C]
 * @param random a stream of this batch's own: how many numbers are drawn depends on the strength
 * @returns the images themselves
 * @throws QuarterturnError as `augmentBatch`
 */
export function augmentImages(
  images: Tensor<'uint8'>,
  strength: AugmentationStrength,
  random: Random,
): Tensor<'uint8'> {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const policy = policyFor(height, width, strength);
  augmentBatch(images.data, { count, height, width, channels }, policy, random, images.data);
  return images;
}
