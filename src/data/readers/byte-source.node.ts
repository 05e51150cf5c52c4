import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'a file without permission to read it',
  EPERM: 'a file without permission to read it',
  EMFILE: 'too many open files',
};

/**
 * A file whose bytes are read where they lie.
 * @throws QuarterturnError `data` for what is no file, `io` for one that cannot be read
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    // A pipe would be waited for until somebody writes into it.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile())
      throw wrong('data', path, 'a file', stats.isDirectory() ? 'a folder' : 'a pipe or device');
    return fileSource(path, handle, stats.size);
  } catch (cause) {
    await handle?.close();
    throw cause instanceof QuarterturnError ? cause : readError(path, cause);
  }
}

function fileSource(name: string, handle: FileHandle, sizeBytes: number): ByteSource {
  return {
    name,
    sizeBytes,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await handle
          .read(bytes, length, bytes.length - length, start + length)
          .catch((cause: unknown) => {
            throw readError(name, cause);
          });
        if (bytesRead === 0) {
          throw wrong('data', name, `bytes up to ${end}`, `a file that ends at ${start + length}`);
        }
        length += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

function readError(name: string, cause: unknown): QuarterturnError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  const received = reasons[code] ?? `one that cannot be read (${code})`;
  return wrong(received === reasons.ENOENT ? 'data' : 'io', name, 'a readable file', received, cause);
}

function wrong(code: 'data' | 'io', name: string, expected: string, received: string, cause?: unknown) {
  return new QuarterturnError(code, `${name}: expected ${expected}. Received: ${received}.`, {
    hint: 'Check the path and its permissions.',
    cause,
  });
}
