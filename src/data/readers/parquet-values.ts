/** What a value of a column is: bytes of images and texts, numbers, true or false. */
export type ParquetValue = Uint8Array | number | boolean;

/** Types of columns that are read. */
export const valueTypes = ['BYTE_ARRAY', 'INT32', 'INT64', 'FLOAT', 'DOUBLE', 'BOOLEAN'] as const;
export type ValueType = (typeof valueTypes)[number];

/**
 * Values one after the other (PLAIN), as many as are asked for.
 * @returns undefined if the bytes do not hold them
 */
export function plainValues(type: ValueType, bytes: Uint8Array, count: number): ParquetValue[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'BYTE_ARRAY') return byteArrays(view, bytes, count);
  if (type === 'BOOLEAN') {
    if (count > 8 * bytes.length) return undefined;
    return Array.from({ length: count }, (_, i) => (((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) === 1);
  }
  const size = type === 'INT32' || type === 'FLOAT' ? 4 : 8;
  if (count * size > bytes.length) return undefined;
  return Array.from({ length: count }, (_, i) => {
    switch (type) {
      case 'INT32':
        return view.getInt32(4 * i, true);
      case 'INT64':
        return Number(view.getBigInt64(8 * i, true));
      case 'FLOAT':
        return view.getFloat32(4 * i, true);
      default:
        return view.getFloat64(8 * i, true);
    }
  });
}

function byteArrays(view: DataView, bytes: Uint8Array, count: number): Uint8Array[] | undefined {
  const values: Uint8Array[] = [];
  let at = 0;
  while (values.length < count) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) return undefined;
    values.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return values;
}

/**
 * Whole numbers below 2^bits as runs and packed groups of eight (RLE / bit-packing hybrid), as many as are asked for: a run
 * that claims more is cut there.
 *
 * @returns undefined if the bytes do not hold them
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */
export function hybridValues(bytes: Uint8Array, bits: number, count: number): Uint32Array | undefined {
  if (bits > 32) return undefined;
  const values = new Uint32Array(count);
  if (bits === 0) return values;
  let [at, seen] = [0, 0];
  while (seen < count) {
    let [header, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 35) return undefined;
      header += (byte & 127) * factor;
      factor *= 128;
      if (byte < 128) break;
    }
    const length = Math.floor(header / 2);
    if (length === 0) return undefined;
    if (header % 2 === 0) {
      const size = Math.ceil(bits / 8);
      if (at + size > bytes.length) return undefined;
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
      at += size;
      values.fill(value, seen, Math.min(count, seen + length));
      seen += length;
      continue;
    }
    for (let i = 0; i < 8 * length && seen < count; i++) {
      let value = 0;
      for (let bit = 0; bit < bits; bit++) {
        const place = i * bits + bit;
        const byte = bytes[at + (place >> 3)];
        if (byte === undefined) return undefined;
        value += ((byte >> (place & 7)) & 1) * 2 ** bit;
      }
      values[seen++] = value;
    }
    at += bits * length;
  }
  return values;
}
