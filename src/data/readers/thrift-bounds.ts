/** How deep Parquet's structures nest is 6; lists within lists without end would overflow the stack. */
const deepest = 24;

/** Wire types of Thrift's compact protocol. */
const [stop, yes, no, byte, i16, i32, i64, double, binary, list, struct] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12];

/** Why bytes are no structure: they end before it does, or say what cannot be. */
export type ThriftFault = 'cut off' | 'damaged';

/**
 * Where a Thrift structure ends that begins at a place, by its lengths alone, before anything is made of it: no list or
 * text may be longer than the bytes that there are, and none nests deeper than any of Parquet's does. Its reader trusts it.
 *
 * @returns the place behind it, or why there is none
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export function endOfThrift(bytes: Uint8Array, start: number): number | ThriftFault {
  const walk = new Walk(bytes, start);
  try {
    walk.struct(0);
    return walk.at;
  } catch (fault) {
    if (fault instanceof Fault) return fault.what;
    throw fault;
  }
}

class Fault extends Error {
  constructor(readonly what: ThriftFault) {
    super(what);
  }
}

class Walk {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  struct(depth: number): void {
    if (depth > deepest) throw new Fault('damaged');
    for (;;) {
      const field = this.#byte();
      const type = field & 15;
      if (type === stop) return;
      if (field >> 4 === 0) this.#varint();
      this.#value(type, depth);
    }
  }

  #value(type: number, depth: number): void {
    switch (type) {
      case yes:
      case no:
        return;
      case byte:
        this.#skip(1);
        return;
      case i16:
      case i32:
      case i64:
        this.#varint();
        return;
      case double:
        this.#skip(8);
        return;
      case binary:
        this.#skip(this.#varint());
        return;
      case list:
        this.#list(depth);
        return;
      case struct:
        this.struct(depth + 1);
        return;
      default:
        throw new Fault('damaged');
    }
  }

  #list(depth: number): void {
    const head = this.#byte();
    const type = head & 15;
    const size = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Each item takes a byte at least.
    if (size > this.bytes.length - this.at) throw new Fault('cut off');
    if (depth > deepest) throw new Fault('damaged');
    for (let i = 0; i < size; i++) {
      if (type === yes || type === no) this.#skip(1);
      else this.#value(type, depth + 1);
    }
  }

  /** Numbers of 64 bits have ten bytes at most. */
  #varint(): number {
    let [value, factor] = [0, 1];
    for (let i = 0; i < 10; i++) {
      const next = this.#byte();
      value += (next & 127) * factor;
      factor *= 128;
      if (next < 128) return value;
    }
    throw new Fault('damaged');
  }

  #byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Fault('cut off');
    return value;
  }

  #skip(length: number): void {
    if (length > this.bytes.length - this.at) throw new Fault('cut off');
    this.at += length;
  }
}
