import { basename } from 'node:path';
import sharp from 'sharp';
import { QuarterturnError } from '../errors.js';
import type { ImageDataset } from './dataset.js';

/** The size that a model takes. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  /** 1: grey; 3: red, green, blue. */
  readonly channels: number;
}

/**
 * Read PNG, JPEG, WebP, TIFF ... files as unlabelled images of one size, in the order given.
 *
 * Each is turned upright by its EXIF orientation and fitted whole into the size, its proportions kept;
 * what stays free or was transparent becomes 0.
 *
 * @throws QuarterturnError `data` naming the file that cannot be read as an image; `usage` for no file
 *   or channels other than 1 and 3
 */
export async function readImageFiles(paths: readonly string[], size: ImageSize): Promise<ImageDataset> {
  const { height, width, channels } = size;
  if (paths.length === 0) {
    throw new QuarterturnError('usage', 'image files: expected at least one path. Received: none.');
  }
  if (channels !== 1 && channels !== 3) {
    throw new QuarterturnError('usage', `image files: expected 1 or 3 channels. Received: ${channels}.`);
  }
  const imageBytes = height * width * channels;
  const images = new Uint8Array(paths.length * imageBytes);
  for (const [i, path] of paths.entries()) images.set(await readPixels(path, size), i * imageBytes);
  const name = paths.length === 1 ? basename(paths[0]!) : `${paths.length} image files`;
  return { name, images, count: paths.length, height, width, channels, classNames: [] };
}

async function readPixels(path: string, { height, width, channels }: ImageSize): Promise<Uint8Array> {
  try {
    return await sharp(path)
      .autoOrient()
      .flatten({ background: 'black' })
      .resize(width, height, { fit: 'contain', background: 'black' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new QuarterturnError('data', `${path}: expected a readable image file. Received: ${reason}.`, {
      hint: 'PNG, JPEG, WebP, TIFF, GIF and AVIF can be read.',
      cause,
    });
  }
}
