import { createHash, type Hash } from 'node:crypto';
import { DamagedJournal, type FilePlace, fileStart, placeAfter, readOn } from './journal-file.node.js';
import { decodeLine, type JournalLine } from './label-events.js';
import { encodeSnapshot, readSnapshot } from './label-snapshot.node.js';
import { type Change, LabelState } from './label-state.js';

/** A line of the journal and what came of it. */
export interface AppliedLine {
  readonly line: JournalLine;
  readonly change: Change;
}

/** The state that a journal has led to, and how far the journal was read for it. */
export class JournalReplica {
  readonly state: LabelState;
  readonly #path: string;
  readonly #hash: Hash;
  #place: FilePlace;
  /** Of the last snapshot that is known. */
  #snapshot = { seq: 0, bytes: 0 };
  /** Of some lines only the first could be let happen: the state belongs to no place of the file, and is to be given up. */
  #isBroken = false;

  private constructor(path: string, state: LabelState, hash: Hash, place: FilePlace) {
    this.#path = path;
    this.state = state;
    this.#hash = hash;
    this.#place = place;
  }

  /**
   * Read a journal from a snapshot on, if there is one that belongs to it, else from its beginning.
   * @throws DamagedJournal for a line that cannot be read; QuarterturnError `io`
   */
  static async load(path: string, snapshotPath: string): Promise<JournalReplica> {
    const [snapshot, bytes = Buffer.alloc(0)] = await Promise.all([
      readSnapshot(snapshotPath),
      readOn(path, fileStart),
    ]);
    const hash = createHash('sha256');
    if (snapshot !== undefined && snapshot.journal.bytes <= bytes.length) {
      const before = bytes.subarray(0, snapshot.journal.bytes);
      hash.update(before);
      if (hash.copy().digest('hex') === snapshot.journal.sha256) {
        const replica = new JournalReplica(path, snapshot.state, hash, placeAfter(fileStart, before));
        replica.#snapshot = { seq: snapshot.state.seq, bytes: before.length };
        replica.#read(bytes.subarray(before.length));
        return replica;
      }
    }
    const replica = new JournalReplica(path, new LabelState(), createHash('sha256'), fileStart);
    replica.#read(bytes);
    return replica;
  }

  /** How far it is from its last snapshot. */
  get sinceSnapshot(): { readonly events: number; readonly bytes: number } {
    const { seq, bytes } = this.#snapshot;
    if (this.#isBroken) return { events: 0, bytes: 0 };
    return { events: this.state.seq - seq, bytes: this.#place.bytes - bytes };
  }

  /**
   * Let happen what others have appended.
   * @returns undefined if the journal is not the one that was read before: then load it anew
   * @throws DamagedJournal for a line that cannot be read; QuarterturnError `io`
   */
  async catchUp(): Promise<readonly AppliedLine[] | undefined> {
    const more = await readOn(this.#path, this.#place);
    return more && this.#read(more);
  }

  /** Take note of lines that were let happen already, and are in the file by now. */
  advance(lines: Buffer): void {
    this.#hash.update(lines);
    this.#place = placeAfter(this.#place, lines);
  }

  /** The text of a snapshot of this moment. */
  snapshot(): string {
    const { bytes } = this.#place;
    this.#snapshot = { seq: this.state.seq, bytes };
    return encodeSnapshot(this.state, { bytes, sha256: this.#hash.copy().digest('hex') });
  }

  /** What stands behind the last line break is not whole yet. */
  #read(bytes: Buffer): readonly AppliedLine[] {
    const applied: AppliedLine[] = [];
    let from = 0;
    this.#isBroken = true;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      applied.push(this.#apply(bytes.toString('utf8', from, at)));
      from = at + 1;
    }
    this.advance(bytes.subarray(0, from));
    this.#isBroken = false;
    return applied;
  }

  #apply(text: string): AppliedLine {
    const line = decodeLine(text);
    const number = this.state.seq + 1;
    if (line === undefined) throw new DamagedJournal(this.#path, number, { text });
    try {
      return { line, change: this.state.apply(line.event, line.seq) };
    } catch (cause) {
      throw new DamagedJournal(this.#path, number, { text, cause });
    }
  }
}
