import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { QuarterturnError } from '../errors.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'a folder',
  EACCES: 'a file without permission to read it',
  EPERM: 'a file without permission to read it',
  ENAMETOOLONG: 'a name too long for a file',
  EMFILE: 'too many open files',
};

/**
 * All bytes of a file.
 * @param what the file is expected to be, for messages: `an image file`
 * @throws QuarterturnError `data` for a file that is not there, `io` for one that cannot be read
 */
export async function readNamedFile(path: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path).catch(async (error) => {
      const exact = await pathInBytes(path);
      if (exact === undefined) throw error;
      return readFile(exact);
    });
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const received = reasons[code] ?? `a file that cannot be read (${code})`;
    throw new QuarterturnError(
      received === reasons.ENOENT ? 'data' : 'io',
      `${path}: expected ${what}. Received: ${received}.`,
      { hint: 'Check the path and its permissions.', cause },
    );
  }
}

/**
 * A name that is no UTF-8 reaches us with replacement characters, under which no file is found: the one file of its folder
 * whose name reads the same is meant.
 */
async function pathInBytes(path: string): Promise<Buffer | undefined> {
  const name = basename(path);
  if (!name.includes('\ufffd')) return undefined;
  const folder = dirname(path);
  const names = await readdir(folder, { encoding: 'buffer' }).catch(() => []);
  const [found, another] = names.filter((bytes) => bytes.toString() === name);
  return found && !another ? Buffer.concat([Buffer.from(`${folder}/`), found]) : undefined;
}
