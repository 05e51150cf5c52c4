import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';

/** Bytes that are read at once where an index is read piece by piece: few calls, and no memory to speak of. */
const windowBytes = 2 ** 18;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'a file without permission to read it',
  EPERM: 'a file without permission to read it',
  ELOOP: 'a link in a circle',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'a name too long for a file',
};

/** An error of the file system in our words; `data` for a file that is not there, `io` for one that cannot be read. */
export function fileError(name: string, what: string, cause: unknown): QuarterturnError {
  if (cause instanceof QuarterturnError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const received = reasons[code] ?? `one that cannot be read (${code})`;
  return new QuarterturnError(
    received === reasons.ENOENT ? 'data' : 'io',
    `${name}: expected ${what}. Received: ${received}.`,
    { hint: 'Check the path and its permissions.', cause },
  );
}

/** What would fill the memory. */
export function fileTooLarge(name: string, sizeBytes: number, maxBytes: number): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${name}: expected a file of at most ${maxBytes} bytes. Received: ${sizeBytes}.`,
    { hint: 'Is it a picture?' },
  );
}

/** What is asked for that the tree does not list. */
export function noSuchFile(name: string): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${name}: expected a file of the folder or archive. Received: no such file.`,
  );
}

/**
 * Open a file for reading; a pipe or device is refused and never waited for.
 * @param name what to call it in errors
 * @throws QuarterturnError `data` for what is no file, `io` for one that cannot be read
 */
export async function openPlainFile(
  path: string | Buffer,
  name: string,
): Promise<{ readonly handle: FileHandle; readonly sizeBytes: number; readonly modifiedMs: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw new QuarterturnError('data', `${name}: expected a file. Received: a folder, pipe or device.`);
    }
    return { handle, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
  } catch (error) {
    await handle?.close();
    throw fileError(name, 'a readable file', error);
  }
}

/** Bytes from a place in a file; fewer only where the file ends. */
export async function readAt(
  handle: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // A damaged file may name any place.
  if (!Number.isSafeInteger(position + length)) return new Uint8Array();
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

/**
 * A part of an open file, or all of it.
 * @param close what is to be done at its end, where the file is its own
 */
export function bytesAt(
  handle: FileHandle,
  {
    name,
    offset = 0,
    sizeBytes,
  }: { readonly name: string; readonly offset?: number; readonly sizeBytes: number },
  close: () => Promise<void> = async () => {},
): ByteSource {
  return {
    name,
    sizeBytes,
    read: async (start, end) => {
      const bytes = await readAt(handle, offset + start, end - start).catch((error: unknown) => {
        throw fileError(name, 'a readable file', error);
      });
      if (bytes.length === end - start && end <= sizeBytes) return bytes;
      throw new QuarterturnError(
        'data',
        `${name}: expected at least ${end} bytes. Received: a file that is cut off.`,
        {
          hint: 'Copy or download it again.',
        },
      );
    },
    close,
  };
}

/**
 * A file whose bytes are read where they lie.
 * @throws QuarterturnError `data` for what is no file, `io` for one that cannot be read
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  const { handle, sizeBytes } = await openPlainFile(path, path);
  return bytesAt(handle, { name: path, sizeBytes }, () => handle.close());
}

/** Reads short pieces of a file, one after the other and near each other, with few calls. */
export class FileWindow {
  readonly #handle: FileHandle;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Bytes from a place, valid until the next call; fewer only where the file ends. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const ahead = this.#ahead(position, length);
    if (ahead) return ahead;
    if (length > windowBytes) return readAt(this.#handle, position, length);
    this.#bytes = await readAt(this.#handle, position, windowBytes);
    this.#start = position;
    return this.#bytes.subarray(0, length);
  }

  #ahead(position: number, length: number): Uint8Array | undefined {
    const from = position - this.#start;
    return from >= 0 && from + length <= this.#bytes.length
      ? this.#bytes.subarray(from, from + length)
      : undefined;
  }
}
