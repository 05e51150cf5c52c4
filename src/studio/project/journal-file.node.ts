import fs, { type FileHandle } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import { ioError, writeFileAtomically } from '../../store/atomic-file.node.js';

/** A line of a journal that cannot be read, with others behind it: what it said is not known, and it is not passed over. */
export class DamagedJournal extends QuarterturnError {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;

  constructor(
    file: string,
    line: number,
    { text, cause }: { readonly text: string; readonly cause?: unknown },
  ) {
    const excerpt = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
    const received = cause instanceof QuarterturnError ? `${excerpt} (${cause.message})` : `${excerpt}.`;
    super(
      'data',
      `${file}, line ${line}: expected the next event of a project's labels. Received: ${received}`,
      {
        hint: 'The file was changed or damaged, or a later version of Quarterturn wrote it. Put back a copy of it, or cut it off before this line: the events before it are whole.',
        cause,
      },
    );
    this.file = file;
    this.line = line;
  }
}

/** How much of what was read last is compared when a file is read on: its end tells a line from any other. */
const tailBytes = 256;

/** A place in a file that only grows, and the bytes before it. */
export interface FilePlace {
  readonly bytes: number;
  readonly tail: Buffer;
}

export const fileStart: FilePlace = { bytes: 0, tail: Buffer.alloc(0) };

/** The place behind some bytes more. */
export function placeAfter({ bytes, tail }: FilePlace, more: Buffer): FilePlace {
  const end = more.length >= tailBytes ? more : Buffer.concat([tail, more]);
  return { bytes: bytes + more.length, tail: Buffer.from(end.subarray(-tailBytes)) };
}

/**
 * The bytes of a file behind a place.
 * @returns undefined if what stands before the place is not what stood there: a write that failed was taken back, or the file
 *   is another one
 * @throws QuarterturnError `io` naming the path
 */
export async function readOn(path: string, { bytes, tail }: FilePlace): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await fs.open(path, 'r');
    const { size } = await file.stat();
    if (size < bytes) return undefined;
    const read = await readPart(file, bytes - tail.length, size);
    if (!read.subarray(0, tail.length).equals(tail)) return undefined;
    return read.subarray(tail.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError('read', path, error);
    return bytes === 0 ? Buffer.alloc(0) : undefined;
  } finally {
    await file?.close();
  }
}

async function readPart(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(to - from);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Bytes that are looked through at a time for the end of the last whole line. */
const windowBytes = 2 ** 16;

/**
 * Cut off a last line that was never finished, and keep its bytes in a file beside, `labels.jsonl.torn-<time>`. Only for who
 * holds the lock: another one may be in the middle of writing it.
 * @throws QuarterturnError `io` naming the path
 */
export async function cutTornLine(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await fs.open(path, 'r+');
    const { size } = await file.stat();
    const [last] = await readPart(file, Math.max(0, size - 1), size);
    if (last === undefined || last === 10) return;
    let end = 0;
    for (let to = size; to > 0 && end === 0; to -= windowBytes) {
      const from = Math.max(0, to - windowBytes);
      end = from + (await readPart(file, from, to)).lastIndexOf(10) + 1;
      if (end === from) end = 0;
    }
    const kept = `${path}.torn-${new Date().toISOString().replaceAll(':', '-')}`;
    await writeFileAtomically(kept, await readPart(file, end, size));
    await file.truncate(end);
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError('write', path, error);
  } finally {
    await file?.close();
  }
}
