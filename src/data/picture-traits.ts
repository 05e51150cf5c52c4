import type { ImageSize } from '../tensor/image-size.js';

/** Steps of brightness that are noise. */
const flatStep = 4;
/** Brightness of a black or a white ground, of 255. */
const [black, white] = [8, 247];
/** What is added before a logarithm: a quarter of a step of a byte. */
const tiny = 1e-3;
const [redWeight, greenWeight, blueWeight] = [0.299, 0.587, 0.114];

/**
 * What kind of picture an image is, whatever it shows, in a few numbers: its brightness b (0–1) and how that is spread,
 *
 *   mean b,  deviation of b,  ln mean |Δx b|,  ln mean |Δy b|,  ln largest |Δx b|,
 *   share of flat steps to the right, and down,  share of black, and of white,  mean b of the middle − mean b,
 *
 * and in colour ln of the mean saturation, max(r, g, b) − min(r, g, b). A drawing, a screenshot and a photograph differ in these, and
 * so do photographs of different sources; two classes of one source hardly do.
 *
 * @param pixels uint8 [H, W, C]
 * @returns 10 numbers of a grey image, 11 of one in colour
 */
export function pictureTraits(pixels: Uint8Array, { height, width, channels }: ImageSize): Float64Array {
  const brightness = brightnessOf(pixels, channels);
  const [top, left] = [Math.floor(height / 4), Math.floor(width / 4)];
  let [sum, squares, middle, middleCount, blacks, whites] = [0, 0, 0, 0, 0, 0];
  let [across, down, largest, flatAcross, flatDown] = [0, 0, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const b = brightness[y * width + x]!;
      sum += b;
      squares += b * b;
      if (b < black) blacks++;
      if (b > white) whites++;
      if (y >= top && y < height - top && x >= left && x < width - left) {
        middle += b;
        middleCount++;
      }
      if (x + 1 < width) {
        const step = Math.abs(brightness[y * width + x + 1]! - b);
        across += step;
        largest = Math.max(largest, step);
        if (step < flatStep) flatAcross++;
      }
      if (y + 1 < height) {
        const step = Math.abs(brightness[(y + 1) * width + x]! - b);
        down += step;
        if (step < flatStep) flatDown++;
      }
    }
  }
  const count = height * width;
  const mean = sum / count;
  const [acrossCount, downCount] = [Math.max(1, height * (width - 1)), Math.max(1, (height - 1) * width)];
  const log = (value: number): number => Math.log(value / 255 + tiny);
  return Float64Array.of(
    mean / 255,
    Math.sqrt(Math.max(0, squares / count - mean ** 2)) / 255,
    log(across / acrossCount),
    log(down / downCount),
    log(largest),
    flatAcross / acrossCount,
    flatDown / downCount,
    blacks / count,
    whites / count,
    (middle / Math.max(1, middleCount) - mean) / 255,
    ...(channels === 3 ? [log(meanSaturation(pixels))] : []),
  );
}

/** Brightness of each pixel, 0–255: of grey the first channel. */
function brightnessOf(pixels: Uint8Array, channels: number): Float32Array {
  const brightness = new Float32Array(pixels.length / channels);
  for (let i = 0, at = 0; i < brightness.length; i++, at += channels) {
    brightness[i] =
      channels === 3
        ? redWeight * pixels[at]! + greenWeight * pixels[at + 1]! + blueWeight * pixels[at + 2]!
        : pixels[at]!;
  }
  return brightness;
}

function meanSaturation(pixels: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    sum += Math.max(r, g, b) - Math.min(r, g, b);
  }
  return (3 * sum) / pixels.length;
}
