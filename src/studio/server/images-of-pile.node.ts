import { eventOfNames } from '../project/labels-of-names.js';
import type { ProjectImage } from '../project/project-images.node.js';
import type { ServedProject } from './open-project.node.js';
import { filesOfSame, type Pile, type PileSource } from './pile.js';
import type { PileState } from './updates.js';

/** The images of a pile, as a project takes them down. */
export function imagesOfPile({ images, duplicates }: Pick<Pile, 'images' | 'duplicates'>): ProjectImage[] {
  const filesOf = filesOfSame(duplicates);
  return images.map(({ id, name, content }) => {
    const others = filesOf.get(name)?.filter((other) => other !== name) ?? [];
    return {
      ...{ image: id, name },
      ...(others.length > 0 && { copies: others }),
      ...(content !== undefined && { content }),
    };
  });
}

/** Whoever sorted pictures into a folder for each class has labelled them: of a new project these labels are the first event. */
export async function labelAsFound({ labels, data }: ServedProject, { images, facts }: Pile): Promise<void> {
  // The example is there to be labelled.
  if (labels.state.seq > 0 || 'example' in data) return;
  const found = images.flatMap(({ id, name, foundClass }) => {
    const label = foundClass === undefined ? undefined : facts.classNames[foundClass];
    return label === undefined ? [] : [{ image: id, name, label }];
  });
  await labels.append((state) => (state.seq > 0 ? undefined : eventOfNames(state, found)));
}

/** What a pile is read from, so that whoever reads it again gets the images that there are. */
export function sourceAsRead(source: PileSource, pile: PileState): PileSource {
  return 'path' in source && pile.phase === 'ready' ? { ...source, reading: pile.reading } : source;
}
