import { type ImageSource, imagesInMemory, type SharedImages, selectImages } from './image-source.js';
import { rotatedCopies } from './rotation.js';

/** The source that another thread shares: it reads the same memory. */
export function openShared(shared: SharedImages): ImageSource {
  switch (shared.kind) {
    case 'memory':
      return imagesInMemory(shared);
    case 'selection':
      return selectImages(openShared(shared.images), shared.indices, { name: shared.name });
    case 'rotations':
      return rotatedCopies(openShared(shared.images));
  }
}
