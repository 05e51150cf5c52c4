import { mkdtemp, open, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFolder, ioError } from '../../../store/atomic-file.node.js';
import { unpackProject } from '../../project/unpack-project.node.js';
import type { UnpackedProject } from '../../project/unpacked-project.js';

/** Where projects that come in a page are unpacked, if nobody says where: a folder that people find. */
export const defaultProjectsFolder = (): string => join(homedir(), 'Quarterturn');

/**
 * Write an archive that comes in parts to the disk, and unpack its project.
 * @param into folder to unpack it in
 * @throws QuarterturnError as `unpackProject`; whatever the parts throw
 */
export async function importProject(
  parts: AsyncIterable<Uint8Array>,
  into: string = defaultProjectsFolder(),
): Promise<UnpackedProject> {
  await ensureFolder(into);
  // On the same disk where that can be: it may be larger than what temporary files have.
  const folder = await mkdtemp(join(into, '.import-')).catch(() => mkdtemp(join(tmpdir(), 'quarterturn-')));
  const path = join(folder, 'project.zip');
  try {
    const file = await open(path, 'wx').catch((error) => {
      throw ioError('write', path, error);
    });
    try {
      for await (const part of parts) await file.writeFile(part);
    } finally {
      await file.close();
    }
    return await unpackProject(path, into);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
