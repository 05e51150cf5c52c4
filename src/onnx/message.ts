import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { QuarterturnError } from '../errors.js';

const wireTypeNames: Readonly<Record<number, string>> = {
  [WireType.Varint]: 'varint',
  [WireType.Bit64]: 'fixed64',
  [WireType.LengthDelimited]: 'length-delimited',
  [WireType.StartGroup]: 'group',
  [WireType.Bit32]: 'fixed32',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Nothing that fails in a stranger's bytes can be repaired here. */
const damaged = 'Is it an ONNX file? Copy or download it again.';

/**
 * One protobuf message that is not trusted.
 *
 * Every question walks the bytes once and skips the fields that were not asked for, so nothing is stored, and
 * what a length claims is never allocated. Each field is named in full in errors: `model.onnx, graph.node[3].name`.
 *
 * All questions throw QuarterturnError `data` where the message is cut off or a field is of another wire type.
 */
export class Message {
  readonly #file: string;
  readonly #path: string;
  readonly #bytes: Uint8Array;

  constructor(file: string, bytes: Uint8Array, path = '') {
    this.#file = file;
    this.#path = path;
    this.#bytes = bytes;
  }

  /** The message as it stands in the file. */
  get content(): Uint8Array {
    return this.#bytes;
  }

  /** The error for one field of this message. */
  fault(name: string, expected: string, received: string, hint = damaged, cause?: unknown): QuarterturnError {
    const where = `${this.#file}, ${this.#pathOf(name)}`;
    return new QuarterturnError('data', `${where}: expected ${expected}. Received: ${received}.`, {
      hint,
      cause,
    });
  }

  /** The bytes of a field; of its last occurrence where there are several, as protobuf has it. */
  bytes(field: number, name: string): Uint8Array | undefined {
    return [...this.#occurrences(field, name, [WireType.LengthDelimited])].at(-1);
  }

  /** A string, `''` where it is absent. */
  text(field: number, name: string): string {
    return this.texts(field, name).at(-1) ?? '';
  }

  texts(field: number, name: string): string[] {
    return Array.from(this.#occurrences(field, name, [WireType.LengthDelimited]), (bytes) =>
      this.#reading(name, 'UTF-8 text', () => utf8.decode(bytes)),
    );
  }

  message(field: number, name: string): Message | undefined {
    const bytes = this.bytes(field, name);
    return bytes && new Message(this.#file, bytes, this.#pathOf(name));
  }

  messages(field: number, name: string): Message[] {
    return Array.from(
      this.#occurrences(field, name, [WireType.LengthDelimited]),
      (bytes, i) => new Message(this.#file, bytes, this.#pathOf(`${name}[${i}]`)),
    );
  }

  /** An integer that a number holds exactly; undefined if it is absent. */
  integer(field: number, name: string): number | undefined {
    return this.integers(field, name).at(-1);
  }

  integers(field: number, name: string): number[] {
    return this.int64s(field, name).map((value) => {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw this.fault(name, 'an integer below 2^53', `${value}`);
      return number;
    });
  }

  /** Integers of full width, one a field or packed. */
  int64s(field: number, name: string): bigint[] {
    return this.#numbers(field, name, WireType.Varint, (reader) => BigInt(reader.int64()));
  }

  float(field: number, name: string): number | undefined {
    return this.floats(field, name).at(-1);
  }

  /** Single-precision numbers, one a field or packed. */
  floats(field: number, name: string): number[] {
    return this.#numbers(field, name, WireType.Bit32, (reader) => reader.float());
  }

  /** A number alone and a packed run of them are the same bytes: numbers up to the end. */
  #numbers<T>(field: number, name: string, single: WireType, next: (reader: BinaryReader) => T): T[] {
    const numbers: T[] = [];
    for (const bytes of this.#occurrences(field, name, [single, WireType.LengthDelimited])) {
      const reader = new BinaryReader(bytes);
      this.#reading(name, 'whole numbers of bytes', () => {
        while (reader.pos < reader.len) numbers.push(next(reader));
      });
    }
    return numbers;
  }

  /** The bytes of each occurrence of a field, in order, after its tag and length. */
  *#occurrences(field: number, name: string, allowed: readonly WireType[]): Generator<Uint8Array> {
    const reader = new BinaryReader(this.#bytes);
    const complete = 'a complete protobuf message';
    while (reader.pos < reader.len) {
      const [number, wireType] = this.#reading('', complete, () => reader.tag());
      if (number === field && !allowed.includes(wireType)) {
        const expected = allowed.map((type) => wireTypeNames[type]).join(' or ');
        throw this.fault(name, `wire type ${expected}`, wireTypeNames[wireType] ?? `${wireType}`);
      }
      const isBytes = wireType === WireType.LengthDelimited;
      const content = this.#reading('', complete, () =>
        isBytes ? reader.bytes() : reader.skip(wireType, number),
      );
      if (number === field) yield content;
    }
  }

  /** What the wire reader or the text decoder throws becomes an error that names the field. */
  #reading<T>(name: string, expected: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const endsEarly = cause instanceof RangeError;
      const received = endsEarly ? 'bytes that end too early' : 'other bytes';
      throw this.fault(name, expected, received, damaged, cause);
    }
  }

  #pathOf(name: string): string {
    return [this.#path, name].filter((part) => part !== '').join('.') || 'model';
  }
}
