import { QuarterturnError } from '../errors.js';
import {
  bytesPerElement,
  type DType,
  type Shape,
  sizeOf,
  type Tensor,
  type Tensors,
  tensorNamed,
  zeros,
} from '../tensor/tensor.js';
import { isRecord, parseJson } from './json.js';

/** Content of a safetensors file. */
export interface SafetensorsContent {
  readonly tensors: Tensors;
  readonly metadata: Record<string, string>;
}

/** Our dtypes in the order in which the reference implementation lays tensors out: aligned with no gaps. */
const dtypeOrder = ['int64', 'float32', 'int32', 'uint8', 'bool'] as const satisfies readonly DType[];
const codeOf: Record<DType, string> = {
  int64: 'I64',
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};
const dtypeOf = new Map<unknown, DType>(dtypeOrder.map((dtype) => [codeOf[dtype], dtype]));

const lengthBytes = 8;
const alignment = 8;
/** A tenth of the format's own limit: room for a hundred thousand tensors, and no more than is parsed in a moment. */
const maxHeaderBytes = 10_000_000;
/** The header holds tensors, which hold a shape: what nests deeper is no header. */
const headerDepth = 3;
/** So many axes of so many elements: a product of any of them is still a number. */
const maxRank = 32;
const maxSize = 2 ** 32 - 1;
const metadataKey = '__metadata__';

/** One tensor as the header declares it; offsets count from the end of the header. */
interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/**
 * Encodes a safetensors file: uint64 header length, JSON header, then all data without gaps.
 *
 * Values are little-endian, as the memory of every supported platform is. Tensors are laid out by dtype, then
 * by name, and the header is padded with spaces to a multiple of 8, so equal content gives equal bytes and a
 * reader may map the data in place.
 * @throws QuarterturnError `checkpoint` if a tensor is named `__metadata__` or its data does not fill its shape.
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = layOut(tensors);
  const header = encodeHeader(entries, metadata);
  const dataStart = lengthBytes + header.length;
  const bytes = new Uint8Array(dataStart + (entries.at(-1)?.end ?? 0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, lengthBytes);
  for (const { name, begin } of entries) bytes.set(bytesOf(tensorNamed(tensors, name)), dataStart + begin);
  return bytes;
}

/**
 * Reads a safetensors file without trusting it: every byte must be accounted for.
 * @param name the file, for messages
 * @returns tensors over fresh memory that share nothing with `bytes`
 * @throws QuarterturnError `checkpoint` naming file and tensor: truncated or overlong file, header that is not
 * JSON, duplicate name, unknown dtype, offsets out of range, overlapping or with holes, shape and span that differ, a header that nests or is too large.
 */
export function decodeSafetensors(name: string, bytes: Uint8Array): SafetensorsContent {
  const { metadata, declared, dataStart } = decodeHeader(name, bytes);
  const data = bytes.subarray(dataStart);
  const entries = Object.entries(declared).map(([tensorName, value]) => parseEntry(name, tensorName, value));
  assertTiled(name, entries, data.length);
  const tensors = entries.map((entry) => [entry.name, readTensor(name, entry, data)] as const);
  // fromEntries defines properties, so that even a tensor named __proto__ is only a name.
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * Where the header of a safetensors file ends and its data begins.
 * @param start the file's first bytes, at least 8 of them
 * @throws QuarterturnError `checkpoint` if there are fewer, or a header larger than any that is read
 */
export function safetensorsHeaderEnd(name: string, start: Uint8Array): number {
  if (start.length < lengthBytes) {
    throw fault(name, `a safetensors file, at least ${lengthBytes} bytes`, `${start.length} bytes`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw fault(name, `a header within the ${maxHeaderBytes} bytes that are read`, `header length ${length}`);
  }
  return lengthBytes + Number(length);
}

/**
 * Reads the metadata of a safetensors file, without its tensors.
 * @param start the file's first bytes, up to {@link safetensorsHeaderEnd}
 * @throws QuarterturnError `checkpoint` as {@link decodeSafetensors} does for a header
 */
export function decodeSafetensorsMetadata(name: string, start: Uint8Array): Readonly<Record<string, string>> {
  return decodeHeader(name, start).metadata;
}

function layOut(tensors: Tensors): Entry[] {
  const rank = (t: Tensor): number => dtypeOrder.indexOf(t.dtype);
  const sorted = Object.entries(tensors).sort(
    ([nameA, a], [nameB, b]) => rank(a) - rank(b) || (nameA < nameB ? -1 : 1),
  );
  let offset = 0;
  return sorted.map(([name, { dtype, shape, data }]) => {
    if (name === metadataKey) throw fault('encodeSafetensors', 'another tensor name', `'${metadataKey}'`);
    if (data.length !== sizeOf(shape)) {
      const wanted = `${sizeOf(shape)} elements for shape [${shape.join(', ')}]`;
      throw fault(`encodeSafetensors, tensor '${name}'`, wanted, `${data.length}`);
    }
    const begin = offset;
    offset += data.byteLength;
    return { name, dtype, shape, begin, end: offset };
  });
}

function encodeHeader(entries: readonly Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const declared = entries.map(
    ({ name, dtype, shape, begin, end }) =>
      [name, { dtype: codeOf[dtype], shape, data_offsets: [begin, end] }] as const,
  );
  const head = Object.keys(metadata).length > 0 ? [[metadataKey, metadata] as const] : [];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...head, ...declared])));
  const padded = new Uint8Array(Math.ceil(json.length / alignment) * alignment).fill(0x20);
  padded.set(json);
  if (padded.length > maxHeaderBytes) {
    throw fault('encodeSafetensors', `a header of at most ${maxHeaderBytes} bytes`, `${padded.length}`);
  }
  return padded;
}

interface Header {
  readonly metadata: Record<string, string>;
  /** What is said of each tensor, unchecked. */
  readonly declared: Readonly<Record<string, unknown>>;
  readonly dataStart: number;
}

function decodeHeader(name: string, bytes: Uint8Array): Header {
  const dataStart = safetensorsHeaderEnd(name, bytes);
  if (dataStart > bytes.length) {
    const room = bytes.length - lengthBytes;
    throw fault(name, `a header within the ${room} bytes`, `header length ${dataStart - lengthBytes}`);
  }
  const text = decodeText(name, bytes.subarray(lengthBytes, dataStart));
  if (!text.startsWith('{')) throw fault(name, 'a header that is a JSON object', excerpt(text));
  const header = parseJson(`${name}, header`, text, { code: 'checkpoint', maxDepth: headerDepth });
  if (!isRecord(header)) throw fault(name, 'a header that is a JSON object', excerpt(header));
  const { [metadataKey]: metadata = {}, ...declared } = header;
  if (!isStrings(metadata)) throw fault(`${name}, ${metadataKey}`, 'an object of strings', excerpt(metadata));
  return { metadata, declared, dataStart };
}

function isStrings(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}

function decodeText(name: string, bytes: Uint8Array): string {
  try {
    // A byte order mark is kept, and then refused: the header must begin with a brace.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw fault(name, 'a header of UTF-8', 'other bytes', cause);
  }
}

function parseEntry(file: string, name: string, value: unknown): Entry {
  const where = placeOf(file, name);
  const { dtype: code, shape, data_offsets: span } = isRecord(value) ? value : {};
  const dtype = dtypeOf.get(code);
  if (dtype === undefined) {
    throw fault(where, `dtype ${[...dtypeOf.keys()].join(', ')}`, excerpt(code));
  }
  if (!isSizes(shape, maxSize) || shape.length > maxRank)
    throw fault(where, 'shape: a list of sizes', excerpt(shape));
  if (!isSizes(span, Number.MAX_SAFE_INTEGER) || span.length !== 2 || span[0]! > span[1]!) {
    throw fault(where, 'data_offsets: [begin, end]', excerpt(span));
  }
  const [begin, end] = span as [number, number];
  const needed = sizeOf(shape) * bytesPerElement(dtype);
  if (needed !== end - begin) {
    const wanted = `${needed} bytes for ${codeOf[dtype]} [${shape.join(', ')}]`;
    throw fault(where, wanted, `data_offsets [${begin}, ${end}], ${end - begin} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must cover the data exactly: nothing shared, nothing left over. */
function assertTiled(file: string, entries: readonly Entry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const where = placeOf(file, name);
    if (begin !== covered) {
      const what = begin < covered ? 'an overlap' : 'a hole';
      throw fault(where, `data that begins at byte ${covered}`, `${begin}, ${what}`);
    }
    if (end > dataBytes) {
      throw fault(where, `data within the file's ${dataBytes} data bytes`, `an end at ${end}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) throw fault(file, `${covered} bytes of data`, `${dataBytes}`);
}

function readTensor(file: string, { name, dtype, shape, begin, end }: Entry, data: Uint8Array): Tensor {
  const result = zeros(dtype, shape);
  const bytes = bytesOf(result);
  bytes.set(data.subarray(begin, end));
  if (dtype === 'bool' && bytes.some((byte) => byte > 1)) {
    throw fault(placeOf(file, name), 'BOOL values 0 and 1', 'another byte');
  }
  return result;
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function isSizes(value: unknown, most: number): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0 && n <= most);
}

function placeOf(file: string, tensor: string): string {
  return `${file}, tensor '${tensor.slice(0, shownLength)}'`;
}

const shownLength = 60;

/** A part of the header as a message shows it; {@link headerDepth} keeps it from being deep. */
function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

function fault(where: string, expected: string, received: string, cause?: unknown): QuarterturnError {
  return new QuarterturnError('checkpoint', `${where}: expected ${expected}. Received: ${received}.`, {
    cause,
  });
}
