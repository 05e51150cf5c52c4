/** Shares of red, green and blue in a grey value, of gamma-encoded values (ITU-R BT.601-7, section 2.5.1). */
export const greyWeights = [0.299, 0.587, 0.114] as const;

/**
 * Brightness of colours, for models of grey images: the sum of the values weighted by {@link greyWeights}, rounded.
 * Everything that makes grey of colour does it here, so that a model meets the same grey in use as in training.
 * @param rgb [..., 3], each 0–255
 * @returns uint8 [...]
 */
export function greyOf(rgb: Uint8Array): Uint8Array {
  const [red, green, blue] = greyWeights;
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = Math.round(red * rgb[3 * i]! + green * rgb[3 * i + 1]! + blue * rgb[3 * i + 2]!);
  }
  return grey;
}
