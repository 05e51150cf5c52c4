import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { QuarterturnError } from '../../errors.js';
import { appendToFile, clearTemporaries } from '../../store/atomic-file.node.js';
import { FolderLock, FolderLocked } from '../../store/folder-lock.node.js';
import { parseWith } from '../../store/json.js';
import { cutTornLine } from './journal-file.node.js';
import { type AppliedLine, JournalReplica } from './journal-replica.node.js';
import {
  encodeLine,
  type JournalLine,
  type LabelEvent,
  labelEventSchema,
  whoSchema,
} from './label-events.js';
import { writeSnapshot } from './label-snapshot.node.js';
import type { LabelState } from './label-state.js';

export const journalName = 'labels.jsonl';
export const snapshotName = 'labels.snapshot.json';
const lockName = '.labels-lock';

/**
 * Others hold the lock for as long as a disk takes to write; who was killed with it is noticed at once. What holds it for
 * longer is a process that was stopped in the middle, or a disk that does not answer: a person has to know.
 */
const lockWaitMs = 10_000;

/**
 * After so many events or bytes since the last snapshot, the next one is written: to go through 5,000 events takes some 50 ms
 * when a project is opened, and to write down 100,000 labels as many.
 */
const snapshotEvery = { events: 5000, bytes: 2 ** 22 };

/** At its end a process leaves a snapshot if the next one saves something by it. */
const snapshotAtClose = { events: 200, bytes: 2 ** 18 };

/** Where the system does not tell that a file has grown, as on the disk of another host, it is looked at so often. */
const lookEveryMs = 1000;

export interface OpenJournalOptions {
  /** Stands in each line: `studio`, `command line`. */
  readonly who: string;
}

/** An event that waits to be written, or what makes it of the state that it meets. */
export type EventMaker = LabelEvent | ((state: LabelState) => LabelEvent | undefined);

/** What has happened to the labels, by whomever. */
export interface JournalUpdate {
  /** What happened, in order; empty where all is to be looked at anew. */
  readonly lines: readonly AppliedLine[];
  /** The journal is another one than before: a copy was put back, or a write that failed was taken back. */
  readonly isNew: boolean;
}

interface Waiting {
  readonly make: EventMaker;
  readonly resolve: (line: JournalLine | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Watching {
  readonly watcher: FSWatcher | undefined;
  readonly timer: NodeJS.Timeout;
}

/**
 * The labels of a project on the disk: `labels.jsonl`, one line an event, only ever appended to.
 *
 * Any number of processes append to it at once. Each does so under a lock, after it has read what the others wrote, so that
 * every event is made of the state that it meets and no line is torn by another. {@link append} resolves once the line is on the
 * disk; appends that are asked for at the same time share one write and one sync. A process that is killed may leave a last line
 * that is not whole: it was never said to be saved, and the next one that opens or appends moves it to a file beside.
 *
 * @example
 * await using journal = await LabelJournal.open(folder, { who: 'studio' });
 * await journal.append({ type: 'label', labels: [{ class: 'c1', images: [hash] }] }); // saved
 * await journal.append(undoLast);
 */
export class LabelJournal implements AsyncDisposable {
  readonly #folder: string;
  readonly #who: string;
  #replica: JournalReplica;
  #waiting: Waiting[] = [];
  /** One after the other: whatever reads or writes the file. */
  #last: Promise<unknown> = Promise.resolve();
  #snapshot: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<(update: JournalUpdate) => void>();
  #watching: Watching | undefined;
  #isLooking = false;
  #isClosed = false;

  private constructor(folder: string, who: string, replica: JournalReplica) {
    this.#folder = folder;
    this.#who = who;
    this.#replica = replica;
  }

  /**
   * Open the journal of a project; one that is not there is begun with the first event.
   * @param folder that it lies in
   * @throws DamagedJournal for a line that cannot be read; QuarterturnError `io` if the file cannot be
   */
  static async open(folder: string, { who }: OpenJournalOptions): Promise<LabelJournal> {
    const name = parseWith(whoSchema, who, 'who', 'a short text', { code: 'usage' });
    // A folder that cannot be written can still be read: a torn line is passed over then.
    await underLock(folder, () => cutTornLine(join(folder, journalName))).catch((error) => {
      if (error instanceof FolderLocked) throw error;
    });
    await clearTemporaries(folder).catch(() => {});
    return new LabelJournal(folder, name, await load(folder));
  }

  /** As far as it is known here; what others append comes in with {@link onChange}, {@link refresh} and each append. */
  get state(): LabelState {
    return this.#replica.state;
  }

  /**
   * Append an event, and wait until it is on the disk.
   * @param event or a function that makes it of the state that it meets: what it sees is what others have left, and nobody comes
   *   between
   * @returns the line; undefined where the event changes nothing, and none was written
   * @throws QuarterturnError `usage` for an event that is not possible; `io` if it could not be written: it has not happened then
   */
  append(event: EventMaker): Promise<JournalLine | undefined> {
    if (this.#isClosed) return Promise.reject(closedError(this.#folder));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ make: event, resolve, reject });
      if (this.#waiting.length === 1) void this.#serially(() => this.#commit());
    });
  }

  /**
   * Read what others have appended.
   * @throws DamagedJournal for a line that cannot be read; QuarterturnError `io`
   */
  refresh(): Promise<void> {
    return this.#serially(() => this.#catchUp());
  }

  /**
   * Be told of every event once it is on the disk, whoever wrote it, within a second.
   * @param listener must not throw
   * @returns a function that ends it
   */
  onChange(listener: (update: JournalUpdate) => void): () => void {
    this.#listeners.add(listener);
    this.#watching ??= this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stopWatching();
    };
  }

  /** Finish what was begun and leave a snapshot behind. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.clear();
    this.#stopWatching();
    await this.#last;
    this.#writeSnapshot(snapshotAtClose);
    await this.#snapshot;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Everything that waits by now, in one write. */
  async #commit(): Promise<void> {
    let taken: Waiting[] = [];
    const take = () => {
      taken = this.#waiting;
      this.#waiting = [];
    };
    try {
      await underLock(this.#folder, async () => {
        await cutTornLine(this.#path);
        await this.#catchUp();
        take();
        await this.#write(taken);
      });
    } catch (error) {
      if (taken.length === 0) take();
      for (const { reject } of taken) reject(error);
    }
    this.#writeSnapshot(snapshotEvery);
  }

  async #write(taken: readonly Waiting[]): Promise<void> {
    const made = taken.map((each) => ({ each, outcome: this.#make(each.make) }));
    const applied = made.flatMap(({ outcome }) => (outcome.kind === 'applied' ? outcome.applied : []));
    if (applied.length > 0) {
      const bytes = Buffer.from(applied.map(({ line }) => encodeLine(line)).join(''));
      try {
        await appendToFile(this.#path, bytes);
      } catch (error) {
        await this.#reload(); // what was let happen above has not
        throw error;
      }
      this.#replica.advance(bytes);
      this.#tell({ lines: applied, isNew: false });
    }
    for (const { each, outcome } of made) {
      if (outcome.kind === 'refused') each.reject(outcome.error);
      else each.resolve(outcome.kind === 'applied' ? outcome.applied.line : undefined);
    }
  }

  /** Let an event happen here, before it is written. */
  #make(
    make: EventMaker,
  ):
    | { readonly kind: 'applied'; readonly applied: AppliedLine }
    | { readonly kind: 'nothing' }
    | { readonly kind: 'refused'; readonly error: unknown } {
    try {
      const wanted = typeof make === 'function' ? make(this.state) : make;
      if (wanted === undefined) return { kind: 'nothing' };
      const event = parseWith(labelEventSchema, wanted, 'labels', 'an event', { code: 'usage' });
      if (!this.state.isChangedBy(event)) return { kind: 'nothing' };
      const line = { seq: this.state.seq + 1, at: new Date().toISOString(), who: this.#who, event };
      return { kind: 'applied', applied: { line, change: this.state.apply(event, line.seq) } };
    } catch (error) {
      return { kind: 'refused', error };
    }
  }

  async #catchUp(): Promise<void> {
    const lines = await this.#replica.catchUp().catch(() => undefined); // what is damaged, the reload says
    if (lines === undefined) await this.#reload();
    else if (lines.length > 0) this.#tell({ lines, isNew: false });
  }

  async #reload(): Promise<void> {
    this.#replica = await load(this.#folder);
    this.#tell({ lines: [], isNew: true });
  }

  #tell(update: JournalUpdate): void {
    for (const listener of this.#listeners) listener(update);
  }

  #writeSnapshot(every: typeof snapshotEvery): void {
    const { events, bytes } = this.#replica.sinceSnapshot;
    if (events < every.events && bytes < every.bytes) return;
    const text = this.#replica.snapshot();
    // Without it the project opens as well, only later.
    this.#snapshot = this.#snapshot.then(() =>
      writeSnapshot(join(this.#folder, snapshotName), text).catch(() => {}),
    );
  }

  #watch(): Watching {
    const look = () => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      const looked = this.#serially(() => {
        this.#isLooking = false;
        return this.#catchUp();
      });
      looked.catch(() => {}); // damaged or unreadable: who appends or refreshes is told
    };
    return { watcher: watcherOf(this.#folder, look), timer: setInterval(look, lookEveryMs).unref() };
  }

  #stopWatching(): void {
    this.#watching?.watcher?.close();
    clearInterval(this.#watching?.timer);
    this.#watching = undefined;
  }

  get #path(): string {
    return join(this.#folder, journalName);
  }
}

/** Undo what was done last, by whomever; nothing where there is nothing. */
export const undoLast = ({ undoable }: LabelState): LabelEvent | undefined =>
  undoable && { type: 'undo', of: undoable.seq };

/** Redo what was undone last; nothing where something else was done since. */
export const redoLast = ({ redoable }: LabelState): LabelEvent | undefined =>
  redoable && { type: 'redo', of: redoable.seq };

const load = (folder: string): Promise<JournalReplica> =>
  JournalReplica.load(join(folder, journalName), join(folder, snapshotName));

async function underLock(folder: string, task: () => Promise<void>): Promise<void> {
  const lock = await FolderLock.take(join(folder, lockName), { waitMs: lockWaitMs }).catch((error) => {
    if (!(error instanceof FolderLocked)) throw error;
    const who = error.owner === undefined ? 'another process' : `process ${error.owner.pid}`;
    throw new FolderLocked(
      `${folder}: expected to write labels within ${lockWaitMs / 1000} s. Received: ${who}, which is in the middle of it.`,
      { hint: 'It may have been stopped (Ctrl-Z): let it go on, or end it.', owner: error.owner },
    );
  });
  try {
    await task();
  } finally {
    await lock.release();
  }
}

/** Watches the folder, since the file may be replaced; undefined where the system cannot, or not so many. */
function watcherOf(folder: string, look: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name === null || name === journalName) look();
    });
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}

function closedError(folder: string): QuarterturnError {
  return new QuarterturnError('usage', `${folder}: expected an open journal. Received: a closed one.`);
}
