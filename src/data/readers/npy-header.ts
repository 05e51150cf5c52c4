import { QuarterturnError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';

/** Element type of an array. */
export type NpyKind = 'bool' | 'uint' | 'int' | 'float' | 'unicode' | 'bytes';

/** Header of an NPY file. */
export interface NpyHeader {
  readonly kind: NpyKind;
  /** Of one element: 1, 2, 4 or 8 of numbers, four for each character of unicode texts. */
  readonly itemBytes: number;
  readonly littleEndian: boolean;
  /** Whether the first axis varies fastest, not the last one. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataStart: number;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy writes less than 10,000 bytes for any array of numbers or texts. */
const maxHeaderBytes = 65_536;
/** NumPy's own limit. */
const maxDimensions = 64;
/** Of {@link maxDimensions} numbers. */
const maxShapeChars = 2048;

/** Letters of NumPy's types, and the sizes that are read. */
const kinds: Readonly<Record<string, readonly [kind: NpyKind, sizes: readonly number[]]>> = {
  b: ['bool', [1]],
  u: ['uint', [1, 2, 4, 8]],
  i: ['int', [1, 2, 4, 8]],
  f: ['float', [2, 4, 8]],
};

/**
 * Read the header of an NPY array (format versions 1 to 3) and check that the file holds what it claims, no more and no
 * less.
 *
 * Layout: `\x93NUMPY`, two bytes of version, the length of the header (uint16, from version 2 on uint32, little-endian), the
 * header, which is a Python dictionary of `descr`, `fortran_order` and `shape`, then the elements. It is parsed, never run.
 *
 * @throws QuarterturnError `data` for another file, a damaged header, elements that are no numbers, booleans or texts
 *   (pickled objects above all), and a size that does not fit
 * @see NumPy, "numpy.lib.format", https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const { name, sizeBytes } = source;
  const start = await source.read(0, Math.min(12, sizeBytes));
  if (magic.some((byte, i) => start[i] !== byte)) {
    throw wrong(name, 'expected an NPY array', 'another file', 'Write it with numpy.save or numpy.savez.');
  }
  const version = start[6] ?? 0;
  if (version < 1 || version > 3) throw wrong(name, 'expected NPY version 1, 2 or 3', String(version));
  const prefix = version === 1 ? 10 : 12;
  if (start.length < prefix) throw wrong(name, 'expected a whole header', 'a file that is cut off');
  const view = new DataView(start.buffer);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeaderBytes) {
    throw wrong(name, `expected a header of at most ${maxHeaderBytes} bytes`, String(length));
  }
  const dataStart = prefix + length;
  if (dataStart > sizeBytes) throw wrong(name, 'expected a whole header', 'a file that is cut off');
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    await source.read(prefix, dataStart),
  );
  const header = { ...parseHeader(name, text), dataStart };
  assertSize(source, header);
  return header;
}

function assertSize({ name, sizeBytes }: ByteSource, { shape, itemBytes, dataStart }: NpyHeader): void {
  const wanted = elementsOf(shape) * itemBytes;
  const received = sizeBytes - dataStart;
  if (wanted === received) return;
  throw wrong(
    name,
    `expected ${wanted} bytes for ${shape.join(' x ')} elements`,
    `${received} (${received < wanted ? 'truncated' : 'too long'})`,
    'Copy or download the file again.',
  );
}

/** A 0 decides whatever else stands there. */
export function elementsOf(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, 1);
}

/** The dictionary, entry by entry: texts, True or False, and tuples of whole numbers are all that may stand there. */
const entry =
  /\s*(['"])(?<key>\w+)\1\s*:\s*(?<value>'[^'\\]*'|"[^"\\]*"|True|False|\([^()]*\)|\[[^\]]*\]?)\s*(?:,|(?=\}))/y;

function parseHeader(name: string, text: string): Omit<NpyHeader, 'dataStart'> {
  const body = text.trimEnd();
  const entries = new Map<string, string>();
  entry.lastIndex = body[0] === '{' ? 1 : body.length;
  for (let match = entry.exec(body); match; match = entry.exec(body)) {
    const { key = '', value = '' } = match.groups ?? {};
    entries.set(key, value);
    if (/^\s*\}$/.test(body.slice(match.index + match[0].length))) break;
  }
  const descr = entries.get('descr');
  const order = entries.get('fortran_order');
  const shape = shapeOf(entries.get('shape'));
  if (descr?.startsWith('[')) {
    throw wrong(
      name,
      'expected an array of numbers',
      'a table of records',
      'Write its columns as arrays of their own.',
    );
  }
  if (descr === undefined || shape === undefined || (order !== 'True' && order !== 'False')) {
    throw wrong(
      name,
      'expected a header with descr, fortran_order and shape',
      JSON.stringify(body.slice(0, 80)),
    );
  }
  return { ...typeOf(name, descr.slice(1, -1)), fortranOrder: order === 'True', shape };
}

/** `(4, 3, 5)`, `(4,)`, `()`; Python 2 wrote `(4L,)`. */
function shapeOf(text = ''): number[] | undefined {
  if (text.length > maxShapeChars || !/^\(\s*(\d+L?\s*(,\s*\d+L?\s*)*,?)?\s*\)$/.test(text)) return undefined;
  const shape = Array.from(text.matchAll(/\d+/g), ([digits]) => Number(digits));
  const isPossible = shape.length <= maxDimensions && Number.isSafeInteger(elementsOf(shape) * 8);
  return isPossible && shape.every(Number.isSafeInteger) ? shape : undefined;
}

function typeOf(name: string, descr: string): Pick<NpyHeader, 'kind' | 'itemBytes' | 'littleEndian'> {
  const [, order = '|', letter = '', digits = ''] = /^([<>|=]?)([a-zA-Z])(\d*)/.exec(descr) ?? [];
  const size = Number(digits);
  const littleEndian = order !== '>';
  const known = kinds[letter];
  if (known?.[1].includes(size)) return { kind: known[0], itemBytes: size, littleEndian };
  if (letter === 'U' && size < 2 ** 20) return { kind: 'unicode', itemBytes: 4 * size, littleEndian };
  if (letter === 'S' && size < 2 ** 20) return { kind: 'bytes', itemBytes: size, littleEndian };
  if (letter === 'O') {
    throw wrong(
      name,
      'expected numbers, booleans or texts',
      'pickled Python objects, which are programs and are not run',
      'Write texts as `labels.astype(str)`, images of one size as `numpy.stack(images)`.',
    );
  }
  throw wrong(
    name,
    'expected numbers, booleans or texts',
    JSON.stringify(descr.slice(0, 20)),
    'Convert the array with `.astype("uint8")` for images, `.astype(str)` for labels.',
  );
}

function wrong(name: string, expected: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError('data', `${name}: ${expected}. Received: ${received}.`, { hint });
}
