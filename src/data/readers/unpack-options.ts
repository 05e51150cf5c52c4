/** How a gzip file is unpacked to be read at any place; apart, so that a browser's types need none of Node's. */
export interface UnpackOptions {
  /** Where it is unpacked to; default: the system's folder for temporary files. */
  readonly scratchFolder?: string;
  /** More is refused while it is unpacked; default 64 GiB. Nine tenths of the free space are the limit in any case. */
  readonly maxUnpackedBytes?: number;
  readonly signal?: AbortSignal;
}
