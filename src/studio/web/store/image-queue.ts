import { effect, type Signal, signal } from '@preact/signals';
import type { QueuePage } from '../../server/labelled-pile.js';
import { ApiError, api } from '../api/client.js';
import type { Range } from '../ui/selection.js';
import { toastError } from '../ui/toast.js';
import { learn } from './image-labels.js';
import { onDelta, onSnapshot, projectFolder } from './studio.js';

export type QueueImage = QueuePage['images'][number];

/** Whether a run has said what it takes images of this project for. */
export const hasPredictions = signal(false);
effect(() => {
  projectFolder.value;
  hasPredictions.value = false;
});

/** Images of a page: a request of some milliseconds, some windows full. */
const pageSize = 200;

/**
 * A queue of images, in the order that it had when it was opened: what is labelled meanwhile stays where it is, until
 * {@link refresh}. Pages are loaded as they are wanted.
 *
 * @example
 * const queue = new ImageQueue('unlabelled');
 * queue.at(120)?.id; // undefined until it is there; drawn again then
 * queue.close();
 */
export class ImageQueue {
  readonly name: string;
  /** How many images it has; null until that is known. */
  readonly total = signal<number | null>(null);
  /** Whether its images are yet to be found out; it comes anew by itself then. */
  readonly isPending = signal(false);
  readonly #pages = new Map<number, Signal<readonly QueueImage[] | null>>();
  readonly #loading = new Set<number>();
  /** Number of the event that the order is of. */
  #seq: number | undefined;
  /** Raised by each {@link refresh}: what was asked for before is of another order. */
  #order = 0;
  readonly #stops: readonly (() => void)[];

  constructor(name: string) {
    this.name = name;
    this.#stops = [
      // So many labels are other ones that they are not told one by one.
      onDelta((delta) => {
        if (delta.type === 'looks' && this.isPending.peek()) this.refresh();
        if (delta.type === 'relabelled' && delta.images === null) this.#askAnew();
      }),
      onSnapshot(() => this.#askAnew()),
    ];
    void this.#load(0);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  /** The image at a place, if it is there; whoever asks while drawing is drawn again when it is. */
  at(index: number): QueueImage | undefined {
    const page = Math.floor(index / pageSize);
    return this.#pageOf(page).value?.[index - page * pageSize];
  }

  /** The same, without following it. */
  now(index: number): QueueImage | undefined {
    const page = Math.floor(index / pageSize);
    return this.#pageOf(page).peek()?.[index - page * pageSize];
  }

  /** Place of an image, as far as that is loaded. */
  placeOf(id: string): number | undefined {
    for (const [page, images] of this.#pages) {
      const i = images.peek()?.findIndex((each) => each.id === id) ?? -1;
      if (i >= 0) return page * pageSize + i;
    }
    return undefined;
  }

  /** See to it that images from one place up to another are loaded. */
  want(from: number, to: number): void {
    const last = Math.min(to, (this.total.peek() ?? 1) - 1);
    for (let page = Math.floor(Math.max(0, from) / pageSize); page * pageSize <= last; page++) {
      if (this.#pageOf(page).peek() === null) void this.#load(page);
    }
  }

  /** The image at a place, once it is there; undefined beyond the end. */
  async load(index: number): Promise<QueueImage | undefined> {
    const page = Math.floor(Math.max(0, index) / pageSize);
    if (this.#pageOf(page).peek() === null) await this.#load(page);
    return this.now(index);
  }

  /** Ids of the images of some ranges, whether they were ever shown or not. */
  async ids(ranges: readonly Range[]): Promise<readonly string[]> {
    const parts = ranges.map(async ([from, to]) => {
      const loaded = Array.from({ length: to - from }, (_, i) => this.now(from + i)?.id);
      if (loaded.every((id) => id !== undefined)) return loaded;
      return (await api.imageIds({ queue: this.name, seq: this.#seq, from, count: to - from })).ids;
    });
    return (await Promise.all(parts)).flat();
  }

  /** Take the order as it is now. */
  refresh(): void {
    this.#order++;
    this.#seq = undefined;
    this.#loading.clear();
    for (const page of this.#pages.values()) page.value = null;
    void this.#load(0);
  }

  #pageOf(page: number): Signal<readonly QueueImage[] | null> {
    let found = this.#pages.get(page);
    if (found === undefined) {
      found = signal(null);
      this.#pages.set(page, found);
    }
    return found;
  }

  /** Labels of what is loaded, in the same order. */
  #askAnew(): void {
    for (const [page, images] of this.#pages) if (images.peek() !== null) void this.#load(page);
  }

  async #load(page: number): Promise<void> {
    if (this.#loading.has(page)) return;
    const order = this.#order;
    this.#loading.add(page);
    try {
      const part = { from: page * pageSize, count: pageSize };
      const found = await api.images({ queue: this.name, seq: this.#seq, ...part });
      if (order !== this.#order) return;
      this.#seq = found.seq;
      this.total.value = found.total;
      this.isPending.value = found.pending === true;
      if (found.images.some(({ prediction }) => prediction !== undefined)) hasPredictions.value = true;
      for (const { id, label = null } of found.images) learn(id, { label, seq: found.labelsSeq });
      this.#pageOf(page).value = found.images;
    } catch (error) {
      if (order !== this.#order) return;
      // The server no longer has the order, as after its restart.
      if (error instanceof ApiError && error.code === 'conflict' && this.#seq !== undefined) this.refresh();
      else toastError(error);
    } finally {
      if (order === this.#order) this.#loading.delete(page);
    }
  }
}
