import { crc32, deflateRawSync } from 'node:zlib';

/** A file of an archive that is made by hand, to lie where an archiver would not. */
export interface TarMember {
  readonly name: string | Uint8Array;
  readonly data?: Uint8Array;
  readonly type?: string;
  readonly link?: string;
  /** What the header claims; default: the data's. */
  readonly sizeBytes?: number;
}

/** Headers and data of a POSIX archive, with its end mark or without. */
export function tarOf(members: readonly TarMember[], { hasEnd = true } = {}): Uint8Array<ArrayBuffer> {
  const end = hasEnd ? [new Uint8Array(1024)] : [];
  return Uint8Array.from(Buffer.concat([...members.flatMap(tarMember), ...end]));
}

function tarMember({
  name,
  data = new Uint8Array(),
  type = '0',
  link = '',
  sizeBytes,
}: TarMember): Uint8Array[] {
  const header = Buffer.alloc(512);
  header.set(Buffer.from(name).subarray(0, 100));
  header.write('0000644\0', 100);
  header.write((sizeBytes ?? data.length).toString(8).padStart(11, '0'), 124);
  header.write('00000001750', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link.slice(0, 100), 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, data, new Uint8Array((512 - (data.length % 512)) % 512)];
}

/** A record of a POSIX extension with its length in front. */
export function paxRecord(key: string, value: string): Uint8Array {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (`${length}`.length + rest !== length) length = `${length}`.length + rest;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

export interface ZipMember {
  readonly name: string | Uint8Array;
  readonly data?: Uint8Array;
  readonly isDeflated?: boolean;
  /** 1 encrypted, 0x800 names in UTF-8. */
  readonly flags?: number;
  readonly method?: number;
  /** Of the Unix file, type and all: `0o120777` is a link. */
  readonly mode?: number;
  /** What the directory claims; default: the truth. */
  readonly sizeBytes?: number;
  readonly checksum?: number;
  /** Where the directory says that it lies; default: where it does. */
  readonly offset?: number;
}

export function zipOf(members: readonly ZipMember[]): Uint8Array<ArrayBuffer> {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const member of members) {
    const { data = new Uint8Array(), isDeflated = false, flags = 0, mode = 0o100644 } = member;
    const name = Buffer.from(member.name);
    const packed = isDeflated ? deflateRawSync(data) : data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(member.method ?? (isDeflated ? 8 : 0), 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(member.checksum ?? crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(member.sizeBytes ?? data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(member.offset ?? at, 10);
    const entry = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed]);
    local.push(entry);
    directory.push(Buffer.from('PK\x01\x02\x14\x03'), common, rest, name);
    at += entry.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Uint8Array.from(Buffer.concat([...local, ...directory, end]));
}
