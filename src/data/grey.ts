/**
 * Brightness of colours, for models of grey images: Y′ = 0.299 R + 0.587 G + 0.114 B of the gamma-encoded values, rounded.
 * Everything that makes grey of colour does it here, so that a model meets the same grey in use as in training.
 * @param rgb [..., 3], each 0–255
 * @returns uint8 [...]
 * @see ITU-R BT.601-7, section 2.5.1 "Construction of luminance (E′Y)"
 */
export function greyOf(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const [red, green, blue] = [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!];
    grey[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return grey;
}
