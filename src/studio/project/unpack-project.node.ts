import fs, { type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { type FileTree, maxFileBytes } from '../../data/readers/file-tree.js';
import { projectFolderName } from '../../data/readers/foreign-names.js';
import { openZipTree } from '../../data/readers/zip-tree.node.js';
import { freeName, safeName } from '../../data/safe-name.js';
import { QuarterturnError } from '../../errors.js';
import { ensureFolder, ioError, temporaryPath } from '../../store/atomic-file.node.js';
import { Project } from './project.node.js';
import type { UnpackedProject } from './unpacked-project.js';

export interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Text in a project's archive gets a tenth of its size, pictures hardly smaller: what claims more is made to fill a disk. */
const mostUnpacked = 50;
/** Small archives may unpack to this much in any case. */
const unsuspiciousBytes = 2 ** 28;
/** Bytes that a disk keeps free. */
const spareBytes = 2 ** 28;
/** Of larger files, a part at a time. */
const partBytes = 2 ** 22;

/**
 * Unpack a project that was packed by `packProject` into a new folder, under its own name or, where that is taken, with a number.
 *
 * An archive whose names lead out of its folder, whose files overlap, which unpacks to far more than it is, or that holds no project
 * is refused, and nothing of it stays.
 *
 * @param zip path of the archive
 * @param into folder to unpack it in; made if it is not there
 * @throws QuarterturnError `data` for what is no such archive, `io` if it cannot be read or written
 */
export async function unpackProject(
  zip: string,
  into: string,
  options: UnpackOptions = {},
): Promise<UnpackedProject> {
  const tree = await openZipTree(zip, {
    keepHidden: true,
    ...(options.signal && { signal: options.signal }),
  });
  try {
    const top = await checked(zip, tree);
    await ensureFolder(into);
    await assertRoom(into, tree);
    const temporary = temporaryPath(join(into, safeName(top)));
    try {
      await writeFiles(tree, { top, folder: temporary, ...options });
      await assertOwn(zip, temporary);
      const path = await moveToFree(temporary, into, safeName(top));
      const folder = join(path, projectFolderName);
      const count = tree.entries.filter(({ kind }) => kind === 'file').length;
      return { name: basename(path), path, folder, count };
    } catch (error) {
      await fs.rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await tree.close();
  }
}

/** Name of the one folder of an archive that may be unpacked. */
async function checked(zip: string, tree: FileTree): Promise<string> {
  const [skipped] = tree.skipped;
  if (skipped)
    throw noProject(zip, `one with a ${skipped.reason} (${JSON.stringify(skipped.name.slice(0, 80))})`);
  const tops = new Set(tree.entries.map(({ path }) => path.split('/')[0] ?? ''));
  const [top = ''] = tops;
  const isThere = tree.entries.some(({ path }) => path === `${top}/${projectFolderName}/project.json`);
  if (tops.size !== 1 || !isThere) throw noProject(zip, 'one without a project');
  const { size } = await fs.stat(zip);
  if (unpackedBytes(tree) > Math.max(unsuspiciousBytes, mostUnpacked * size)) {
    throw noProject(zip, 'one that unpacks to far more than anybody packed');
  }
  return top;
}

const unpackedBytes = ({ entries }: FileTree): number =>
  entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function noProject(zip: string, received: string): QuarterturnError {
  return new QuarterturnError('data', `${zip}: expected the archive of a project. Received: ${received}.`, {
    hint: 'The studio makes one (Export), and so does: quarterturn project export',
  });
}

async function assertRoom(into: string, tree: FileTree): Promise<void> {
  const { bavail, bsize } = await fs.statfs(into);
  const needed = unpackedBytes(tree) + spareBytes;
  if (bavail * bsize >= needed) return;
  const [free, wanted] = [bavail * bsize, needed].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`);
  throw new QuarterturnError('io', `${into}: expected ${wanted} of free space. Received: ${free}.`);
}

interface WriteOptions extends UnpackOptions {
  readonly top: string;
  readonly folder: string;
}

async function writeFiles(tree: FileTree, { top, folder, signal, onProgress }: WriteOptions): Promise<void> {
  const files = tree.entries.filter(({ kind }) => kind === 'file');
  const folders = new Set<string>();
  let done = 0;
  for (const { path, sizeBytes } of files) {
    signal?.throwIfAborted();
    const target = join(folder, path.slice(top.length + 1));
    const holder = dirname(target);
    try {
      if (!folders.has(holder)) await fs.mkdir(holder, { recursive: true });
      folders.add(holder);
      // A name that is taken, as by one that differs in capitals alone, is not overwritten.
      const file = await fs.open(target, 'wx');
      try {
        if (sizeBytes <= maxFileBytes) await file.writeFile(await tree.read(path));
        else await copyParts(tree, path, file);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw ioError('write', target, error);
    }
    onProgress?.({ done: ++done, total: files.length });
  }
}

async function copyParts(tree: FileTree, path: string, file: FileHandle): Promise<void> {
  const source = await tree.open(path);
  try {
    for (let at = 0; at < source.sizeBytes; at += partBytes) {
      await file.writeFile(await source.read(at, Math.min(at + partBytes, source.sizeBytes)));
    }
  } finally {
    await source.close();
  }
}

/** It is whole, and its pictures are its own: a project may name any folder of this machine. */
async function assertOwn(zip: string, folder: string): Promise<void> {
  const project = await Project.open(join(folder, projectFolderName), { who: 'studio', make: false });
  await project.close();
  const { data } = project;
  if ('path' in data && data.path !== folder && !data.path.startsWith(folder + sep)) {
    throw noProject(zip, 'one whose pictures lie elsewhere');
  }
}

async function moveToFree(from: string, into: string, name: string): Promise<string> {
  const taken = new Set((await fs.readdir(into)).map((each) => each.toLowerCase()));
  const path = join(into, freeName(name, taken));
  await fs.rename(from, path).catch((error) => {
    throw ioError('write', path, error);
  });
  return path;
}
