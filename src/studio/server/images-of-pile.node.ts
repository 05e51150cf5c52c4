import type { ProjectImage } from '../project/project-images.node.js';
import type { Pile, PileSource } from './pile.js';
import type { PileState } from './updates.js';

/** The images of a pile, as a project takes them down. */
export function imagesOfPile({ images, duplicates }: Pick<Pile, 'images' | 'duplicates'>): ProjectImage[] {
  const copies = new Map(duplicates.flatMap(({ names }) => names.map((name) => [name, names])));
  return images.map(({ id, name, content }) => {
    const others = copies.get(name)?.filter((other) => other !== name) ?? [];
    return {
      ...{ image: id, name },
      ...(others.length > 0 && { copies: others }),
      ...(content !== undefined && { content }),
    };
  });
}

/** What a pile is read from, so that whoever reads it again gets the images that there are. */
export function sourceAsRead(source: PileSource, pile: PileState): PileSource {
  return 'path' in source && pile.phase === 'ready' ? { ...source, reading: pile.reading } : source;
}
