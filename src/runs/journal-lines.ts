import { z } from 'zod';
import type { SkippedFile } from '../data/readers/found-images.js';
import { fromBase64, toBase64 } from '../store/base64.js';
import type { PicturePlace, PredictionRow } from './prediction-row.js';

/**
 * The journal of a prediction: what was asked for, then what came of it, a line for each batch, then a line that says that it
 * is done. A batch is in it as a whole or not at all: a line that was being written when the process died is no JSON, and cut
 * off. It is what a killed process goes on from, what tables are made of, and what the part of one of several processes is.
 */
const journalHeaderSchema = z.strictObject({
  schema: z.literal('quarterturn-predictions'),
  version: z.literal(1),
  model: z.strictObject({
    /** SHA-256 of the file. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    classNames: z.array(z.string()).min(1),
  }),
  options: z.strictObject({
    invert: z.boolean(),
    /** Pictures of each input that holds several; null: all. */
    limit: z.int().positive().nullable(),
    /** Whether all probabilities are kept. */
    probabilities: z.boolean(),
    /** Below which probability a row is marked; null: none is. */
    unsure: z.number().nullable(),
    /** Whether unsure rows have no label, and pictures a folder of their own. */
    abstain: z.boolean().default(false),
    /** Folder that pictures are sorted into. */
    sortInto: z.string().nullable(),
  }),
  inputs: z.strictObject({
    count: z.int().nonnegative(),
    /** SHA-256 of their names. */
    digest: z.string(),
    /** The first names, for people. */
    first: z.array(z.string()).max(3),
  }),
  shard: z.strictObject({ number: z.int().positive(), count: z.int().positive() }),
});

export type JournalHeader = Readonly<z.infer<typeof journalHeaderSchema>>;

const whole = z.int().nonnegative();
const placeSchema = z.strictObject({ input: whole, item: whole });
const skippedSchema = z.strictObject({
  place: placeSchema.optional(),
  name: z.string(),
  reason: z.string(),
  hint: z.string().optional(),
});
const rowSchema = z.strictObject({
  place: placeSchema,
  file: z.string(),
  index: whole.optional(),
  /** Number of the class. */
  class: whole,
  probability: z.number(),
  /** Unlike all that had a label. */
  unlike: z.literal(true).optional(),
  /** All probabilities, base64 of float32. */
  all: z.base64().optional(),
  sortedTo: z.string().optional(),
});
const openedSchema = z.strictObject({ input: whole, path: z.string(), count: whole, digest: z.string() });

const batchSchema = z.strictObject({
  /** Where to go on. */
  next: placeSchema,
  rows: z.array(rowSchema),
  skipped: z.array(skippedSchema),
  opened: z.array(openedSchema),
});
const doneSchema = z.strictObject({ done: z.strictObject({ rows: whole, skipped: whole }) });
const lineSchema = z.union([batchSchema, doneSchema]);

/** A row and where its picture stands. */
export interface JournalRow extends PredictionRow {
  readonly place: PicturePlace;
  /** Where it was sorted to: a path within the folder. */
  readonly sortedTo?: string;
}

/** What was set aside. */
export interface JournalSkipped extends SkippedFile {
  /** Of a picture; absent for what stands among the pictures of an input and was never taken for one of them. */
  readonly place?: PicturePlace;
}

/** An input that holds several pictures. */
export type JournalInput = Readonly<z.infer<typeof openedSchema>>;

export interface JournalBatch {
  readonly next: PicturePlace;
  readonly rows: readonly JournalRow[];
  readonly skipped: readonly JournalSkipped[];
  readonly opened: readonly JournalInput[];
}

export interface JournalTotals {
  readonly rows: number;
  readonly skipped: number;
}

/** A line behind the header. */
export type JournalEntry = JournalBatch | { readonly done: JournalTotals };

/** The text of a batch, its line break included. */
export function lineOfBatch({ rows, ...batch }: JournalBatch, classes: ReadonlyMap<string, number>): string {
  const written = rows.map(({ label, probabilities, ...row }) => ({
    ...row,
    class: classes.get(label),
    ...(probabilities && { all: base64Of(probabilities) }),
  }));
  return `${JSON.stringify({ ...batch, rows: written })}\n`;
}

function base64Of({ buffer, byteOffset, byteLength }: Float32Array): string {
  return toBase64(new Uint8Array(buffer, byteOffset, byteLength));
}

function floatsOf(base64: string): Float32Array {
  return new Float32Array(fromBase64(base64).buffer);
}

/** Undefined for a class that there is not. */
function entryOf(line: z.infer<typeof lineSchema>, classNames: readonly string[]): JournalEntry | undefined {
  if ('done' in line) return line;
  const rows = line.rows.flatMap(({ class: k, all, index, sortedTo, unlike, ...row }): JournalRow[] => {
    const label = classNames[k];
    if (label === undefined) return [];
    const probabilities = all === undefined ? undefined : floatsOf(all);
    return [
      {
        ...row,
        label,
        ...(index !== undefined && { index }),
        ...(unlike && { unlike }),
        ...(probabilities && { probabilities }),
        ...(sortedTo !== undefined && { sortedTo }),
      },
    ];
  });
  if (rows.length < line.rows.length) return undefined;
  const skipped = line.skipped.map(({ hint, place, ...file }) => ({
    ...file,
    ...(hint !== undefined && { hint }),
    ...(place !== undefined && { place }),
  }));
  return { ...line, rows, skipped };
}

/** A line as a header; undefined where it is none. */
export function parseHeader(text: string): JournalHeader | undefined {
  return journalHeaderSchema.safeParse(parsed(text)).data;
}

/** A line behind the header; undefined where it is not whole. */
export function parseEntry(text: string, { model }: JournalHeader): JournalEntry | undefined {
  const line = lineSchema.safeParse(parsed(text)).data;
  return line && entryOf(line, model.classNames);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
