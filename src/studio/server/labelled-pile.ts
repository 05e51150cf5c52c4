import { z } from 'zod';
import type { LabelClass, LabelEvent } from '../project/label-events.js';
import type { Change, LabelState } from '../project/label-state.js';
import { Refusal } from './api-error.js';
import { type ImageNotes, isLookedInto, type QueueMaker } from './explore/queues.js';
import type { PileImage } from './pile.js';
import type { LabelFacts } from './updates.js';

/** Lists of images to go through: all, those of a class or a mark, those without, and those that a {@link QueueMaker} makes. */
const ownQueues = /^(all|labelled|unlabelled|skipped|unsure|class:c[1-9]\d{0,5})$/;
export const queueSchema = z
  .string()
  .max(400)
  .refine((name) => ownQueues.test(name) || isLookedInto(name), 'expected the name of a queue');

/** A page of a queue. */
export interface QueuePage {
  readonly queue: string;
  /** Number of the event that the order is of: with it, further pages come out of the same order, whatever is labelled meanwhile. */
  readonly seq: number;
  /** Number of the event that the labels are of, at least as late. */
  readonly labelsSeq: number;
  readonly total: number;
  readonly from: number;
  readonly images: readonly (Pick<PileImage, 'id' | 'name' | 'foundClass'> & {
    readonly label?: string;
  } & ImageNotes)[];
  /** Whether its images are yet to be found out: an event will tell that `looks` have changed. */
  readonly pending?: true;
}

export interface QueueQuery {
  readonly queue: string;
  readonly from: number;
  readonly count: number;
  readonly seq?: number | undefined;
}

/** Orders that are kept, for tabs that go through them: some a tab. An order of 60,000 images takes 240 kB. */
const ordersKept = 32;

/**
 * The images of a pile with their labels: what the page shows of both.
 *
 * Labels may name images that the pile does not have, such as those of files that were deleted: no count here has them.
 */
export class LabelledPile {
  readonly #images: readonly PileImage[];
  readonly #indexOfId: ReadonlyMap<string, number>;
  #state: LabelState;
  /** Images with a label, or that had one, which are not in the pile. */
  #absent = new Set<string>();
  /** Indices of the pile by queue and event, the one that was asked for last behind. */
  readonly #orders = new Map<string, Int32Array>();

  constructor(images: readonly PileImage[], state: LabelState) {
    this.#images = images;
    this.#indexOfId = new Map(images.map(({ id }, index) => [id, index]));
    this.#state = state;
    this.replace(state);
  }

  /** Take another state in place of the one before. */
  replace(state: LabelState): void {
    this.#state = state;
    this.#absent = new Set();
    this.#orders.clear();
    for (const [id] of state.labels()) if (!this.#indexOfId.has(id)) this.#absent.add(id);
  }

  /**
   * Take note of a change of the state.
   * @returns the images of the pile that it speaks of, with what they are now
   */
  note({ at }: Change): [id: string, label: string | null][] {
    const changed: [string, string | null][] = [];
    for (const place of new Set(at)) {
      const id = this.#state.imageAt(place);
      if (this.#indexOfId.has(id)) changed.push([id, this.#state.labelOf(id) ?? null]);
      else this.#absent.add(id);
    }
    return changed;
  }

  /**
   * Index of an image.
   * @throws Refusal `not-found`
   */
  indexOf(id: string): number {
    const index = this.#indexOfId.get(id);
    if (index !== undefined) return index;
    throw new Refusal('not-found', 'image: expected the id of an image of this project. Received: another.');
  }

  /** Index of an image; undefined if it is not here. */
  find(id: string): number | undefined {
    return this.#indexOfId.get(id);
  }

  /** Label or mark of an image; undefined where it has none, or is not known. */
  labelOf(id: string): string | undefined {
    return this.#state.labelOf(id);
  }

  /** Images of the pile that have a class, in its order. */
  labelledIds(): string[] {
    return Array.from(this.#makeOrder('labelled'), (index) => (this.#images[index] as PileImage).id);
  }

  /** What stands above every page. */
  facts(): LabelFacts {
    const state = this.#state;
    const classes = state.classes.map((each) => ({ ...each, count: this.#countOf(each.id) }));
    return {
      seq: state.seq,
      classes,
      labelled: classes.reduce((sum, { count }) => sum + count, 0),
      skipped: this.#countOf('skipped'),
      unsure: this.#countOf('unsure'),
      undoable: state.undoable?.type ?? null,
      redoable: state.redoable?.type ?? null,
      nextClassId: state.nextClassId,
    };
  }

  /**
   * A page of a queue.
   * @param seq of a page before: out of the same order; default: the order as it is now
   * @throws Refusal `conflict` if that order is not kept any more
   */
  page({ queue, from, count, seq }: QueueQuery, maker?: QueueMaker): QueuePage {
    const order = this.#orderOf(queue, seq ?? this.#state.seq, maker);
    const images = Array.from(order.subarray(from, from + count), (index) => {
      const { content: _, ...image } = this.#images[index] as PileImage;
      const label = this.#state.labelOf(image.id);
      return { ...image, ...(label !== undefined && { label }), ...maker?.notesOf(index) };
    });
    const now = this.#state.seq;
    return {
      ...{ queue, seq: seq ?? now, labelsSeq: now, total: order.length, from, images },
      ...(maker?.isPending && { pending: true as const }),
    };
  }

  /** Of an image, by its index: id of its class, a mark, or undefined. */
  labelAt(index: number): string | undefined {
    return this.#state.labelOf(this.#images[index]?.id ?? '');
  }

  get images(): readonly PileImage[] {
    return this.#images;
  }

  get classes(): readonly LabelClass[] {
    return this.#state.classes;
  }

  get seq(): number {
    return this.#state.seq;
  }

  /** Ids alone, of as many images as one event may name. */
  ids({ queue, from, count, seq }: QueueQuery, maker?: QueueMaker): string[] {
    const order = this.#orderOf(queue, seq ?? this.#state.seq, maker);
    return Array.from(order.subarray(from, from + count), (index) => (this.#images[index] as PileImage).id);
  }

  /** Images that have a class, in their order: index, id, id of the class. */
  labelledImages(): [index: number, id: string, classId: string][] {
    const ids = new Set(this.#state.classes.map(({ id }) => id));
    return this.#images.flatMap(({ id }, index): [number, string, string][] => {
      const label = this.#state.labelOf(id);
      return label !== undefined && ids.has(label) ? [[index, id, label]] : [];
    });
  }

  /** Refuses an event that names an image which is not here, or that only the project itself may make. */
  assertOwn(event: LabelEvent): void {
    switch (event.type) {
      case 'label':
        for (const { images } of event.labels) for (const id of images) this.indexOf(id);
        return;
      case 'clear':
      case 'mark':
        for (const id of event.images) this.indexOf(id);
        return;
      case 'undo':
      case 'redo':
      case 'move-labels':
        throw new Refusal('not-found', `event: expected one that labels. Received: ${event.type}.`);
    }
  }

  #countOf(label: string): number {
    let count = this.#state.countOf(label);
    for (const id of this.#absent) if (this.#state.labelOf(id) === label) count--;
    return count;
  }

  #orderOf(queue: string, seq: number, maker: QueueMaker | undefined): Int32Array {
    const key = `${queue}@${seq} ${maker?.order ? maker.key : ''}`;
    const known = this.#orders.get(key);
    if (known === undefined && seq !== this.#state.seq) {
      throw new Refusal('conflict', 'queue: expected an order that is still kept. Received: an older one.', {
        hint: 'Ask for it anew, without seq.',
      });
    }
    const order = known ?? maker?.order?.((index) => this.labelAt(index)) ?? this.#makeOrder(queue);
    this.#orders.delete(key);
    this.#orders.set(key, order);
    for (const oldest of this.#orders.keys()) {
      if (this.#orders.size <= ordersKept) break;
      this.#orders.delete(oldest);
    }
    return order;
  }

  #makeOrder(queue: string): Int32Array {
    const belongs = memberOf(queue, this.#state.classes);
    const indices: number[] = [];
    for (const [index, { id }] of this.#images.entries()) {
      if (belongs(this.#state.labelOf(id))) indices.push(index);
    }
    return Int32Array.from(indices);
  }
}

/** Whether an image with a label, a mark or nothing belongs to a queue. */
function memberOf(queue: string, classes: readonly LabelClass[]): (label: string | undefined) => boolean {
  const ids = new Set(classes.map(({ id }) => id));
  switch (queue) {
    case 'all':
      return () => true;
    case 'labelled':
      return (label) => label !== undefined && ids.has(label);
    case 'unlabelled':
      return (label) => label === undefined;
    default: {
      const wanted = queue.replace(/^class:/, '');
      return (label) => label === wanted;
    }
  }
}
