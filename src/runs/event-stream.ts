/** What one party emits and any number consume, each from the beginning, whenever it begins to listen. */

interface Entry<E> {
  readonly at: number;
  readonly event: E;
}

/** An event that a later one of the same type replaces is live: of those, only the newest is kept. */
export type IsLive<E> = (event: E) => boolean;

/**
 * Events, kept for whoever listens late.
 *
 * A consumer that waits gets every event. One that comes late or is slow gets all events from the beginning in their
 * order, but of live ones (how far something is) only the newest of each type. So nothing that counts is lost while nobody
 * listens, and what is kept grows with what happened, not with time.
 */
export class EventStream<E extends { readonly type: string }> implements AsyncIterable<E> {
  readonly #isLive: IsLive<E>;
  /** Told when somebody begins to listen. */
  readonly #onListen: () => void;
  /** In the order of `at`. */
  #entries: Entry<E>[] = [];
  #count = 0;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(isLive: IsLive<E>, onListen: () => void = () => {}) {
    this.#isLive = isLive;
    this.#onListen = onListen;
  }

  emit(event: E): void {
    if (this.#isOver) return;
    if (this.#isLive(event)) {
      const older = this.#entries.findLastIndex(({ event: { type } }) => type === event.type);
      const entry = this.#entries[older];
      if (entry && this.#isLive(entry.event)) this.#entries.splice(older, 1);
    }
    this.#entries.push({ at: this.#count++, event });
    this.#wake();
  }

  /** No event comes after this: whoever listens has all of them soon, and is done. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<E, undefined> {
    this.#onListen();
    let next = 0;
    let isDone = false;
    return {
      next: async () => {
        for (;;) {
          const entry = isDone ? undefined : this.#entries[this.#firstFrom(next)];
          if (entry) {
            next = entry.at + 1;
            return { done: false, value: entry.event };
          }
          if (isDone || this.#isOver) return { done: true, value: undefined };
          await new Promise<void>((resolve) => {
            this.#waiting.push(resolve);
          });
        }
      },
      return: async () => {
        isDone = true;
        return { done: true, value: undefined };
      },
    };
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Where the first entry lies that is at least so new, by halving. */
  #firstFrom(at: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry && entry.at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
