import { decodeName, decodeUtf8 } from './name-bytes.js';

/** Bytes of a header, and of the blocks that data is padded to. */
export const tarBlockBytes = 512;

/** One header of a tar archive: POSIX (ustar), GNU's, or the old kind without either's mark. */
export interface TarHeader {
  readonly name: string;
  /** `0` a file, `1` a hard link, `2` a symbolic link, `3`, `4`, `6` devices and pipes, `5` a folder, letters: extensions. */
  readonly type: string;
  /** Of the data that follows. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Target of a link. */
  readonly target: string;
}

/**
 * Read a header.
 * @param block its 512 bytes
 * @returns `end` for the zeros that end an archive, undefined for what is no header or a damaged one
 */
export function readTarHeader(block: Uint8Array): TarHeader | 'end' | undefined {
  if (block.length < tarBlockBytes) return undefined;
  if (block.every((byte) => byte === 0)) return 'end';
  const checksum = numberAt(block, 148, 8);
  if (checksum === undefined || !checksumsOf(block).includes(checksum)) return undefined;
  const sizeBytes = numberAt(block, 124, 12);
  if (sizeBytes === undefined) return undefined;
  const name = textAt(block, 0, 100);
  // GNU's own headers, marked `ustar  `, have other things where the prefix stands.
  const prefix = textAt(block, 257, 6) === 'ustar' && block[262] === 0 ? textAt(block, 345, 155) : '';
  const mark = block[156] ?? 0;
  // '\0' is the old mark of a file, '7' one that lies in one piece.
  const type = mark === 0 || mark === 0x37 ? '0' : String.fromCharCode(mark);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: type === '0' && name.endsWith('/') ? '5' : type,
    sizeBytes,
    modifiedMs: 1000 * (numberAt(block, 136, 12) ?? 0),
    target: textAt(block, 157, 100),
  };
}

/** Records of a POSIX extension (`21 path=cat/1.png\n`, their length in front); undefined if they are damaged. */
export function readPaxRecords(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  let at = 0;
  // Some writers pad with zeros.
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : String.fromCharCode(...bytes.subarray(at, Math.min(space, at + 12)));
    const end = at + Number(digits);
    if (!/^\d{1,10}$/.test(digits) || end <= space || end > bytes.length || bytes[end - 1] !== 0x0a)
      return undefined;
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) return undefined;
    const key = decodeName(bytes.subarray(space + 1, equals));
    records.set(key, decodeName(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/** Text up to the first zero byte. */
function textAt(block: Uint8Array, from: number, length: number): string {
  return textOf(block.subarray(from, from + length));
}

/** Text up to the first zero byte, as GNU's long names have it too. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Octal digits, or GNU's binary form for what they cannot hold; undefined for anything else. */
function numberAt(block: Uint8Array, from: number, length: number): number | undefined {
  const bytes = block.subarray(from, from + length);
  if (bytes[0] === 0x80) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = (decodeUtf8(bytes) ?? '?').replace(/^[ \0]+|[ \0].*$/gs, '');
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : undefined;
}

/** The sum of all bytes, its own field counted as spaces; old writers took bytes for signed. */
function checksumsOf(block: Uint8Array): readonly number[] {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < tarBlockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return [unsigned, signed];
}
