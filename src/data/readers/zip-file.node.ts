import { Readable } from 'node:stream';
import yauzl, { type ZipFile } from 'yauzl';

/** Where a ZIP archive's directory is read from. */
export interface ZipBytes {
  readonly sizeBytes: number;
  /** Some bytes from a place on, the archive's own as they are; fewer only where it ends. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/**
 * Open a ZIP archive for its directory. Its entries come with their names as bytes, so that a single bad one does not cost the
 * archive, and with sizes that nobody has checked; their contents are read past the library.
 *
 * @throws the library's own errors: what they mean to a person, whoever opens it knows
 */
export async function openZipFile(bytes: ZipBytes): Promise<ZipFile> {
  return yauzl.fromRandomAccessReaderPromise(new DirectoryReader(bytes), bytes.sizeBytes, {
    autoClose: false,
    decodeStrings: false,
    validateEntrySizes: false,
  });
}

class DirectoryReader extends yauzl.RandomAccessReader {
  readonly #bytes: ZipBytes;

  constructor(bytes: ZipBytes) {
    super();
    this.#bytes = bytes;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    // A damaged directory names any place.
    if (position < 0 || position + length > this.#bytes.sizeBytes) {
      setImmediate(callback, new Error('unexpected EOF'));
      return;
    }
    this.#bytes.read(position, length).then((bytes) => {
      buffer.set(bytes, offset);
      callback(bytes.length === length ? null : new Error('unexpected EOF'));
    }, callback);
  }

  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }

  override close(callback: (error: Error | null) => void): void {
    setImmediate(callback, null);
  }
}
