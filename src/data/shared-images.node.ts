import { openPackedImages } from './cache/packed-images.node.js';
import { type ImageSource, imagesInMemory, type SharedImages, selectImages } from './image-source.js';
import { rotatedCopies } from './rotation.js';

/** A source that another thread shares, open on this one; to be closed. */
export interface OpenShared {
  readonly images: ImageSource;
  close(): Promise<void>;
}

/**
 * Open the source that another thread shares: it reads the same memory, or the same file.
 * @throws QuarterturnError `io` or `data` if that file cannot be read any more
 */
export async function openShared(shared: SharedImages): Promise<OpenShared> {
  switch (shared.kind) {
    case 'memory':
      return { images: imagesInMemory(shared), close: async () => {} };
    case 'packed': {
      const { name, ...file } = shared;
      // What was too large to be held by the one thread is not held by the other.
      const images = await openPackedImages(file, { name, maxBytesInMemory: 0 });
      return { images, close: () => images.close() };
    }
    case 'selection': {
      const { images, close } = await openShared(shared.images);
      return { images: selectImages(images, shared.indices, { name: shared.name }), close };
    }
    case 'rotations': {
      const { images, close } = await openShared(shared.images);
      return { images: rotatedCopies(images), close };
    }
  }
}
