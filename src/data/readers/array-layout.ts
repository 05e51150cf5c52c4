import { QuarterturnError } from '../../errors.js';

/** Which axis of an array of images is which. */
export interface ArrayLayout {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Whether an image lies there channel by channel, [C, H, W]. */
  readonly channelsFirst: boolean;
}

/** Grey; red, green, blue; these and alpha. */
const channelCounts = [1, 3, 4];

/**
 * Images of an array by its shape: [N, H, W], [N, H, W, C] or [N, C, H, W], with 1, 3 or 4 channels. Where both could be,
 * the channels are last.
 *
 * @param where what to call the array in errors
 * @throws QuarterturnError `data` for any other shape
 */
export function layoutOf(where: string, shape: readonly number[]): ArrayLayout {
  const [count = 0, a = 0, b = 0, c] = shape;
  const isImage = shape.length === 3 || shape.length === 4;
  if (isImage && (count === 0 || (a > 0 && b > 0))) {
    if (c === undefined) return { count, height: a, width: b, channels: 1, channelsFirst: false };
    if (channelCounts.includes(c)) return { count, height: a, width: b, channels: c, channelsFirst: false };
    if (channelCounts.includes(a) && c > 0) {
      return { count, height: b, width: c, channels: a, channelsFirst: true };
    }
  }
  throw new QuarterturnError(
    'data',
    `${where}: expected images, [N, H, W], [N, H, W, C] or [N, C, H, W] with 1, 3 or 4 channels. Received: [${shape.slice(0, 8).join(', ')}].`,
    shape.length === 2 ? { hint: 'Give flattened images their size: `images.reshape(-1, 28, 28)`.' } : {},
  );
}

/** Pixels of one image [C, H, W] as [H, W, C]. */
export function channelsLast(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return pixels;
  const area = pixels.length / channels;
  const result = new Uint8Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) result[i * channels + c] = pixels[c * area + i] ?? 0;
  }
  return result;
}
