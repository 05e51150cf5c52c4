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
