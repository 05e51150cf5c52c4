import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import { headerDifference } from './journal-difference.js';
import type {
  JournalEntry,
  JournalHeader,
  JournalInput,
  JournalRow,
  JournalSkipped,
} from './journal-lines.js';
import { readJournal, readJournalHeader } from './prediction-journal.node.js';
import type { PicturePlace } from './prediction-row.js';

/** A journal and what it was begun with. */
export interface PredictionPart {
  readonly path: string;
  readonly header: JournalHeader;
}

/** What parts come to. */
export interface PartTotals {
  readonly rows: number;
  readonly skipped: number;
}

/** Rows that are handed on together. */
const rowsAtOnce = 1024;

/**
 * Open the parts of one prediction and make sure that together they are all of it: every shard once, each of them done, all
 * of the same model, inputs and options, and every picture of every input in one of them.
 *
 * @throws QuarterturnError `data` naming what is missing, twice or different
 */
export async function openParts(
  paths: readonly string[],
): Promise<{ readonly parts: readonly PredictionPart[]; readonly totals: PartTotals }> {
  const parts: PredictionPart[] = [];
  for (const path of paths) parts.push(await openPart(path));
  const [first] = parts;
  if (first === undefined) throw new QuarterturnError('usage', 'merge: expected parts. Received: none.');
  for (const { path, header } of parts.slice(1)) {
    const difference = headerDifference(header, first.header, { sameShard: false });
    if (difference === undefined) continue;
    throw new QuarterturnError(
      'data',
      `${path}: expected a part of the same prediction as ${first.path}. Received: one that has ${difference}.`,
    );
  }
  assertAllShards(parts, first.header.shard.count);
  return { parts, totals: await assertComplete(parts, first.header) };
}

async function openPart(path: string): Promise<PredictionPart> {
  const found = await readJournalHeader(path);
  if (found) return { path, header: found.header };
  throw new QuarterturnError(
    'data',
    `${path}: expected a part of a prediction. Received: something else, or no such file.`,
    {
      hint: 'A part is written by: quarterturn predict … --shard 1/4 --out answers-1.part',
    },
  );
}

function assertAllShards(parts: readonly PredictionPart[], count: number): void {
  const byNumber = new Map<number, string>();
  for (const { path, header } of parts) {
    const other = byNumber.get(header.shard.number);
    if (other !== undefined) {
      throw new QuarterturnError(
        'data',
        `merge: expected each part once. Received: ${other} and ${path}, both of --shard ${header.shard.number}/${count}.`,
      );
    }
    byNumber.set(header.shard.number, path);
  }
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((number) => !byNumber.has(number));
  if (missing.length === 0) return;
  throw new QuarterturnError(
    'data',
    `merge: expected all of ${countOf(count, 'part')}. Received: ${parts.length}; of --shard ${missing.map((number) => `${number}/${count}`).join(', ')} there is none.`,
    { hint: 'Run what is missing, and name the parts of all of them.' },
  );
}

/** @returns what the parts come to */
async function assertComplete(
  parts: readonly PredictionPart[],
  { inputs }: JournalHeader,
): Promise<PartTotals> {
  /** Inputs that hold several pictures, and how many of those have come. */
  const several = new Map<number, JournalInput & { seen: number }>();
  const isTaken = new Map<number, number>();
  let [rows, skipped, pictures] = [0, 0, 0];
  for (const { path, header } of parts) {
    let isDone = false;
    for await (const { entry } of readJournal(path, header)) {
      if ('done' in entry) {
        isDone = true;
        continue;
      }
      for (const input of entry.opened) {
        const known = several.get(input.input);
        if (known && (known.digest !== input.digest || known.count !== input.count)) {
          throw new QuarterturnError(
            'data',
            `${path}: expected the pictures of ${input.path} that the other parts have. Received: others (${known.count} there, ${input.count} here).`,
            { hint: 'It changed between the parts: predict all of them again.' },
          );
        }
        if (!known) several.set(input.input, { ...input, seen: 0 });
      }
      rows += entry.rows.length;
      skipped += entry.skipped.length;
      for (const { place } of placesOf(entry)) {
        pictures++;
        isTaken.set(place.input, (isTaken.get(place.input) ?? 0) + 1);
      }
    }
    if (isDone) continue;
    throw new QuarterturnError('data', `${path}: expected a part that is done. Received: one that is not.`, {
      hint: 'Repeat the command that began it; it goes on where it was.',
    });
  }
  const single = inputs.count - several.size;
  const expected = [...several.values()].reduce((sum, { count }) => sum + count, single);
  if (pictures === expected) return { rows, skipped };
  throw new QuarterturnError(
    'data',
    `merge: expected ${countOf(expected, 'picture')} in all parts together. Received: ${pictures}.`,
    { hint: 'A part is damaged: predict it again.' },
  );
}

function* placesOf({
  rows,
  skipped,
}: Exclude<JournalEntry, { done: unknown }>): Generator<{ place: PicturePlace }> {
  yield* rows;
  for (const { place } of skipped) if (place) yield { place };
}

/**
 * The rows of all parts in the order of the inputs, some at a time, in constant memory.
 * @throws QuarterturnError `data` for a row that comes twice
 */
export async function* mergedRows(
  parts: readonly PredictionPart[],
): AsyncGenerator<readonly JournalRow[], void, undefined> {
  const readers = parts.map((part) => rowsOf(part));
  try {
    const heads: (JournalRow | undefined)[] = [];
    for (const reader of readers) heads.push((await reader.next()).value ?? undefined);
    let [some, last]: [JournalRow[], JournalRow | undefined] = [[], undefined];
    for (;;) {
      let first = -1;
      for (const [i, head] of heads.entries()) {
        if (head && (first < 0 || order(head, heads[first]) < 0)) first = i;
      }
      const row = heads[first];
      if (row === undefined) break;
      if (last && order(row, last) <= 0) {
        const path = parts[first]?.path ?? 'merge';
        throw new QuarterturnError(
          'data',
          `${path}: expected each picture once. Received: ${row.file} twice.`,
          {
            hint: 'The part is damaged: predict it again.',
          },
        );
      }
      some.push(row);
      last = row;
      heads[first] = (await readers[first]?.next())?.value ?? undefined;
      if (some.length < rowsAtOnce) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  } finally {
    for (const reader of readers) await reader.return();
  }
}

async function* rowsOf({ path, header }: PredictionPart): AsyncGenerator<JournalRow, void, undefined> {
  for await (const { entry } of readJournal(path, header)) if ('rows' in entry) yield* entry.rows;
}

function order({ place: a }: JournalRow, { place: b }: JournalRow = { place: a } as JournalRow): number {
  return a.input - b.input || a.item - b.item;
}

/** What all parts set aside, some at a time. */
export async function* skippedOf(
  parts: readonly PredictionPart[],
): AsyncGenerator<readonly JournalSkipped[], void, undefined> {
  for (const { path, header } of parts) {
    for await (const { entry } of readJournal(path, header)) {
      if ('skipped' in entry && entry.skipped.length > 0) yield entry.skipped;
    }
  }
}
