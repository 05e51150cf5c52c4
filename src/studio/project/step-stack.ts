import { Integers } from './integers.js';
import type { LabelClass, LabelEventType } from './label-events.js';
import type { Swap } from './label-swap.js';

/** Events that can be undone; a snapshot has their places in this list, so that new ones come at its end. */
export const undoableTypes = [
  'label',
  'clear',
  'mark',
  'add-class',
  'rename-class',
  'recolour-class',
  'set-key',
  'move-class',
  'merge-classes',
  'delete-class',
] as const satisfies readonly LabelEventType[];
export type UndoableType = (typeof undoableTypes)[number];

/** An event that can be undone or redone, for whoever shows it. */
export interface StepSummary {
  readonly seq: number;
  readonly type: UndoableType;
  /** How many images it speaks of. */
  readonly images: number;
}

/** A change that can be undone or redone, and the event that it is of. */
export interface Step extends Swap {
  readonly seq: number;
  readonly type: UndoableType;
}

/** A stack written out: numbers of all steps, one after the other. */
export interface StackParts {
  readonly seqs: Int32Array;
  readonly types: Int32Array;
  /** Where the images of each step end in `at` and `values`. */
  readonly ends: Int32Array;
  readonly at: Int32Array;
  readonly values: Int32Array;
  /** Of those steps that change the list of classes, by the step's place in the stack. */
  readonly classes: ReadonlyMap<number, readonly LabelClass[]>;
}

/** Steps, the last one on top: a few numbers each, since a project has as many as it has labels. */
export class StepStack {
  readonly #seqs: Integers;
  readonly #types: Integers;
  readonly #ends: Integers;
  readonly #at: Integers;
  readonly #values: Integers;
  readonly #classes: Map<number, readonly LabelClass[]>;

  constructor(parts?: StackParts) {
    this.#seqs = new Integers(parts?.seqs);
    this.#types = new Integers(parts?.types);
    this.#ends = new Integers(parts?.ends);
    this.#at = new Integers(parts?.at);
    this.#values = new Integers(parts?.values);
    this.#classes = new Map(parts?.classes);
  }

  /** Views, which hold until the next step. */
  get parts(): StackParts {
    return {
      seqs: this.#seqs.view,
      types: this.#types.view,
      ends: this.#ends.view,
      at: this.#at.view,
      values: this.#values.view,
      classes: this.#classes,
    };
  }

  /** The step on top; undefined if there is none. */
  get top(): StepSummary | undefined {
    const last = this.#seqs.length - 1;
    if (last < 0) return undefined;
    const type = typeOf(this.#types.get(last));
    return { seq: this.#seqs.get(last), type, images: this.#at.length - this.#ends.get(last - 1) };
  }

  /** A copy of the step on top. */
  peek(): Step | undefined {
    const last = this.#seqs.length - 1;
    const { top } = this;
    if (top === undefined) return undefined;
    const from = this.#ends.get(last - 1);
    return {
      seq: top.seq,
      type: top.type,
      at: this.#at.view.slice(from),
      values: this.#values.view.slice(from),
      classes: this.#classes.get(last),
    };
  }

  push({ seq, type, at, values, classes }: Step): void {
    if (classes !== undefined) this.#classes.set(this.#seqs.length, classes);
    this.#seqs.push(seq);
    this.#types.push(undoableTypes.indexOf(type));
    this.#at.pushAll(at);
    this.#values.pushAll(values);
    this.#ends.push(this.#at.length);
  }

  pop(): Step | undefined {
    const step = this.peek();
    const last = this.#seqs.length - 1;
    if (last >= 0) this.#cut(last);
    return step;
  }

  clear(): void {
    if (this.#seqs.length > 0) this.#cut(0);
  }

  #cut(from: number): void {
    const images = this.#ends.get(from - 1);
    for (const list of [this.#seqs, this.#types, this.#ends]) list.cut(from);
    for (const list of [this.#at, this.#values]) list.cut(images);
    for (const place of this.#classes.keys()) if (place >= from) this.#classes.delete(place);
  }
}

function typeOf(number: number): UndoableType {
  const type = undoableTypes[number];
  if (type === undefined) throw new RangeError(`event type ${number}`);
  return type;
}
