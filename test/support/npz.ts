import { crc32, deflateRawSync } from 'node:zlib';

/** Bytes of an NPY array, as NumPy writes them. */
export function npy(
  descr: string,
  shape: readonly number[],
  data: ArrayBufferView,
  { fortranOrder = false, version = 1 }: { fortranOrder?: boolean; version?: 1 | 2 | 3 } = {},
): Uint8Array {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const order = fortranOrder ? 'True' : 'False';
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`;
  const prefix = version === 1 ? 10 : 12;
  // The elements begin at a multiple of 64.
  const padded = `${text.padEnd(Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix - 1)}\n`;
  const header = Buffer.alloc(prefix);
  header.write('\x93NUMPY', 'latin1');
  header[6] = version;
  if (version === 1) header.writeUInt16LE(padded.length, 8);
  else header.writeUInt32LE(padded.length, 8);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from(Buffer.concat([header, Buffer.from(padded, 'latin1'), bytes]));
}

export interface ZipOptions {
  readonly deflate?: boolean;
  /** Sizes and checksum behind the data, as written to a pipe. */
  readonly streamed?: boolean;
}

/** Bytes of a ZIP archive. */
export function zip(files: Readonly<Record<string, Uint8Array>>, options: ZipOptions = {}): Uint8Array {
  const { deflate = false, streamed = false } = options;
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const data = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(bytes), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(bytes.length, 8);
    const common = Buffer.alloc(10);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(streamed ? 8 : 0, 2);
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    const nameBytes = Buffer.from(name);
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(nameBytes.length, 0);
    const local = Buffer.concat([
      ...[Buffer.from('PK\x03\x04'), common, streamed ? Buffer.alloc(12) : sizes, lengths, nameBytes, data],
      ...(streamed ? [Buffer.from('PK\x07\x08'), sizes] : []),
    ]);
    const places = Buffer.alloc(14);
    places.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([
        Buffer.from('PK\x01\x02'),
        Buffer.from([20, 0]),
        common,
        sizes,
        lengths,
        places,
        nameBytes,
      ]),
    );
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Uint8Array.from(Buffer.concat([...parts, central, end]));
}

/** Bytes of an NPZ file. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, options: ZipOptions = {}): Uint8Array {
  return zip(
    Object.fromEntries(Object.entries(arrays).map(([key, bytes]) => [`${key}.npy`, bytes])),
    options,
  );
}
