import { availableParallelism } from 'node:os';
import { peekGzip } from '../data/gunzip.node.js';
import { readIdx } from '../data/idx.js';
import { contentOf } from '../data/image-content.js';
import type { DecodedImage } from '../data/image-decode.node.js';
import type { FitMode } from '../data/image-fit.js';
import type { ImageSize } from '../data/image-source.js';
import { mapAhead } from '../data/map-ahead.js';
import { readNamedFile } from '../data/read-file.node.js';
import { QuarterturnError } from '../errors.js';

/** Images of one file, all in the model's size. */
export interface FileImages {
  readonly count: number;
  /** uint8 [count, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** What was found while a picture was decoded; absent for an IDX file, whose images are as the model takes them. */
  readonly decoded?: DecodedImage;
}

/** One file, read or not. */
export type ReadFile =
  | { readonly file: string; readonly images: FileImages }
  | { readonly file: string; readonly error: unknown };

export interface ReadOptions {
  /** Images to take of an IDX file; default: all. */
  readonly limit?: number | undefined;
  /** Take the negative of each image. */
  readonly invert?: boolean | undefined;
  /** How pictures are fitted into the size; default: `contain`. */
  readonly fit?: FitMode | undefined;
}

/** Files that are read at once: the decoder's threads never wait, and memory holds few pictures. */
const filesAhead = 2 * Math.min(availableParallelism(), 8);

/** Read files ahead of their use, in their order; one that cannot be read does not stop the others. */
export function readFiles(
  files: readonly string[],
  size: ImageSize,
  options: ReadOptions,
): AsyncGenerator<ReadFile, void, undefined> {
  return mapAhead(files, filesAhead, async (file) => {
    try {
      return { file, images: await readImages(file, size, options) };
    } catch (error) {
      return { file, error };
    }
  });
}

/** All images of a file; what it holds decides how it is read, not its name. */
async function readImages(file: string, size: ImageSize, options: ReadOptions): Promise<FileImages> {
  const bytes = await readNamedFile(file, 'an IDX or image file');
  const content = contentOf(bytes);
  const within = content.kind === 'gzip' ? contentOf(peekGzip(bytes)) : content;
  if (within.kind === 'idx') return readIdxImages(file, bytes, size, options);
  // Loaded only now: IDX files need no image library.
  const { decodeImage } = await import('../data/image-decode.node.js');
  const decoded = await decodeImage(file, bytes, size, {
    invert: options.invert ?? false,
    fit: options.fit ?? 'contain',
  });
  return { count: 1, pixels: decoded.pixels, decoded };
}

async function readIdxImages(
  file: string,
  bytes: Uint8Array,
  { height, width, channels }: ImageSize,
  { limit, invert = false }: ReadOptions,
): Promise<FileImages> {
  const { shape, data } = await readIdx(file, bytes, { limit });
  const [count = 0, ...size] = shape.length === 3 ? [...shape, 1] : shape;
  if (size.join() !== [height, width, channels].join()) {
    throw new QuarterturnError(
      'data',
      `${file}: expected images of ${height}×${width}×${channels}, as the model was trained on. Received: an array of ${shape.join(' × ')}.`,
      { hint: 'Use images of that size, or a model that was trained on this size.' },
    );
  }
  return { count, pixels: invert ? data.map((value) => 255 - value) : data };
}
