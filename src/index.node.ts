/** The former name of `node.ts`, for programs that import the built file by its path. */

import type { DecodeOptions } from './data/image-decode.node.js';
import { readImageFiles as readAsSource } from './data/image-files.node.js';
import { readRange } from './data/image-source.js';
import type { ImageSize } from './tensor/image-size.js';

export * from './node.js';

/** Pixels of image files as these programs know them: all images in one array. */
export interface FormerImages extends ImageSize {
  readonly name: string;
  readonly count: number;
  /** uint8 [count, height, width, channels] */
  readonly images: Uint8Array;
  readonly classNames: readonly string[];
}

/** {@link readAsSource} in its former shape. */
export async function readImageFiles(
  paths: readonly string[],
  size: ImageSize,
  options?: DecodeOptions,
): Promise<FormerImages> {
  const source = await readAsSource(paths, size, options);
  const { name, count, height, width, channels } = source;
  const { data: images } = await readRange(source, 0, count);
  return { name, count, height, width, channels, images, classNames: [] };
}
