import type { OpenPile, Pile, PileSource } from '../../src/studio/server/pile.js';
import type { PileProgress } from '../../src/studio/server/updates.js';

/** A pile of so many images, whose pictures are their indices. */
export function fakePile(count: number): Pile {
  const images = Array.from({ length: count }, (_, i) => ({
    id: i.toString(16).padStart(32, '0'),
    name: `photos/${i}.png`,
  }));
  const picture = (index: number) => ({ type: 'image/png' as const, bytes: Uint8Array.of(index) });
  return {
    facts: {
      phase: 'ready',
      ...{ count, height: 28, width: 28, channels: 1, durationMs: 1 },
      ...{ classNames: ['cat'], setAside: 1, setAsideKinds: [], duplicates: 0, notes: [] },
    },
    images,
    skipped: [{ name: 'notes.txt', reason: 'text file' }],
    duplicates: [],
    small: async (index) => picture(index),
    view: async (index) => picture(index + 100),
    close: async () => {},
  };
}

/** Opens piles when the test says so. */
export class FakePiles {
  readonly opened: {
    readonly source: PileSource;
    readonly progress: (progress: PileProgress) => void;
    readonly finish: (pile: Pile) => void;
    readonly fail: (error: unknown) => void;
  }[] = [];

  readonly open: OpenPile = (source, { onProgress, signal }) =>
    new Promise((finish, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason));
      this.opened.push({ source, progress: onProgress, finish, fail });
    });
}

/** Lets everything that waits for nothing but its turn happen. */
export const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
