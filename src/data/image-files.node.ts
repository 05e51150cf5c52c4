import { basename } from 'node:path';
import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import { type DecodeOptions, decodeImage } from './image-decode.node.js';
import { type ImageSize, type ImageSource, imagesInMemory } from './image-source.js';
import { mapAhead } from './map-ahead.js';
import { readNamedFile } from './read-file.node.js';

/** Files that are read and decoded at once: enough for all cores, without many large pictures in memory. */
const filesAhead = 8;

/**
 * Reads PNG, JPEG, WebP, TIFF … files as images of one size, held in memory, in the order given.
 *
 * {@link decodeImage} describes how a picture is fitted into the size and how samples other than bytes are scaled.
 *
 * @throws QuarterturnError `data` naming the file that is not there or cannot be read as an image, `io` for one that
 *   may not be read; `usage` for no file or channels other than 1 and 3
 */
export async function readImageFiles(
  paths: readonly string[],
  size: ImageSize,
  options: DecodeOptions = {},
): Promise<ImageSource> {
  const { height, width, channels } = size;
  if (paths.length === 0) {
    throw new QuarterturnError('usage', 'image files: expected at least one path. Received: none.');
  }
  if (channels !== 1 && channels !== 3) {
    throw new QuarterturnError('usage', `image files: expected 1 or 3 channels. Received: ${channels}.`);
  }
  const imageBytes = height * width * channels;
  const all = new Uint8Array(paths.length * imageBytes);
  const decoded = mapAhead(paths, filesAhead, async (path) =>
    decodeImage(path, await readNamedFile(path, 'an image file'), size, options),
  );
  let at = 0;
  for await (const { pixels } of decoded) {
    all.set(pixels, at);
    at += imageBytes;
  }
  const name = paths.length === 1 ? basename(paths[0]!) : countOf(paths.length, 'image file');
  return imagesInMemory({ name, pixels: all, height, width, channels });
}
