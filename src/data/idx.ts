import { QuarterturnError } from '../errors.js';

/** An array read from an IDX file, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface ReadIdxOptions {
  /**
   * Items along the first axis to read; default: all. A gzipped file is inflated no further than these, so that damage
   * behind them is not found.
   */
  readonly limit?: number | undefined;
}

/** Element types of the format, by the third byte of the magic number: their names, and bytes of an element. */
const types: Readonly<Record<number, readonly [name: string, bytes: number]>> = {
  8: ['ubyte', 1],
  9: ['byte', 1],
  11: ['short', 2],
  12: ['int', 4],
  13: ['float', 4],
  14: ['double', 8],
};

/** The most that a file may hold when it is unpacked: as much as Node reads of a plain file at once. */
export const maxIdxBytes = 2 ** 31 - 1;

/** Deflate cannot make more of a byte than this (258 bytes from two bits at best): a larger claim is a lie. */
const maxInflation = 1032;

/** A header of the 255 dimensions that its one byte can count. */
export const maxIdxHeaderBytes = 4 + 4 * 255;

/** Whether these bytes begin as a gzip stream does, whatever the file is called. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped (recognised by its first bytes, not by its name; of one member or
 * several).
 *
 * Layout: bytes 0 and 1 are zero, byte 2 is the element type, byte 3 the number of dimensions; then each dimension as
 * big-endian uint32; then the elements, and nothing after them. The header decides how much is inflated: a file that
 * claims more than it can hold, or holds more than it claims, is refused without being unpacked.
 *
 * @param name what to call the file in errors
 * @throws QuarterturnError `data` for another magic number or type, a file shorter or longer than its header says, one
 *   of more than {@link maxIdxBytes}, or a gzip stream that does not inflate
 * @see LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "The IDX file format"
 */
export async function readIdx(
  name: string,
  bytes: Uint8Array,
  { limit = Number.POSITIVE_INFINITY }: ReadIdxOptions = {},
): Promise<IdxArray> {
  const { shape, data } = await readElements(name, bytes, ['ubyte'], limit);
  return { shape, data };
}

/**
 * Read an IDX file of labels: unsigned bytes, or shorts or ints where there are more classes than a byte can count.
 *
 * @returns one whole number for each label, in file order
 * @throws QuarterturnError `data` as {@link readIdx}, and for more dimensions than one
 */
export async function readIdxLabels(name: string, bytes: Uint8Array): Promise<Int32Array> {
  const { shape, data, type } = await readElements(name, bytes, ['ubyte', 'short', 'int']);
  if (shape.length !== 1) {
    throw fault(
      name,
      'expected 1 dimension, that of the labels',
      shape.join(' x '),
      'Is it a file of images?',
    );
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Int32Array.from({ length: shape[0]! }, (_, i) =>
    type === 'ubyte' ? data[i]! : type === 'short' ? view.getInt16(2 * i) : view.getInt32(4 * i),
  );
}

async function readElements(
  name: string,
  bytes: Uint8Array,
  allowed: readonly string[],
  limit = Number.POSITIVE_INFINITY,
): Promise<IdxArray & { readonly type: string }> {
  const packed = isGzip(bytes);
  const begin = packed ? await inflate(name, bytes, maxIdxHeaderBytes) : bytes;
  const { shape, type, elementBytes, headerBytes } = parseIdxHeader(name, begin, allowed);
  const [count, ...rest] = shape as [number, ...number[]];
  const size = elementBytes * elementsOf(shape);
  const room = packed ? bytes.length * maxInflation : bytes.length - headerBytes;
  if (size > room || size > maxIdxBytes) {
    const most = `at most ${Math.min(room, maxIdxBytes)}`;
    throw idxSizeFault(name, shape, size, packed ? most : `${room} (truncated)`);
  }

  const read = Math.min(count, limit);
  const wanted = elementBytes * elementsOf([read, ...rest]);
  // One byte more than there may be: a file that is too long is found without inflating what is too much.
  const surplus = read === count ? 1 : 0;
  const plain = packed ? await inflate(name, bytes, headerBytes + wanted + surplus) : bytes;
  const received = plain.length - headerBytes;
  if (packed ? received < wanted || received > size : received !== size) {
    const length = packed && received > size ? `more than ${size}` : `${received}`;
    throw idxSizeFault(name, shape, size, `${length} (${received < size ? 'truncated' : 'too long'})`);
  }
  // Not `subarray`: of one of Node's buffers that would be another buffer.
  const data = new Uint8Array(plain.buffer, plain.byteOffset + headerBytes, wanted);
  return { shape: [read, ...rest], data, type };
}

/** Header of an IDX file. */
export interface IdxHeader {
  readonly shape: readonly number[];
  readonly type: string;
  readonly elementBytes: number;
  readonly headerBytes: number;
}

/**
 * The header at the beginning of an unpacked IDX file.
 * @param bytes the first {@link maxIdxHeaderBytes} are enough
 * @param allowed names of the types that its elements may have
 * @throws QuarterturnError `data` for another magic number or type, and for a header that is cut off
 */
export function parseIdxHeader(name: string, bytes: Uint8Array, allowed: readonly string[]): IdxHeader {
  if (bytes.length < 4) {
    throw fault(name, 'magic number: expected 4 bytes', `${bytes.length} (truncated)`);
  }
  const [zero0, zero1, code, rank] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  if (zero0 !== 0 || zero1 !== 0) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw fault(name, 'magic number: expected 00 00 08 and a dimension count', magic, suspicion(bytes));
  }
  const [type, elementBytes] = types[code] ?? ['unknown', 0];
  if (!allowed.includes(type)) {
    const codes = Object.entries(types).filter(([, [known]]) => allowed.includes(known));
    const expected = codes.map(([known, [typeName]]) => `${typeName} (${hex(Number(known))})`).join(', ');
    throw fault(
      name,
      `element type: expected ${expected}`,
      `${type} (${hex(code)})`,
      'Convert the elements to uint8.',
    );
  }
  if (rank === 0) throw fault(name, 'dimension count: expected at least 1', '0');
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) {
    throw fault(name, `header: expected ${headerBytes} bytes`, `${bytes.length} (truncated)`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: rank }, (_, axis) => header.getUint32(4 + 4 * axis));
  return { shape, type, elementBytes, headerBytes };
}

/** What a file that is no IDX file may be. */
function suspicion(bytes: Uint8Array): string {
  if (isGzip(bytes)) return 'It was gzipped twice: unpack it once.';
  if (types[bytes[1]!] !== undefined && bytes[2] === 0 && bytes[3] === 0) {
    return 'Its numbers are little-endian: write them with the high byte first.';
  }
  return bytes[0] === 0x3c ? 'It looks like a web page: download the file again.' : 'Is it an IDX file?';
}

/** A product that a 0 decides, whatever else is in it: many sizes of billions make Infinity. */
function elementsOf(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((size, n) => size * n, 1);
}

/** A stream ends in nine zeros at most, those of an empty member; Node says nothing of more, browsers refuse them. */
const zerosBehind = 10;

/**
 * The beginning of what a gzip stream holds, no more than `most` bytes of it; where it holds fewer, its end was checked.
 */
async function inflate(name: string, bytes: Uint8Array, most: number): Promise<Uint8Array> {
  if (bytes.length >= zerosBehind && bytes.subarray(-zerosBehind).every((byte) => byte === 0)) {
    throw fault(name, 'gzip: expected a complete stream', 'one with zeros behind it');
  }
  try {
    const result = new Uint8Array(most);
    const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip'));
    // Not `for await`: not every browser can go through a stream so.
    const reader = stream.getReader();
    let length = 0;
    while (length < most) {
      const { value } = await reader.read();
      if (value === undefined) break;
      const part = value.subarray(0, most - length);
      result.set(part, length);
      length += part.length;
    }
    await reader.cancel();
    return result.subarray(0, length);
  } catch (cause) {
    throw fault(name, 'gzip: expected a complete stream', reasonOf(cause), undefined, cause);
  }
}

/** In our words: those of zlib and of browsers differ, and say little. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'Z_BUF_ERROR') return 'one that is cut off';
  if (cause instanceof RangeError) return 'more than there is memory for';
  return 'one that is damaged, or with other bytes behind it';
}

/** For a file that is shorter or longer than its header says. */
export function idxSizeFault(
  name: string,
  shape: readonly number[],
  size: number,
  received: string,
): QuarterturnError {
  return fault(
    name,
    `elements: expected ${size} bytes for the header's dimensions ${dimensions(shape)}`,
    received,
  );
}

/** As a message shows them: a header may have 255. */
function dimensions(shape: readonly number[]): string {
  const shown = 8;
  return `${shape.slice(0, shown).join(' x ')}${shape.length > shown ? ` x … (${shape.length})` : ''}`;
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

function fault(
  name: string,
  expectation: string,
  received: string,
  hint = 'Copy or download the file again.',
  cause?: unknown,
) {
  return new QuarterturnError('data', `${name}, ${expectation}. Received: ${received}.`, { hint, cause });
}
