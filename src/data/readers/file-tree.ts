import type { ByteSource } from './byte-source.js';
import type { SkippedFile } from './found-images.js';

/** A file or folder of a tree. */
export interface TreeEntry {
  /** Within the tree, with `/` between its parts and none at either end. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** 0 of a folder. */
  readonly sizeBytes: number;
  /** When it was last changed, in milliseconds since 1970; 0 where nothing says. */
  readonly modifiedMs: number;
}

export interface ReadOptions {
  /** A larger file is refused before anything of it is read; default {@link maxFileBytes}. */
  readonly maxBytes?: number;
}

/**
 * Files and folders in a folder on disk, a ZIP or a tar archive: listed once, read in any order, any number at a time.
 *
 * Links are followed where they lead to a file or folder of the same tree, and stand for it. Nothing outside can be named.
 */
export interface FileTree {
  readonly container: 'folder' | 'zip' | 'tar' | 'file';
  /** The folder's or archive's own path, for messages. */
  readonly origin: string;
  /** Of an archive: when it was last changed, in milliseconds since 1970. Its files change with it alone. */
  readonly modifiedMs?: number;
  /** In the order of their paths by code units, each path once. */
  readonly entries: readonly TreeEntry[];
  /** Entries that are left out of the tree: hidden and system files, links that lead nowhere, names that leave the tree. */
  readonly skipped: readonly SkippedFile[];
  /** Notes for a person on the container, one sentence each. */
  readonly notes: readonly string[];
  /**
   * All bytes of a file.
   * @throws QuarterturnError `data` or `io` naming the file, where it is too large, damaged or gone
   */
  read(path: string, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * A file to be read piece by piece, as files of arrays are; whoever opens it closes it, before the tree. What lies
   * packed in a ZIP archive is unpacked into memory, at most {@link maxUnpackedBytes}.
   * @throws QuarterturnError as {@link read}
   */
  open(path: string): Promise<ByteSource>;
  close(): Promise<void>;
}

export interface TreeOptions {
  readonly signal?: AbortSignal;
  /** Files and folders; more are refused, so that an archive cannot fill the memory. Default {@link maxEntries}. */
  readonly maxEntries?: number;
  /** Of an archive: take hidden and system files, too. Default: they are nobody's pictures, and left out. */
  readonly keepHidden?: boolean;
}

/** The largest file that is taken for a picture: the largest that is decoded has 268 million pixels. */
export const maxFileBytes = 2 ** 28;

/** About 300 MB of memory: ten times the largest folder that the product is made for. */
export const maxEntries = 1_000_000;

/** The largest file that is unpacked into memory: what one array of bytes can be sure to hold. */
export const maxUnpackedBytes = 2 ** 31 - 1;
