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

/**
 * Grey values as colours that show no colour.
 * @param grey [...]
 * @returns uint8 [..., 3]
 */
export function rgbOf(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let i = 0; i < rgb.length; i++) rgb[i] = grey[Math.floor(i / 3)]!;
  return rgb;
}

/** Differences of red, green and blue up to here are of the camera, the scanner or the compression, and nobody sees them. */
const unseenDifference = 8;

/**
 * Whether any pixel is coloured, so that something is lost in grey.
 * @param rgb [..., 3], each 0–255
 */
export function showsColour(rgb: Uint8Array): boolean {
  for (let i = 0; i < rgb.length; i += 3) {
    const [red, green, blue] = [rgb[i]!, rgb[i + 1]!, rgb[i + 2]!];
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > unseenDifference) return true;
  }
  return false;
}
