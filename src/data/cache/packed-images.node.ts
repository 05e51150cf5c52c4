import { type FileHandle, open } from 'node:fs/promises';
import { QuarterturnError } from '../../errors.js';
import { sizeOf, tensor } from '../../tensor/tensor.js';
import { checkedIndex, type ImageSize, type ImageSource, imagesInMemory } from '../image-source.js';

/** Images that lie one behind the other in a file: all that another thread needs to open them too. */
export interface PackedFile extends ImageSize {
  /** uint8 [count, height, width, channels], row-major, and nothing else. */
  readonly path: string;
  readonly count: number;
}

export interface OpenPackedOptions {
  /** What to call it in messages; default: its path. */
  readonly name?: string | undefined;
  /** Files up to here are read whole; default: 256 MiB, 80,000 colour images of 32×32. */
  readonly maxBytesInMemory?: number | undefined;
}

/** A source whose images lie in a file; to be closed. */
export interface PackedImages extends ImageSource, AsyncDisposable {
  readonly file: PackedFile;
  close(): Promise<void>;
}

const defaultBytesInMemory = 2 ** 28;

/** Rows that are asked for and lie apart by no more are read in one go: that costs less than asking twice. */
const maxGapBytes = 2 ** 16;
/** Bytes of one read at most, of which some are in memory at once. */
const maxReadBytes = 2 ** 22;
/** Reads at once: as many as Node has threads for files, and some that wait. */
const readsAtOnce = 8;

/**
 * Open images that lie in a file, row by row. Small files are held in memory; of larger ones each batch is read when it is
 * asked for, neighbours in one go. Another thread that shares them opens the file for itself.
 *
 * @throws QuarterturnError `io` if the file cannot be read; `data` if it has another size than its images need
 */
export async function openPackedImages(
  file: PackedFile,
  options: OpenPackedOptions = {},
): Promise<PackedImages> {
  const { path, count, height, width, channels } = file;
  const { name = path, maxBytesInMemory = defaultBytesInMemory } = options;
  const rowBytes = height * width * channels;
  const handle = await open(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    const { size } = await handle.stat();
    if (size !== count * rowBytes) {
      throw new QuarterturnError(
        'data',
        `${path}: expected ${count * rowBytes} bytes, ${count} images of ${height}×${width}×${channels}. Received: ${size} bytes.`,
        { hint: 'Delete the folder that it lies in: it is made again from the pictures.' },
      );
    }
    if (size <= maxBytesInMemory) {
      const pixels = new Uint8Array(size);
      for (let at = 0; at < size; at += maxReadBytes) {
        await readWhole(handle, path, pixels.subarray(at, at + maxReadBytes), at);
      }
      await handle.close();
      const source = imagesInMemory({ name, pixels, height, width, channels });
      return { ...source, file, close: nothingToClose, [Symbol.asyncDispose]: nothingToClose };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  const close = once(() => handle.close());
  return {
    name,
    count,
    height,
    width,
    channels,
    file,
    async read(indices) {
      const shape = [indices.length, height, width, channels];
      const data = new Uint8Array(sizeOf(shape));
      const wanted = Array.from(indices, (index, to) => ({ row: checkedIndex({ name, count }, index), to }));
      const reads = neighbours(wanted, rowBytes);
      const work = async (): Promise<void> => {
        for (let rows = reads.pop(); rows !== undefined; rows = reads.pop()) {
          await readRows(handle, path, rows, rowBytes, data);
        }
      };
      await Promise.all(Array.from({ length: readsAtOnce }, work));
      return tensor('uint8', shape, data);
    },
    share: () => ({ kind: 'packed', name, path, count, height, width, channels }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function nothingToClose(): Promise<void> {}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** A row of the file, and which row of the answer it becomes. */
interface WantedRow {
  readonly row: number;
  readonly to: number;
}

/** Rows in the order of the file, cut where a gap is too wide or a read too long. */
function neighbours(wanted: readonly WantedRow[], rowBytes: number): WantedRow[][] {
  const groups: WantedRow[][] = [];
  let group: WantedRow[] = [];
  for (const each of [...wanted].sort((a, b) => a.row - b.row)) {
    const [first, last] = [group[0], group.at(-1)];
    const joins =
      first !== undefined &&
      last !== undefined &&
      (each.row - last.row - 1) * rowBytes <= maxGapBytes &&
      (each.row - first.row + 1) * rowBytes <= maxReadBytes;
    if (!joins) {
      group = [];
      groups.push(group);
    }
    group.push(each);
  }
  return groups;
}

async function readRows(
  handle: FileHandle,
  path: string,
  rows: readonly WantedRow[],
  rowBytes: number,
  data: Uint8Array,
): Promise<void> {
  const first = rows[0]?.row ?? 0;
  const last = rows.at(-1)?.row ?? 0;
  const bytes = new Uint8Array((last - first + 1) * rowBytes);
  await readWhole(handle, path, bytes, first * rowBytes);
  for (const { row, to } of rows) {
    const from = (row - first) * rowBytes;
    data.set(bytes.subarray(from, from + rowBytes), to * rowBytes);
  }
}

/** Fill an array from a place in the file on. */
async function readWhole(handle: FileHandle, path: string, into: Uint8Array, from: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, into.length - at, from + at).catch((cause) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw unreadable(path, { code: 'a file that became shorter' });
    at += bytesRead;
  }
}

function unreadable(path: string, cause: { readonly code?: unknown }): QuarterturnError {
  return new QuarterturnError('io', `${path}: expected packed images. Received: ${String(cause.code)}.`, {
    hint: 'It was deleted or changed while it was in use: start again.',
    cause,
  });
}
