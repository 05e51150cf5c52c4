import { QuarterturnError } from '../../errors.js';
import { Integers } from './integers.js';
import { type LabelClass, type LabelEvent, type Mark, marks } from './label-events.js';
import {
  changesNothing,
  type Direction,
  type Effect,
  effectOf,
  type Swap,
  swapOfClasses,
} from './label-swap.js';
import { type StackParts, type Step, StepStack, type StepSummary } from './step-stack.js';

/** What is known of an image: the id of its class, or its mark. */
export type ImageLabel = string;

/** What stands in place of the number of a class: nothing, or a mark. */
const none = 0;
const markNumbers: Readonly<Record<Mark, number>> = { skipped: -1, unsure: -2 };

/** What came of an event, for whoever shows it. */
export interface Change {
  /** Places of the images that it speaks of; {@link LabelState.imageAt} has their hashes. */
  readonly at: Int32Array;
  /** Whether any class is another one, or elsewhere. */
  readonly classes: boolean;
}

/** All that a state is made of, to be written down and read back. */
export interface StateParts {
  readonly seq: number;
  /** Number of the newest class, also of one that is gone. */
  readonly lastClass: number;
  readonly images: readonly string[];
  readonly values: Int32Array;
  readonly classes: readonly LabelClass[];
  readonly undo: StackParts;
  readonly redo: StackParts;
}

const nothing: Change = { at: new Int32Array(0), classes: false };

/** Events that change something by themselves. */
type Deed = Exclude<LabelEvent, { readonly of: number }>;

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
  #seq: number;
  #lastClass: number;
  #classes: readonly LabelClass[];
  readonly #images: string[];
  readonly #placeOf = new Map<string, number>();
  readonly #values: Integers;
  /** How many images have each value. */
  readonly #counts = new Map<number, number>();
  readonly #undo: StepStack;
  readonly #redo: StepStack;

  /** @param parts of a state that was written down, see {@link parts}; what they are is not checked. Default: nothing yet */
  constructor(parts?: StateParts) {
    this.#seq = parts?.seq ?? 0;
    this.#lastClass = parts?.lastClass ?? 0;
    this.#classes = parts?.classes ?? [];
    this.#images = [...(parts?.images ?? [])];
    this.#values = new Integers(parts?.values);
    this.#undo = new StepStack(parts?.undo);
    this.#redo = new StepStack(parts?.redo);
    for (const [place, image] of this.#images.entries()) {
      this.#placeOf.set(image, place);
      this.#count(this.#values.get(place), 1);
    }
  }

  /** All that this state is made of; not a copy: it holds until the next event. */
  get parts(): StateParts {
    return {
      seq: this.#seq,
      lastClass: this.#lastClass,
      images: this.#images,
      values: this.#values.view,
      classes: this.#classes,
      undo: this.#undo.parts,
      redo: this.#redo.parts,
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
    return place === undefined ? undefined : labelOfNumber(this.#values.get(place));
  }

  /** Every image with a label or a mark, in the order in which they got their first. */
  *labels(): Generator<readonly [image: string, label: ImageLabel]> {
    for (const [place, image] of this.#images.entries()) {
      const label = labelOfNumber(this.#values.get(place));
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
  get undoable(): StepSummary | undefined {
    return this.#undo.top;
  }

  /** The event that would be redone next; undefined if there is none. */
  get redoable(): StepSummary | undefined {
    return this.#redo.top;
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
    if (event.type === 'undo') assertTop(this.#undo, event.of);
    else if (event.type === 'redo') assertTop(this.#redo, event.of);
    else return !changesNothing(this.#plan(event), this.#values);
    return true;
  }

  /**
   * What an event would change, beforehand: how many labels are new, move to another class, or are lost.
   * @throws QuarterturnError `usage` for an event that is not possible now
   */
  effectOf(event: LabelEvent): Effect {
    const { parts } = this;
    if (event.type === 'undo') {
      assertTop(this.#undo, event.of);
      return effectOf(this.#undo.peek() ?? swapOfClasses(undefined), parts, { direction: 'back' });
    }
    if (event.type !== 'redo') return effectOf(this.#plan(event), this.parts);
    assertTop(this.#redo, event.of);
    return effectOf(this.#redo.peek() ?? swapOfClasses(undefined), parts);
  }

  #do(event: Deed, seq: number): Change {
    const swap = this.#plan(event);
    for (const { id } of newClassesOf(event)) this.#lastClass = numberOf(id);
    if (changesNothing(swap, this.#values)) return nothing;
    this.#redo.clear();
    return this.#swap({ ...swap, seq, type: event.type }, { to: this.#undo, direction: 'forth' });
  }

  #back(seq: number): Change {
    assertTop(this.#undo, seq);
    const step = this.#undo.pop();
    return step === undefined ? nothing : this.#swap(step, { to: this.#redo, direction: 'back' });
  }

  #forth(seq: number): Change {
    assertTop(this.#redo, seq);
    const step = this.#redo.pop();
    return step === undefined ? nothing : this.#swap(step, { to: this.#undo, direction: 'forth' });
  }

  /** Make a change, and keep its inverse. */
  #swap(step: Step, { to, direction }: { readonly to: StepStack; readonly direction: Direction }): Change {
    const { at, values, classes } = step;
    for (let k = 0; k < at.length; k++) {
      const i = direction === 'forth' ? k : at.length - 1 - k;
      const place = at[i] ?? 0;
      const before = this.#values.get(place);
      const after = values[i] ?? none;
      if (before === after) continue;
      this.#values.set(place, after);
      values[i] = before;
      this.#count(before, -1);
      this.#count(after, 1);
    }
    if (classes !== undefined) {
      step.classes = this.#classes;
      this.#classes = classes;
    }
    to.push(step);
    return { at, classes: classes !== undefined };
  }

  #count(value: number, by: number): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + by);
  }

  /** What an event would swap; nothing is changed but that images get places. */
  #plan(event: Deed): Swap {
    switch (event.type) {
      case 'label': {
        const added = newClassesOf(event).reduce((list, each) => this.#withClass(list, each), this.#classes);
        for (const { class: id } of event.labels) indexOf(added, id);
        const values = event.labels.map(({ class: id, images }) => ({ images, value: numberOf(id) }));
        return this.#set(values, added === this.#classes ? undefined : added);
      }
      case 'clear':
        return this.#set([{ images: event.images, value: none }]);
      case 'mark':
        return this.#set([{ images: event.images, value: markNumbers[event.mark] }]);
      case 'add-class':
        return swapOfClasses(this.#withClass(this.#classes, event.class));
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
        return swapOfClasses(this.#moved(event.class, event.before));
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

  #set(
    groups: readonly { readonly images: readonly string[]; readonly value: number }[],
    classes?: readonly LabelClass[],
  ): Swap {
    const count = groups.reduce((sum, { images }) => sum + images.length, 0);
    const [at, values] = [new Int32Array(count), new Int32Array(count)];
    let i = 0;
    for (const { images, value } of groups) {
      for (const image of images) {
        at[i] = this.#place(image);
        values[i++] = value;
      }
    }
    return { at, values, classes };
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
    return swapOfClasses(before && change(before) ? classes : undefined);
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
    const at = new Integers();
    for (const [place, each] of this.#values.view.entries()) if (gone.has(each)) at.push(place);
    const classes = this.#classes.filter(({ id }) => !gone.has(numberOf(id)));
    return { at: at.view, values: new Int32Array(at.length).fill(value), classes };
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

/** Only the last step can be undone or redone, and who asks for it has to mean that one. */
function assertTop({ top }: StepStack, seq: number): void {
  if (top?.seq === seq) return;
  const received = top === undefined ? 'nothing' : `event ${top.seq}`;
  throw wrong(`event ${seq} as the last one`, received, 'Something else was done or undone meanwhile.');
}

function wrong(expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('usage', `labels: expected ${expected}. Received: ${received}.`, { hint });
}
