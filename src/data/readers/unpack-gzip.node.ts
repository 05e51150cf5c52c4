import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, statfs, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { QuarterturnError } from '../../errors.js';
import { fileError } from './file-window.node.js';
import type { UnpackOptions } from './unpack-options.js';

/** 64 GB: more than anybody packs pictures into one file, less than a made-up file claims. */
const defaultMaxUnpackedBytes = 2 ** 36;
/** A disk that is full does harm to others. */
const shareOfFreeSpace = 0.9;
const chunkBytes = 2 ** 20;

/** A file without a name, gone when it is closed or the process ends. */
export interface ScratchFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  close(): Promise<void>;
}

/**
 * Unpack a gzip file into a scratch file, which can be read at any place; the packed one can be read from its beginning
 * only.
 *
 * @param source the open gzip file, and its name for errors
 * @throws QuarterturnError `data` for a file that is damaged, cut off, or too large unpacked; `io` for a disk that is full
 */
export async function unpackToScratch(
  source: { readonly handle: FileHandle; readonly name: string },
  { scratchFolder = tmpdir(), maxUnpackedBytes = defaultMaxUnpackedBytes, signal }: UnpackOptions = {},
): Promise<ScratchFile> {
  const { name } = source;
  const scratch = await createScratch(scratchFolder);
  try {
    const { bavail, bsize } = await statfs(scratchFolder);
    const freeBytes = Math.floor(shareOfFreeSpace * bavail * bsize);
    const most = Math.min(maxUnpackedBytes, freeBytes);
    const input = source.handle.createReadStream({ start: 0, autoClose: false, highWaterMark: chunkBytes });
    const gunzip = createGunzip({ chunkSize: chunkBytes });
    input.on('error', (error) => gunzip.destroy(error));
    let sizeBytes = 0;
    try {
      for await (const chunk of input.pipe(gunzip) as AsyncIterable<Uint8Array>) {
        signal?.throwIfAborted();
        if (sizeBytes + chunk.length > most)
          throw tooLarge(name, most, most < maxUnpackedBytes && scratchFolder);
        for (let at = 0; at < chunk.length; ) {
          at += (await scratch.handle.write(chunk, at, chunk.length - at, sizeBytes + at)).bytesWritten;
        }
        sizeBytes += chunk.length;
      }
    } finally {
      input.destroy();
    }
    return { ...scratch, sizeBytes };
  } catch (error) {
    await scratch.close();
    signal?.throwIfAborted();
    throw unpackError(name, scratchFolder, error);
  }
}

async function createScratch(folder: string): Promise<Pick<ScratchFile, 'handle' | 'close'>> {
  const path = join(folder, `quarterturn-${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(path, 'wx+', 0o600);
    // Without a name it is gone when the process ends, however it ends. Windows does not allow it while it is open.
    const isNameless = await unlink(path).then(
      () => true,
      () => false,
    );
    const close = async () => {
      await handle.close();
      if (!isNameless) await unlink(path);
    };
    return { handle, close };
  } catch (error) {
    throw fileError(folder, 'a folder to unpack into', error);
  }
}

function tooLarge(name: string, maxBytes: number, folder: string | false): QuarterturnError {
  const where = folder === false ? '' : `, nine tenths of the free space at ${folder}`;
  return new QuarterturnError(
    'data',
    `${name}: expected at most ${maxBytes} bytes unpacked${where}. Received: more.`,
    {
      hint: 'Unpack it to a larger disk first and name the folder.',
    },
  );
}

function unpackError(name: string, folder: string, cause: unknown): QuarterturnError {
  if (cause instanceof QuarterturnError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOSPC') {
    return new QuarterturnError('io', `${folder}: expected room to unpack ${name}. Received: a full disk.`, {
      hint: 'Make room, or choose another folder for the cache.',
      cause,
    });
  }
  if (!code.startsWith('Z_')) return fileError(name, 'a readable file', cause);
  return new QuarterturnError(
    'data',
    `${name}, gzip: expected a complete stream. Received: one that is cut off or damaged.`,
    { hint: 'Copy or download the file again.', cause },
  );
}
