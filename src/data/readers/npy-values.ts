import type { NpyHeader } from './npy-header.js';

/**
 * The numbers that bytes of an array stand for, in their order; booleans are 0 and 1.
 *
 * Whole numbers of eight bytes are rounded to float64 beyond 2^53.
 */
export function numbersOf(header: Omit<NpyHeader, 'shape'>, bytes: Uint8Array): ArrayLike<number> {
  const { kind, itemBytes, littleEndian } = header;
  if (itemBytes === 1) {
    if (kind === 'bool') return bytes.map((byte) => (byte === 0 ? 0 : 1));
    return kind === 'int' ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
  }
  // A copy: bytes of a file begin anywhere, typed arrays at multiples of their size.
  const { buffer } = littleEndian ? bytes.slice() : swapped(bytes, itemBytes);
  switch (`${kind}${itemBytes}`) {
    case 'uint2':
      return new Uint16Array(buffer);
    case 'uint4':
      return new Uint32Array(buffer);
    case 'uint8':
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case 'int2':
      return new Int16Array(buffer);
    case 'int4':
      return new Int32Array(buffer);
    case 'int8':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case 'float2':
      return Float32Array.from(new Uint16Array(buffer), halfFloat);
    case 'float4':
      return new Float32Array(buffer);
    default:
      return new Float64Array(buffer);
  }
}

/** The texts that bytes of an array stand for; zeros behind them are padding. */
export function textsOf(
  { kind, itemBytes, littleEndian }: NpyHeader,
  bytes: Uint8Array,
  count: number,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => {
    const start = i * itemBytes;
    if (kind === 'bytes') {
      return new TextDecoder().decode(bytes.subarray(start, start + itemBytes)).replace(/\0+$/, '');
    }
    let text = '';
    for (let at = start; at < start + itemBytes; at += 4) {
      const code = view.getUint32(at, littleEndian);
      text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
    }
    return text.replace(/\0+$/, '');
  });
}

function swapped(bytes: Uint8Array, itemBytes: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += itemBytes) {
    for (let j = 0; j < itemBytes; j++) result[i + j] = bytes[i + itemBytes - 1 - j] ?? 0;
  }
  return result;
}

/** IEEE 754 binary16: one bit of sign, five of exponent, ten of fraction. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
