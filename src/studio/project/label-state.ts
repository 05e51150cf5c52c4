import { QuarterturnError } from '../../errors.js';
import { type LabelClass, type LabelEvent, type LabelEventType, type Mark, marks } from './label-events.js';
import { changesNothing, type Direction, type Effect, effectOf, type Swap } from './label-swap.js';

/** What is known of an image: the id of its class, or its mark. */
export type ImageLabel = string;

/** What stands in place of the number of a class: nothing, or a mark. */
const none = 0;
const markNumbers: Readonly<Record<Mark, number>> = { skipped: -1, unsure: -2 };

/** A swap that can be undone or redone, and the event that it is of. */
export interface Step extends Swap {
  readonly seq: number;
  readonly type: LabelEventType;
}

/** What came of an event, for whoever shows it. */
export interface Change {
  /** Places of the images that it speaks of; {@link LabelState.imageAt} has their hashes. */
  readonly at: readonly number[];
  /** Whether any class is another one, or elsewhere. */
  readonly classes: boolean;
}

/** All that a state is made of, to be written down and read back. */
export interface StateParts {
  readonly seq: number;
  /** Number of the newest class, also of one that is gone. */
  readonly lastClass: number;
  readonly images: readonly string[];
  readonly values: readonly number[];
  readonly classes: readonly LabelClass[];
  readonly undo: readonly Step[];
  readonly redo: readonly Step[];
}

const nothing: Change = { at: [], classes: false };

/**
 * The labels of a project after some events of its journal.
 *
 * It is changed in place: one label costs the same whether there are ten images or 100,000. Nothing is read or written here.
 *
 * @example
 * const state = new LabelState();
 * state.apply({ type: 'add-class', class: { id: 'c1', name: 'cat', colour: '#0072b2', key: '1' } }, 1);
 * state.apply({ type: 'label', labels: [{ class: 'c1', images: [hash] }] }, 2);
 * state.labelOf(hash); // 'c1'
 */
export class LabelState {
  #seq = 0;
  #lastClass = 0;
  #classes: readonly LabelClass[] = [];
  readonly #images: string[] = [];
  readonly #placeOf = new Map<string, number>();
  readonly #values: number[] = [];
  /** How many images have each value. */
  readonly #counts = new Map<number, number>();
  readonly #undo: Step[] = [];
  #redo: Step[] = [];

  /** A state from its parts, see {@link parts}; what they are is not checked. */
  static of(parts: StateParts): LabelState {
    const state = new LabelState();
    state.#seq = parts.seq;
    state.#lastClass = parts.lastClass;
    state.#classes = parts.classes;
    for (const [place, image] of parts.images.entries()) {
      const value = parts.values[place] ?? none;
      state.#images.push(image);
      state.#placeOf.set(image, place);
      state.#values.push(value);
      state.#count(value, 1);
    }
    for (const step of parts.undo) state.#undo.push(step);
    state.#redo = [...parts.redo];
    return state;
  }

  /** All that this state is made of; not a copy: it holds until the next event. */
  get parts(): StateParts {
    return {
      seq: this.#seq,
      lastClass: this.#lastClass,
      images: this.#images,
      values: this.#values,
      classes: this.#classes,
      undo: this.#undo,
      redo: this.#redo,
    };
  }

  /** Number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** In the order that people gave them. */
  get classes(): readonly LabelClass[] {
    return this.#classes;
  }

  /** The id for the next class. */
  get nextClassId(): string {
    return `c${this.#lastClass + 1}`;
  }

  /** How many images have a label, of whatever class. */
  get labelledCount(): number {
    return this.#images.length - this.countOf(undefined) - this.countOf('skipped') - this.countOf('unsure');
  }

  /** How many images have this class or mark; of undefined, those that had one before. */
  countOf(label: ImageLabel | undefined): number {
    return this.#counts.get(numberOf(label)) ?? 0;
  }

  /** Undefined for an image without label and mark. */
  labelOf(image: string): ImageLabel | undefined {
    const place = this.#placeOf.get(image);
    return place === undefined ? undefined : labelOfNumber(this.#values[place] ?? none);
  }

  /** Every image with a label or a mark, in the order in which they got their first. */
  *labels(): Generator<readonly [image: string, label: ImageLabel]> {
    for (const [place, image] of this.#images.entries()) {
      const label = labelOfNumber(this.#values[place] ?? none);
      if (label !== undefined) yield [image, label];
    }
  }

  /** Hash of the image at a place of a {@link Change}. */
  imageAt(place: number): string {
    const image = this.#images[place];
    if (image === undefined) throw new RangeError(`place ${place} of ${this.#images.length}`);
    return image;
  }

  /** The event that would be undone next; undefined if there is none. */
  get undoable(): Readonly<Step> | undefined {
    return this.#undo.at(-1);
  }

  /** The event that would be redone next; undefined if there is none. */
  get redoable(): Readonly<Step> | undefined {
    return this.#redo.at(-1);
  }

  /**
   * Let an event happen.
   *
   * One that changes nothing cannot be undone, and leaves what can be redone.
   * @param seq its number: that of the last one and 1
   * @throws QuarterturnError `usage` for an event that is not possible now; nothing is changed then
   */
  apply(event: LabelEvent, seq: number): Change {
    if (seq !== this.#seq + 1) throw wrong(`event ${this.#seq + 1} next`, `event ${seq}`);
    const change =
      event.type === 'undo'
        ? this.#back(event.of)
        : event.type === 'redo'
          ? this.#forth(event.of)
          : this.#do(event, seq);
    this.#seq = seq;
    return change;
  }

  /**
   * Whether an event would change anything.
   * @throws QuarterturnError `usage` for an event that is not possible now
   */
  isChangedBy(event: LabelEvent): boolean {
    if (event.type === 'undo') return lastOf(this.#undo, event.of) !== undefined;
    if (event.type === 'redo') return lastOf(this.#redo, event.of) !== undefined;
    return !changesNothing(this.#plan(event), this.#values);
  }

  /**
   * What an event would change, beforehand: how many labels are new, move to another class, or are lost.
   * @throws QuarterturnError `usage` for an event that is not possible now
   */
  effectOf(event: LabelEvent): Effect {
    if (event.type === 'undo')
      return effectOf(lastOf(this.#undo, event.of), this.parts, { direction: 'back' });
    const swap = event.type === 'redo' ? lastOf(this.#redo, event.of) : this.#plan(event);
    return effectOf(swap, this.parts);
  }

  #do(event: Exclude<LabelEvent, { readonly of: number }>, seq: number): Change {
    const swap = this.#plan(event);
    for (const { id } of newClassesOf(event)) this.#lastClass = numberOf(id);
    if (changesNothing(swap, this.#values)) return nothing;
    this.#redo = [];
    const step: Step = { ...swap, seq, type: event.type };
    this.#undo.push(step);
    return this.#swap(step, 'forth');
  }

  #back(seq: number): Change {
    const step = lastOf(this.#undo, seq);
    this.#undo.pop();
    this.#redo.push(step);
    return this.#swap(step, 'back');
  }

  #forth(seq: number): Change {
    const step = lastOf(this.#redo, seq);
    this.#redo.pop();
    this.#undo.push(step);
    return this.#swap(step, 'forth');
  }

  #swap(swap: Swap, direction: Direction): Change {
    const { at, values, classes } = swap;
    for (let k = 0; k < at.length; k++) {
      const i = direction === 'forth' ? k : at.length - 1 - k;
      const place = at[i] ?? 0;
      const before = this.#values[place] ?? none;
      const after = values[i] ?? none;
      if (before === after) continue;
      this.#values[place] = after;
      values[i] = before;
      this.#count(before, -1);
      this.#count(after, 1);
    }
    if (classes !== undefined) {
      swap.classes = this.#classes;
      this.#classes = classes;
    }
    return { at, classes: classes !== undefined };
  }

  #count(value: number, by: number): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + by);
  }

  /** What an event would swap; nothing is changed but that images get places. */
  #plan(event: Exclude<LabelEvent, { readonly of: number }>): Swap {
    switch (event.type) {
      case 'label': {
        const added = newClassesOf(event).reduce((list, each) => this.#withClass(list, each), this.#classes);
        const swap: Swap = { at: [], values: [], classes: added === this.#classes ? undefined : added };
        for (const { class: id } of event.labels) indexOf(added, id);
        for (const { class: id, images } of event.labels) this.#set(swap, images, numberOf(id));
        return swap;
      }
      case 'clear':
        return this.#set({ at: [], values: [], classes: undefined }, event.images, none);
      case 'mark':
        return this.#set({ at: [], values: [], classes: undefined }, event.images, markNumbers[event.mark]);
      case 'add-class':
        return { at: [], values: [], classes: this.#withClass(this.#classes, event.class) };
      case 'rename-class':
        assertNewName(this.#classes, event.name, event.class);
        return this.#changed(event.class, ({ name }) => name !== event.name && { name: event.name });
      case 'recolour-class':
        return this.#changed(
          event.class,
          ({ colour }) => colour !== event.colour && { colour: event.colour },
        );
      case 'set-key': {
        const swap = this.#changed(event.class, ({ key }) => key !== event.key && { key: event.key });
        return { ...swap, classes: swap.classes?.map((each) => withoutKey(each, event)) };
      }
      case 'move-class':
        return { at: [], values: [], classes: this.#moved(event.class, event.before) };
      case 'merge-classes': {
        indexOf(this.#classes, event.into);
        if (event.classes.includes(event.into))
          throw wrong('a class to merge into that is not itself merged', event.into);
        return this.#without(event.classes, numberOf(event.into));
      }
      case 'delete-class':
        return this.#without([event.class], none);
    }
  }

  #set(swap: Swap, images: readonly string[], value: number): Swap {
    const at = swap.at as number[];
    for (const image of images) {
      at.push(this.#place(image));
      swap.values.push(value);
    }
    return swap;
  }

  #place(image: string): number {
    const known = this.#placeOf.get(image);
    if (known !== undefined) return known;
    const place = this.#images.length;
    this.#images.push(image);
    this.#placeOf.set(image, place);
    this.#values.push(none);
    this.#count(none, 1);
    return place;
  }

  #withClass(list: readonly LabelClass[], added: LabelClass): readonly LabelClass[] {
    const newest = Math.max(this.#lastClass, ...list.map(({ id }) => numberOf(id)));
    if (numberOf(added.id) <= newest)
      throw wrong(`an id that was never given, c${newest + 1} or later`, added.id);
    assertNewName(list, added.name, added.id);
    return [...list.map((each) => withoutKey(each, { class: added.id, key: added.key })), added];
  }

  #changed(id: string, change: (of: LabelClass) => Partial<LabelClass> | false): Swap {
    const index = indexOf(this.#classes, id);
    const classes = this.#classes.map((each, i) =>
      i === index ? { ...each, ...(change(each) || {}) } : each,
    );
    const before = this.#classes[index];
    return { at: [], values: [], classes: before && change(before) ? classes : undefined };
  }

  #moved(id: string, before: string | null): readonly LabelClass[] | undefined {
    const moved = this.#classes[indexOf(this.#classes, id)];
    const others = this.#classes.filter((each) => each !== moved);
    if (moved === undefined || before === id) return undefined;
    const to = before === null ? others.length : indexOf(others, before);
    const classes = [...others.slice(0, to), moved, ...others.slice(to)];
    return classes.every((each, i) => each === this.#classes[i]) ? undefined : classes;
  }

  /** Without some classes, whose images get another value. */
  #without(ids: readonly string[], value: number): Swap {
    for (const id of ids) indexOf(this.#classes, id);
    const gone = new Set(ids.map(numberOf));
    const at: number[] = [];
    for (let place = 0; place < this.#values.length; place++) {
      if (gone.has(this.#values[place] ?? none)) at.push(place);
    }
    const classes = this.#classes.filter(({ id }) => !gone.has(numberOf(id)));
    return { at, values: at.map(() => value), classes };
  }
}

function newClassesOf(event: LabelEvent): readonly LabelClass[] {
  if (event.type === 'add-class') return [event.class];
  return (event.type === 'label' && event.newClasses) || [];
}

/** The number that stands for a class, for a mark or for nothing. */
export function numberOf(label: ImageLabel | undefined): number {
  if (label === undefined) return none;
  return label.startsWith('c') ? Number(label.slice(1)) : markNumbers[label as Mark];
}

function labelOfNumber(value: number): ImageLabel | undefined {
  if (value > none) return `c${value}`;
  return marks.find((mark) => markNumbers[mark] === value);
}

function withoutKey(
  each: LabelClass,
  { class: id, key }: { readonly class: string; readonly key: string | null },
) {
  return key !== null && each.key === key && each.id !== id ? { ...each, key: null } : each;
}

function indexOf(classes: readonly LabelClass[], id: string): number {
  const index = classes.findIndex((each) => each.id === id);
  if (index >= 0) return index;
  throw wrong('a class that is there', `${id}, which is not`, 'Somebody else may have deleted it meanwhile.');
}

function assertNewName(classes: readonly LabelClass[], name: string, id: string): void {
  const other = classes.find((each) => each.name === name && each.id !== id);
  if (other === undefined) return;
  throw wrong(
    'a name that no other class has',
    JSON.stringify(name),
    'Merge the two classes if they are the same.',
  );
}

/** The last step, if it is the one that is meant. */
function lastOf(steps: readonly Step[], seq: number): Step {
  const step = steps.at(-1);
  if (step?.seq === seq) return step;
  const received = step === undefined ? 'nothing' : `event ${step.seq}`;
  throw wrong(`event ${seq} as the last one`, received, 'Something else was done or undone meanwhile.');
}

function wrong(expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('usage', `labels: expected ${expected}. Received: ${received}.`, { hint });
}
