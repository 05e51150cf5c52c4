import { countOf } from '../counts.js';
import { type ImageSource, readRange } from '../data/image-source.js';
import { inChunks, type ProgressOptions, startProgress } from '../progress.js';

/** Values added up between two checks of the abort signal: less than a millisecond, and a quarter of a megabyte. */
const valuesAtATime = 2 ** 18;

/**
 * Mean of all values of all images, 0–255: by it, a user of a classifier's file can tell negatives.
 * @throws QuarterturnError `interrupted` if the signal is aborted
 */
export async function meanBrightness(images: ImageSource, listening: ProgressOptions): Promise<number> {
  const { count, height, width, channels } = images;
  const imageSize = height * width * channels;
  const progress = startProgress(listening, `brightness of ${countOf(count, 'image')}`, count);
  // Whole numbers: their sum is exact, whatever the parts.
  let sum = 0;
  await inChunks(
    count,
    valuesAtATime / imageSize,
    async (from, to) => {
      for (const value of (await readRange(images, from, to)).data) sum += value;
    },
    progress,
  );
  return sum / (count * imageSize);
}
