import { stat } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import { peekGzip } from '../gunzip.node.js';
import { assignRoles } from '../idx-names.js';
import { contentOf } from '../image-content.js';
import type { FileTree } from './file-tree.js';
import { fileError, openPlainFile, readAt } from './file-window.node.js';
import { openFolderTree } from './folder-tree.node.js';
import { otherKindOf } from './foreign-names.js';
import type { FoundImages } from './found-images.js';
import { type ImageTreeOptions, readImageTree } from './image-tree.js';
import { openSingleFileTree } from './single-file-tree.node.js';
import { readTarHeader, tarBlockBytes } from './tar-header.js';
import { openTarTree, type TarOptions } from './tar-tree.node.js';
import { folderOf } from './tree-path.js';
import { openZipTree } from './zip-tree.node.js';

/** Files that hold many images each, by what `--format` calls them. */
export type ArrayFormat = 'idx' | 'numpy' | 'parquet';

/** What a source is taken for: pictures in files of their own, or arrays of them. */
export type SourceFormat = 'folder' | ArrayFormat;

/**
 * Reads files of arrays out of a tree, whose `open` gives their bytes; what it returns closes the tree with itself.
 * @param paths of the files that look like its own
 */
export type ArrayReader = (tree: FileTree, paths: readonly string[]) => Promise<FoundImages>;

export interface OpenFoundOptions extends ImageTreeOptions, TarOptions {
  /** What it is to be taken for; default: what lies in it decides. */
  readonly format?: SourceFormat;
  /** Readers of formats other than folders of images. */
  readonly readers?: Readonly<Partial<Record<ArrayFormat, ArrayReader>>>;
}

/**
 * Find the images of whatever somebody names: a folder, a ZIP or tar archive, a file of arrays, a single picture.
 *
 * What it is decides its content, not its ending. IDX files are known by their names. Pictures come before other arrays:
 * a folder of images may hold an NPZ file that something else made. The first note says what it was taken for.
 *
 * @throws QuarterturnError `data` for what is not there, holds no images, or is of a kind that is not read; `io` for what
 *   cannot be read; `usage` for a format that has no reader
 */
export async function openFound(path: string, options: OpenFoundOptions = {}): Promise<FoundImages> {
  const tree = await openTree(path, options);
  try {
    const format = options.format ?? (await formatOf(tree));
    if (format === 'folder') return readImageTree(tree, options);
    const reader = options.readers?.[format];
    if (reader) return await reader(tree, arrayPaths(tree, format));
    throw new QuarterturnError(
      'usage',
      `${path}: expected images in files of their own. Received: ${format} files.`,
      {
        hint: 'No reader was given for them.',
      },
    );
  } catch (error) {
    await tree.close();
    throw error;
  }
}

/** Archives and the like that people name and that are not read. */
const otherArchives: readonly (readonly [string, string])[] = [
  ['Rar!', 'a RAR archive'],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  ['\xfd7zXZ\0', 'a file packed by xz'],
  ['BZh', 'a file packed by bzip2'],
  ['\x28\xb5\x2f\xfd', 'a file packed by Zstandard'],
];

/**
 * A folder, an archive, or a tree of one file, told by content.
 * @throws QuarterturnError `data` for what is not there, or an archive that is not read; `io` for what cannot be read
 */
export async function openTree(path: string, options: TarOptions = {}): Promise<FileTree> {
  const stats = await stat(path).catch((error: unknown) => {
    throw fileError(path, 'a folder, an archive or a file with images', error);
  });
  if (stats.isDirectory()) return openFolderTree(path, options);
  const start = await startOfFile(path);
  const text = Buffer.from(start).toString('latin1');
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return openZipOrArrays(path, options);
  const isPacked = contentOf(start).kind === 'gzip';
  const header = readTarHeader((isPacked ? peekGzip(start) : start).subarray(0, tarBlockBytes));
  if (header !== undefined && header !== 'end') return openTarTree(path, options);
  const [, other] = otherArchives.find(([magic]) => text.startsWith(magic)) ?? [];
  if (other === undefined) return openSingleFileTree(path);
  throw new QuarterturnError(
    'data',
    `${path}: expected a folder, or a ZIP or tar archive. Received: ${other}.`,
    {
      hint: 'Unpack it and name the folder.',
    },
  );
}

/** Enough to tell what it is, packed or not. */
const startBytes = 1024;

async function startOfFile(path: string): Promise<Uint8Array> {
  const { handle } = await openPlainFile(path, path);
  try {
    return await readAt(handle, 0, startBytes);
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  } finally {
    await handle.close();
  }
}

/** An NPZ file is a ZIP archive of NPY files: it is one source of arrays, not a folder. */
async function openZipOrArrays(path: string, options: TarOptions): Promise<FileTree> {
  if (/\.npz$/i.test(path)) return openSingleFileTree(path);
  const tree = await openZipTree(path, options);
  const files = tree.entries.filter(({ kind }) => kind === 'file');
  if (files.length === 0 || !files.every((file) => file.path.endsWith('.npy'))) return tree;
  await tree.close();
  return openSingleFileTree(path);
}

const arrayEndings: Readonly<Record<Exclude<ArrayFormat, 'idx'>, RegExp>> = {
  numpy: /\.np[yz]$/i,
  parquet: /\.parquet$/i,
};

async function formatOf(tree: FileTree): Promise<SourceFormat> {
  if (tree.container === 'file') return formatOfStart(await startOfFile(tree.origin));
  if (arrayPaths(tree, 'idx').length > 0) return 'idx';
  const files = tree.entries.filter(({ kind }) => kind === 'file');
  if (files.some(({ path }) => otherKindOf(path.slice(path.lastIndexOf('/') + 1)) === undefined))
    return 'folder';
  const formats = ['parquet', 'numpy'] as const;
  return formats.find((format) => arrayPaths(tree, format).length > 0) ?? 'folder';
}

/** Of a single file, by its first bytes. */
function formatOfStart(start: Uint8Array): SourceFormat {
  const content = contentOf(start);
  if ((content.kind === 'gzip' ? contentOf(peekGzip(start)) : content).kind === 'idx') return 'idx';
  const text = Buffer.from(start.subarray(0, 6)).toString('latin1');
  if (text.startsWith('PAR1')) return 'parquet';
  return text.startsWith('PK') || text === '\x93NUMPY' ? 'numpy' : 'folder';
}

/**
 * Files of a tree that look like a format's own, by their names; of a tree of one file that file.
 * @throws QuarterturnError `data` if IDX files of several data sets lie in it
 */
function arrayPaths(tree: FileTree, format: ArrayFormat): readonly string[] {
  const files = tree.entries.flatMap(({ kind, path }) => (kind === 'file' ? [path] : []));
  if (tree.container === 'file') return files;
  if (format !== 'idx') return files.filter((path) => arrayEndings[format].test(path));
  const found = Object.values(assignRoles(tree.origin, files));
  const [folder, another] = new Set(found.map(idxFolderOf));
  if (folder === undefined || another === undefined) return found;
  throw new QuarterturnError(
    'data',
    `${tree.origin}: expected the IDX files of one data set. Received: some in ${folder || 'it'} and some in ${another || 'it'}.`,
    { hint: 'Name the folder of one of them.' },
  );
}

/** The folder of an IDX file, or the one around it where it lies in a folder of its own name, as some tools unpack it. */
function idxFolderOf(path: string): string {
  const folder = folderOf(path);
  return folder === path.slice(folder.length + 1) || folder.endsWith(path.slice(folder.length))
    ? folderOf(folder)
    : folder;
}
