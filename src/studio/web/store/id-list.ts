import { signal } from '@preact/signals';
import type { NotedImage } from '../api/explore.js';
import type { Range } from '../ui/selection.js';
import type { ImageQueue } from './image-queue.js';

/** What a grid needs of the images that it shows. */
export type ImageList = Pick<ImageQueue, 'total' | 'at' | 'want' | 'ids'>;

/** Images that are known already, as a grid takes them. */
export function listOf(images: readonly NotedImage[]): ImageList {
  const list: readonly (NotedImage | undefined)[] = images;
  return {
    total: signal(images.length),
    at: (index) => list[index],
    want: () => {},
    ids: async (ranges: readonly Range[]) =>
      ranges.flatMap(([from, to]) => images.slice(from, to).map(({ id }) => id)),
  };
}
