/** Bytes that are read in place, in any order: of a file, of an entry of an archive, in memory. */
export interface ByteSource {
  /** What to call it in messages: the path, as people wrote it. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * The bytes from `start` up to `end`, all of them; several calls may run at once.
   * @throws QuarterturnError `io` or `data` if they cannot be read
   */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Bytes that lie in memory; they are not copied until they are read. */
export function bytesInMemory(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    read: async (start, end) => Uint8Array.from(bytes.subarray(start, end)),
    close: async () => {},
  };
}

/** A part of other bytes, which is theirs to close. */
export function partOf(source: ByteSource, name: string, start: number, end: number): ByteSource {
  return {
    name,
    sizeBytes: end - start,
    read: (from, to) => source.read(start + from, start + to),
    close: async () => {},
  };
}

/** Few calls for many small rows, and no memory to speak of. */
const blockBytes = 2 ** 18;
/** Rows that lie one behind the other are asked for at once: the blocks of those of a batch. */
const keptBlocks = 8;

/**
 * The same bytes, read in blocks of 256 KiB of which the last eight are kept: for rows of an array, which are small and
 * are asked for one after the other. Closing it closes them.
 */
export function inBlocks(source: ByteSource): ByteSource {
  const blocks = new Map<number, Promise<Uint8Array>>();
  const blockAt = (n: number): Promise<Uint8Array> => {
    const kept = blocks.get(n);
    if (kept !== undefined) return kept;
    const read = source.read(n * blockBytes, Math.min((n + 1) * blockBytes, source.sizeBytes));
    blocks.set(n, read);
    read.catch(() => blocks.delete(n));
    const [oldest] = blocks.keys();
    if (blocks.size > keptBlocks && oldest !== undefined) blocks.delete(oldest);
    return read;
  };
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    close: () => source.close(),
    async read(start, end) {
      // What is large, or is not there, is its own business.
      if (end - start > blockBytes || end > source.sizeBytes) return source.read(start, end);
      const bytes = new Uint8Array(end - start);
      for (let at = start; at < end; ) {
        const n = Math.floor(at / blockBytes);
        const block = await blockAt(n);
        const part = block.subarray(at - n * blockBytes, end - n * blockBytes);
        bytes.set(part, at - start);
        at += part.length;
      }
      return bytes;
    },
  };
}
