import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { QuarterturnError } from '../errors.js';
import { ioError } from '../store/atomic-file.node.js';
import {
  type JournalBatch,
  type JournalEntry,
  type JournalHeader,
  type JournalTotals,
  lineOfBatch,
  parseEntry,
  parseHeader,
} from './journal-lines.js';

/** What a journal holds, as far as it is whole. */
export interface ReadEntry {
  readonly entry: JournalEntry;
  /** Bytes of the file up to its end. */
  readonly endBytes: number;
}

/**
 * The header of a journal.
 * @returns undefined where there is no such file, or none with a whole header: nothing was begun
 * @throws QuarterturnError `data` for a file that is something else, `io` for one that cannot be read
 */
export async function readJournalHeader(
  path: string,
): Promise<{ readonly header: JournalHeader; readonly endBytes: number } | undefined> {
  try {
    for await (const { text, endBytes } of linesOf(path)) {
      const header = parseHeader(text);
      if (header !== undefined) return { header, endBytes };
      throw new QuarterturnError('data', `${path}: expected predictions. Received: something else.`, {
        hint: 'A part is written by: quarterturn predict … --shard 1/4 --out answers-1.part',
      });
    }
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError('read', path, error);
  }
}

/** The entries of a journal, up to the first line that is not whole. */
export async function* readJournal(
  path: string,
  header: JournalHeader,
): AsyncGenerator<ReadEntry, void, undefined> {
  let isHeader = true;
  for await (const { text, endBytes } of linesOf(path)) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const entry = parseEntry(text, header);
    if (entry === undefined) return; // cut off, or damaged: what follows is made again
    yield { entry, endBytes };
  }
}

/** Whole lines of a file, without their line breaks. */
async function* linesOf(path: string): AsyncGenerator<{ readonly text: string; readonly endBytes: number }> {
  let pieces: Buffer[] = [];
  let endBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...pieces, chunk.subarray(from, at)]);
      pieces = [];
      from = at + 1;
      endBytes += line.length + 1;
      yield { text: line.toString(), endBytes };
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
}

/** How often what was written is forced to the disk; a killed process loses nothing that it wrote before either. */
const syncEveryMs = 1000;

/** Appends to a journal. */
export class JournalWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #classes: ReadonlyMap<string, number>;
  #syncedMs = performance.now();

  private constructor(path: string, file: FileHandle, header: JournalHeader) {
    this.#path = path;
    this.#file = file;
    this.#classes = new Map(header.model.classNames.map((name, k) => [name, k]));
  }

  /** Begin a journal; one that is there is lost. */
  static async begin(path: string, header: JournalHeader): Promise<JournalWriter> {
    try {
      const file = await open(path, 'w');
      await file.appendFile(`${JSON.stringify(header)}\n`);
      await file.sync();
      return new JournalWriter(path, file, header);
    } catch (error) {
      throw ioError('write', path, error);
    }
  }

  /** Go on behind what is whole of a journal. */
  static async resume(path: string, header: JournalHeader, endBytes: number): Promise<JournalWriter> {
    try {
      const file = await open(path, 'a');
      await file.truncate(endBytes);
      return new JournalWriter(path, file, header);
    } catch (error) {
      throw ioError('write', path, error);
    }
  }

  async append(batch: JournalBatch): Promise<void> {
    try {
      await this.#file.appendFile(lineOfBatch(batch, this.#classes));
      if (performance.now() - this.#syncedMs < syncEveryMs) return;
      await this.#file.datasync();
      this.#syncedMs = performance.now();
    } catch (error) {
      throw ioError('write', this.#path, error);
    }
  }

  /** Say that nothing is missing. */
  async finish(done: JournalTotals): Promise<void> {
    try {
      await this.#file.appendFile(`${JSON.stringify({ done })}\n`);
      await this.#file.sync();
    } catch (error) {
      throw ioError('write', this.#path, error);
    }
  }

  /** Force what was written to the disk and let go of the file. */
  async close(): Promise<void> {
    await this.#file.datasync().catch(() => {}); // what is not on the disk is made again
    await this.#file.close();
  }
}
