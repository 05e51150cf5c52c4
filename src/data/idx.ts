import { QuarterturnError } from '../errors.js';

/** An array read from an IDX file, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UBYTE = 0x08;

/** Element types of the format, by the third byte of the magic number. */
const typeNames: Readonly<Record<number, string>> = {
  8: 'ubyte',
  9: 'byte',
  11: 'short',
  12: 'int',
  13: 'float',
  14: 'double',
};

/**
 * Read an IDX file of unsigned bytes, plain or gzipped (told by its first bytes, not by its name).
 *
 * Layout: bytes 0 and 1 are zero, byte 2 is the element type, byte 3 the number of dimensions; then
 * each dimension as big-endian uint32; then the elements, and nothing after them.
 *
 * @param name what to call the file in errors
 * @throws QuarterturnError `data` for another magic number or type, a file shorter or longer than its
 *   header says, or a gzip stream that does not inflate
 * @see LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "The IDX file format"
 */
export async function readIdx(name: string, bytes: Uint8Array): Promise<IdxArray> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseIdx(name, isGzip ? await inflate(name, bytes) : bytes);
}

function parseIdx(name: string, bytes: Uint8Array): IdxArray {
  if (bytes.length < 4) {
    throw fault(name, 'magic number: expected 4 bytes', `${bytes.length} (truncated)`);
  }
  const [zero0, zero1, type, rank] = bytes as unknown as [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0) {
    const magic = [zero0, zero1, type, rank].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw fault(name, 'magic number: expected 00 00 08 and a dimension count', magic, 'Is it an IDX file?');
  }
  if (type !== UBYTE) {
    const received = `${typeNames[type] ?? 'unknown'} (0x${type.toString(16).padStart(2, '0')})`;
    throw fault(name, 'element type: expected ubyte (0x08)', received, 'Convert the elements to uint8.');
  }
  if (rank === 0) throw fault(name, 'dimension count: expected at least 1', '0');

  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) {
    throw fault(name, `header: expected ${headerBytes} bytes`, `${bytes.length} (truncated)`);
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: rank }, (_, axis) => header.getUint32(4 + 4 * axis));
  const expected = shape.reduce((size, n) => size * n, 1);
  const received = bytes.length - headerBytes;
  if (received !== expected) {
    throw fault(
      name,
      `elements: expected ${expected} bytes for the header's dimensions ${shape.join(' x ')}`,
      `${received} (${received < expected ? 'truncated' : 'too long'})`,
    );
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + headerBytes, expected) };
}

async function inflate(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    const plain = packed.pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fault(name, 'gzip: expected a complete stream', reason, undefined, cause);
  }
}

function fault(
  name: string,
  expectation: string,
  received: string,
  hint = 'Copy or download the file again.',
  cause?: unknown,
) {
  return new QuarterturnError('data', `${name}, ${expectation}. Received: ${received}.`, { hint, cause });
}
