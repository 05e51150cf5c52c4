/** A square of pixels; it may reach over the image's border. */
export interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/**
 * Cover a square of an image, as far as it lies within.
 * @param pixels uint8 holding [height, width, channels] from `offset` on
 * @param colour one value for each channel
 */
export function coverSquare(
  pixels: Uint8Array,
  offset: number,
  height: number,
  width: number,
  { left, top, side }: Square,
  colour: Uint8Array,
): void {
  const channels = colour.length;
  const right = Math.min(width, left + side);
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
    for (let x = Math.max(0, left); x < right; x++) pixels.set(colour, offset + (y * width + x) * channels);
  }
}

/** Rounds, and keeps to 0 ... 255. */
const toneTable = new Uint8ClampedArray(256);

/**
 * Change contrast about the mean of all of an image's values, then brightness: one table for all channels, so that hues
 * stay as they are.
 * @param contrast fraction that is added to the differences from the mean
 * @param brightness fraction of 255 that is added
 */
export function changeTones(
  pixels: Uint8Array,
  offset: number,
  size: number,
  contrast: number,
  brightness: number,
): void {
  let sum = 0;
  for (let i = offset; i < offset + size; i++) sum += pixels[i]!;
  const mean = sum / size;
  for (let value = 0; value < 256; value++) {
    toneTable[value] = value + contrast * (value - mean) + 255 * brightness;
  }
  for (let i = offset; i < offset + size; i++) pixels[i] = toneTable[pixels[i]!]!;
}
