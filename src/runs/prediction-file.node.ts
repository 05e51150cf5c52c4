import fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuarterturnError } from '../errors.js';
import { ensureFolder, ioError, syncFolder } from '../store/atomic-file.node.js';
import { FolderLock } from '../store/folder-lock.node.js';
import { assertNewFile } from '../store/new-file.node.js';
import { headerDifference } from './journal-difference.js';
import type { JournalBatch, JournalHeader, JournalInput, JournalTotals } from './journal-lines.js';
import type { OpenedInput } from './prediction-inputs.node.js';
import { JournalWriter, readJournal, readJournalHeader } from './prediction-journal.node.js';
import type { PicturePlace } from './prediction-row.js';

/** What lies beside a file of predictions while it is made: a folder of the file's name and this. */
const partialSuffix = '.partial';
const journalName = 'journal.jsonl';
const lockName = '.lock';

export interface BeginOptions {
  /** Replace a file that is there, and what was begun with other inputs, another model or other options. */
  readonly overwrite?: boolean | undefined;
}

/**
 * A file of predictions while it is made. It has its name only once it is whole: until then there is a folder beside it,
 * `answers.csv.partial`, with the journal of what is known. One process at a time writes it; one that goes on where another was
 * killed begins behind the last batch that is whole, so that no row is lost and none comes twice.
 */
export class PredictionFile {
  readonly #out: string;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #writer: JournalWriter;
  readonly #inputs: Map<number, JournalInput>;
  #totals: JournalTotals;
  #pending: JournalInput[] = [];
  /** Where to begin. */
  readonly from: PicturePlace;
  /** Whether everything is known already: the process was killed while it wrote the table. */
  readonly isDone: boolean;
  /** The last batch before this process: what was to be done with its pictures may have been left half done. */
  readonly lastBatch: JournalBatch | undefined;

  private constructor(out: string, lock: FolderLock, writer: JournalWriter, state: JournalState) {
    this.#out = out;
    this.#folder = out + partialSuffix;
    this.#lock = lock;
    this.#writer = writer;
    this.#inputs = state.inputs;
    this.#totals = state.totals;
    this.from = state.next;
    this.isDone = state.isDone;
    this.lastBatch = state.lastBatch;
  }

  /**
   * Begin a file, or go on with one that was begun with the same inputs, model and options.
   * @throws QuarterturnError `usage` if it is there already, or was begun with others; `io` if it cannot be written, or another
   *   process writes it
   */
  static async begin(
    out: string,
    header: JournalHeader,
    { overwrite = false }: BeginOptions = {},
  ): Promise<PredictionFile> {
    const folder = out + partialSuffix;
    const journal = join(folder, journalName);
    if (!(await exists(journal))) await assertNewFile(out, { overwrite });
    await ensureFolder(folder);
    const lock = await FolderLock.take(join(folder, lockName));
    try {
      const begun = await readJournalHeader(journal);
      const difference = begun && headerDifference(begun.header, header);
      if (begun === undefined || (difference !== undefined && overwrite)) {
        await assertNewFile(out, { overwrite });
        const writer = await JournalWriter.begin(journal, header);
        return new PredictionFile(out, lock, writer, nothingYet());
      }
      if (difference !== undefined) throw begunOtherwise(out, folder, difference);
      const state = await stateOf(journal, begun.header, begun.endBytes);
      // One that is done was killed between giving the file its name and cleaning up.
      if (!state.isDone) await assertNewFile(out, { overwrite });
      const writer = await JournalWriter.resume(journal, header, state.endBytes);
      return new PredictionFile(out, lock, writer, state);
    } catch (error) {
      await lock.release();
      await fs.rmdir(folder).catch(() => {}); // it holds a journal, or nothing
      throw error;
    }
  }

  /** Whether inputs wait for a batch to be taken down with. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** How many rows there are, and how many pictures were set aside. */
  get totals(): JournalTotals {
    return this.#totals;
  }

  /**
   * Take down an input of several pictures, with the next batch.
   * @returns whether it is new: one that the process opens again was taken down before
   * @throws QuarterturnError `data` if it holds other pictures than when the file was begun
   */
  addInput({ input, path, count, digest }: Omit<OpenedInput, 'skipped' | 'passedOver' | 'notes'>): boolean {
    const known = this.#inputs.get(input);
    if (known === undefined) {
      const added = { input, path, count, digest };
      this.#inputs.set(input, added);
      this.#pending.push(added);
      return true;
    }
    if (known.digest === digest && known.count === count) return false;
    const was = `${known.count} then, ${count} now`;
    throw new QuarterturnError(
      'data',
      `${path}: expected the pictures that it held when ${this.#out} was begun. Received: others (${was}).`,
      { hint: startAgainHint(this.#folder) },
    );
  }

  /** Take down what came of a batch, whole or not at all. */
  async add(batch: Omit<JournalBatch, 'opened'>): Promise<void> {
    await this.#lock.assertHeld();
    await this.#writer.append({ ...batch, opened: this.#pending });
    this.#pending = [];
    const { rows, skipped } = this.#totals;
    this.#totals = { rows: rows + batch.rows.length, skipped: skipped + batch.skipped.length };
  }

  /**
   * Say that all is known, make the file of the journal, and give it its name.
   * @param make writes the file under a name of its own, from the journal
   */
  async finish(make: (path: string, journal: string) => Promise<void>): Promise<void> {
    if (!this.isDone) await this.#writer.finish(this.#totals);
    const made = join(this.#folder, basename(this.#out));
    await make(made, join(this.#folder, journalName));
    try {
      await fs.rename(made, this.#out);
      await syncFolder(dirname(this.#out));
    } catch (error) {
      throw ioError('write', this.#out, error);
    }
    await fs.rm(join(this.#folder, journalName), { force: true });
  }

  /** Let go of it; what is known of a file that is not finished stays, to be gone on with. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#lock.release();
    await fs.rmdir(this.#folder).catch(() => {}); // it holds a journal
  }
}

/** What a journal says of how far it is. */
interface JournalState {
  readonly next: PicturePlace;
  readonly endBytes: number;
  readonly isDone: boolean;
  readonly totals: JournalTotals;
  readonly inputs: Map<number, JournalInput>;
  readonly lastBatch: JournalBatch | undefined;
}

function nothingYet(endBytes = 0): JournalState {
  const totals = { rows: 0, skipped: 0 };
  const next = { input: 0, item: 0 };
  return { next, endBytes, isDone: false, totals, inputs: new Map(), lastBatch: undefined };
}

async function stateOf(path: string, header: JournalHeader, headerBytes: number): Promise<JournalState> {
  let state = nothingYet(headerBytes);
  for await (const { entry, endBytes } of readJournal(path, header)) {
    if ('done' in entry) return { ...state, endBytes, isDone: true };
    for (const input of entry.opened) state.inputs.set(input.input, input);
    const { rows, skipped } = state.totals;
    const totals = { rows: rows + entry.rows.length, skipped: skipped + entry.skipped.length };
    state = { ...state, next: entry.next, endBytes, totals, lastBatch: entry };
  }
  return state;
}

const startAgainHint = (folder: string): string => `Give --overwrite to start again, or delete ${folder}.`;

function begunOtherwise(out: string, folder: string, difference: string): QuarterturnError {
  return new QuarterturnError(
    'usage',
    `${out}: expected the model, inputs and options that it was begun with. Received: what was begun has ${difference}.`,
    { hint: `Repeat the command that began it. ${startAgainHint(folder)}` },
  );
}

async function exists(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined)) !== undefined;
}
