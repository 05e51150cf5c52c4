import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readFileIfThere, writeFileAtomically } from '../../store/atomic-file.node.js';
import { type LabelClass, labelClassSchema } from './label-events.js';
import { LabelState, type StateParts } from './label-state.js';
import type { StackParts } from './step-stack.js';

/**
 * `labels.snapshot.json`: the state after some events, so that a long journal need not be gone through again. It is made of the
 * journal and can be deleted at any time. Lists of numbers are base64 of int32, little-endian: 100,000 of them are read in
 * milliseconds.
 */

const integers = z.base64();

const stackSchema = z.strictObject({
  seqs: integers,
  types: integers,
  ends: integers,
  at: integers,
  values: integers,
  /** Of steps that change classes: the step, then how many classes there are, then which of `records`. */
  classes: integers,
});

const contentSchema = z.strictObject({
  /** The part of the journal that the state comes from. */
  journal: z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string() }),
  seq: z.int().nonnegative(),
  lastClass: z.int().nonnegative(),
  /** Hashes, one after the other. */
  images: z.string().regex(/^[0-9a-f]*$/),
  values: integers,
  /** Classes as they are and as they were. */
  records: z.array(labelClassSchema),
  classes: integers,
  undo: stackSchema,
  redo: stackSchema,
});

type Content = z.infer<typeof contentSchema>;

const snapshotSchema = z.strictObject({
  schema: z.literal('quarterturn-label-snapshot'),
  version: z.literal(1),
  /** SHA-256 of the content: a byte that a disk has changed would be a wrong label. */
  sha256: z.string(),
  content: contentSchema,
});

/** Stands before the content. */
const contentMark = '"content":';

/** Digits of the hash of an image. */
const hashLength = 32;

/** Which part of a journal a snapshot is of. */
export type SnapshotOf = Content['journal'];

/** The text of a snapshot. It is made at once, between two events. */
export function encodeSnapshot(state: LabelState, journal: SnapshotOf): string {
  const { seq, lastClass, images, values, classes, undo, redo } = state.parts;
  const records = new Map<LabelClass, number>();
  const numbersOf = (list: readonly LabelClass[]) =>
    list.map((each) => {
      const number = records.get(each) ?? records.size;
      records.set(each, number);
      return number;
    });
  const content: Content = {
    ...{ journal, seq, lastClass },
    images: images.join(''),
    values: toBase64(values),
    classes: toBase64(Int32Array.from(numbersOf(classes))),
    undo: encodeStack(undo, numbersOf),
    redo: encodeStack(redo, numbersOf),
    records: [...records.keys()],
  };
  const text = JSON.stringify(content);
  const sha256 = sha256Of(text);
  return `{"schema":"quarterturn-label-snapshot","version":1,"sha256":"${sha256}",${contentMark}${text}}\n`;
}

function encodeStack(
  { classes, ...lists }: StackParts,
  numbersOf: (list: readonly LabelClass[]) => number[],
): Content['undo'] {
  const numbers = [...classes].flatMap(([step, list]) => [step, list.length, ...numbersOf(list)]);
  const { seqs, types, ends, at, values } = lists;
  return {
    seqs: toBase64(seqs),
    types: toBase64(types),
    ends: toBase64(ends),
    at: toBase64(at),
    values: toBase64(values),
    classes: toBase64(Int32Array.from(numbers)),
  };
}

/**
 * The state of a snapshot.
 * @returns undefined for one that is damaged, or of another version
 */
function decodeSnapshot(
  text: string,
): { readonly state: LabelState; readonly journal: SnapshotOf } | undefined {
  try {
    const { content, sha256 } = snapshotSchema.parse(JSON.parse(text));
    if (sha256 !== sha256Of(text.slice(text.indexOf(contentMark) + contentMark.length, -2))) return undefined;
    const { journal, seq, lastClass, records } = content;
    const classesOf = (numbers: Int32Array) => Array.from(numbers, (number) => itemOf(records, number));
    const images = Array.from({ length: content.images.length / hashLength }, (_, i) =>
      content.images.slice(i * hashLength, (i + 1) * hashLength),
    );
    const parts: StateParts = {
      ...{ seq, lastClass, images },
      values: fromBase64(content.values),
      classes: classesOf(fromBase64(content.classes)),
      undo: decodeStack(content.undo, classesOf),
      redo: decodeStack(content.redo, classesOf),
    };
    return { state: new LabelState(parts), journal };
  } catch {
    return undefined;
  }
}

function decodeStack(
  { classes: encoded, ...lists }: Content['undo'],
  classesOf: (numbers: Int32Array) => readonly LabelClass[],
): StackParts {
  const classes = new Map<number, readonly LabelClass[]>();
  const numbers = fromBase64(encoded);
  for (let k = 0; k < numbers.length; ) {
    const [step = 0, length = 0] = numbers.subarray(k, k + 2);
    classes.set(step, classesOf(numbers.subarray(k + 2, k + 2 + length)));
    k += 2 + length;
  }
  return {
    seqs: fromBase64(lists.seqs),
    types: fromBase64(lists.types),
    ends: fromBase64(lists.ends),
    at: fromBase64(lists.at),
    values: fromBase64(lists.values),
    classes,
  };
}

function itemOf<T>(list: readonly T[] | undefined, index: number): T {
  const item = list?.[index];
  if (item === undefined) throw new RangeError(`item ${index} of ${list?.length}`);
  return item;
}

/** The state that a file holds; undefined if there is none, or none that can be used: it is only a shorter way. */
export async function readSnapshot(path: string): ReturnType<typeof readOrThrow> {
  return readOrThrow(path).catch(() => undefined);
}

async function readOrThrow(path: string) {
  const bytes = await readFileIfThere(path);
  return bytes && decodeSnapshot(new TextDecoder().decode(bytes));
}

/** @throws QuarterturnError `io` naming the path */
export async function writeSnapshot(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, text);
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function toBase64({ buffer, byteOffset, byteLength }: Int32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function fromBase64(text: string): Int32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Int32Array(bytes.buffer, 0, bytes.length >> 2);
}
