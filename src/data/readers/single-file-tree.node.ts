import { basename } from 'node:path';
import { type FileTree, maxFileBytes } from './file-tree.js';
import { bytesAt, fileTooLarge, noSuchFile, openPlainFile } from './file-window.node.js';

/**
 * A tree of one file, for readers that take trees.
 * @throws QuarterturnError `data` or `io` if it is no file or cannot be read
 */
export async function openSingleFileTree(path: string): Promise<FileTree> {
  const own = basename(path);
  const open = async (name: string) => {
    if (name !== own) throw noSuchFile(`${path}/${name}`);
    const { handle, sizeBytes, modifiedMs } = await openPlainFile(path, path);
    return { modifiedMs, bytes: bytesAt(handle, { name: path, sizeBytes }, () => handle.close()) };
  };
  const { bytes, modifiedMs } = await open(own);
  const { sizeBytes } = bytes;
  await bytes.close();
  return {
    container: 'file',
    origin: path,
    entries: [{ path: own, kind: 'file', sizeBytes, modifiedMs }],
    skipped: [],
    notes: [],
    read: async (name, { maxBytes = maxFileBytes } = {}) => {
      const { bytes: file } = await open(name);
      try {
        if (file.sizeBytes > maxBytes) throw fileTooLarge(path, file.sizeBytes, maxBytes);
        return await file.read(0, file.sizeBytes);
      } finally {
        await file.close();
      }
    },
    open: async (name) => (await open(name)).bytes,
    close: async () => {},
  };
}
