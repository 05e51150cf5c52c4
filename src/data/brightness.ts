/** Largest difference of two values of the same channel. */
export function contrastOf(pixels: Uint8Array, channels: number): number {
  let contrast = 0;
  for (let channel = 0; channel < channels; channel++) {
    let [min, max] = [255, 0];
    for (let i = channel; i < pixels.length; i += channels) {
      min = Math.min(min, pixels[i]!);
      max = Math.max(max, pixels[i]!);
    }
    contrast = Math.max(contrast, max - min);
  }
  return contrast;
}

/** Mean of all values, 0–255 for bytes. */
export function meanOf(pixels: Uint8Array): number {
  let sum = 0;
  for (const value of pixels) sum += value;
  return sum / pixels.length;
}

/**
 * Images as bright as their negatives, or nearly, tell nothing of which is which: the mean of the training images and that of
 * their negatives have to be apart by a third of the scale.
 */
const clearDifference = 85;

/**
 * Whether an image looks like the negative of the images that a model learned from: its negative's mean brightness is three
 * times as near to theirs as its own. Images of medium brightness, such as most photographs, never do.
 * @param coverage share of the image that is picture and not frame, 0–1: a negative's frame stays black
 * @param trainingMean mean brightness of the training images, 0–255
 */
export function looksNegative(pixels: Uint8Array, coverage: number, trainingMean: number): boolean {
  if (Math.abs(255 - 2 * trainingMean) < clearDifference) return false;
  const mean = meanOf(pixels);
  return Math.abs(mean - trainingMean) >= 3 * Math.abs(255 * coverage - mean - trainingMean);
}
