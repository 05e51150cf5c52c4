import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as unpackZstd } from 'fzstd';

/** How the pages of a column are packed, as Parquet names it. */
export const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const;
export type Codec = (typeof codecs)[number];

/**
 * Unpack a page, into no more than it claims.
 * @returns undefined if the bytes are damaged, or hold another number of bytes
 */
export function unpackPage(codec: Codec, packed: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  try {
    const page = unpack(codec, packed, sizeBytes);
    return page?.length === sizeBytes ? page : undefined;
  } catch {
    return undefined;
  }
}

function unpack(codec: Codec, packed: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  // zlib takes no limit of 0.
  const maxOutputLength = Math.max(1, sizeBytes);
  switch (codec) {
    case 'UNCOMPRESSED':
      return packed;
    case 'SNAPPY':
      return unpackSnappy(packed, sizeBytes);
    case 'GZIP':
      return plain(gunzipSync(packed, { maxOutputLength }));
    case 'BROTLI':
      return plain(brotliDecompressSync(packed, { maxOutputLength }));
    case 'ZSTD':
      return unpackZstd(packed, new Uint8Array(sizeBytes));
  }
}

/** No Buffer: its slices are not copies. */
function plain({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

/**
 * Snappy's format, without a frame. The one of the Parquet library moves byte by byte, and backwards where a length says so.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function unpackSnappy(packed: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  let at = 0;
  // The length of the whole, which the page's header has too.
  while ((packed[at++] ?? 0) >= 128) if (at > 5) return undefined;
  const result = new Uint8Array(sizeBytes);
  let to = 0;
  while (at < packed.length) {
    const tag = packed[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const length = (extra === 0 ? tag >> 2 : littleEndian(packed, at, extra)) + 1;
      at += extra;
      if (at + length > packed.length || to + length > sizeBytes) return undefined;
      result.set(packed.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const bytes = [0, 1, 2, 4][kind] ?? 0;
    const distance = littleEndian(packed, at, bytes) + (kind === 1 ? (tag >> 5) << 8 : 0);
    at += bytes;
    if (at > packed.length || distance === 0 || distance > to || to + length > sizeBytes) return undefined;
    // A copy may reach into what it writes: `a` and 1 back is `aaaa`.
    if (distance >= length) result.copyWithin(to, to - distance, to - distance + length);
    else for (let i = 0; i < length; i++) result[to + i] = result[to + i - distance] ?? 0;
    to += length;
  }
  return to === sizeBytes ? result : undefined;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
