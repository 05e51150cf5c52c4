import fs from 'node:fs/promises';
import { QuarterturnError } from '../errors.js';

export interface NewFileOptions {
  /** Whether a file that is there may be replaced; default: no. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Makes sure that a file which a command is to write takes the place of none.
 * @throws QuarterturnError `usage` for one that is there and is not to be replaced, and for a folder
 */
export async function assertNewFile(path: string, { overwrite = false }: NewFileOptions = {}): Promise<void> {
  const found = await fs.stat(path).catch(() => undefined);
  if (found === undefined || (overwrite && !found.isDirectory())) return;
  const [received, hint] = found.isDirectory()
    ? ['a folder', 'Name a file in it.']
    : ['one that is there', 'Choose another name, or give --overwrite.'];
  throw new QuarterturnError('usage', `${path}: expected the name of a new file. Received: ${received}.`, {
    hint,
  });
}
