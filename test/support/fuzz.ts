import fc from 'fast-check';
import { expect } from 'vitest';
import { QuarterturnError } from '../../src/errors.js';

/** Changed inputs that a reader is given: 500, or so many times more by night. */
export const fuzzRuns = 500 * Number(process.env.QUARTERTURN_FUZZ_RUNS ?? 1);
const byNight = process.env.QUARTERTURN_FUZZ_RUNS !== undefined;

/** What one input may take: far more than any of ours needs, even on a busy machine. */
const maxMs = 10_000;

/** By how much all inputs of a reader together may let the process grow. */
const maxGrowthBytes = 512 * 2 ** 20;

export interface Reader<Input, Output> {
  /** What the reader calls its input; every error has to say it. */
  readonly file: string;
  read(input: Input): Output | Promise<Output>;
  /** What has to be true of whatever was read. */
  check?(output: Output): void;
  /** Share of {@link fuzzRuns} that it is given in `npm test`, where each takes much longer than others; default: 1. */
  readonly dailyShare?: number;
}

/**
 * Give a reader many inputs: each is read, and holds what it should, or is refused by a {@link QuarterturnError} that
 * names the file, soon and without taking all memory.
 */
export async function readsOrRefuses<Input, Output>(
  inputs: fc.Arbitrary<Input>,
  { file, read, check, dailyShare = 1 }: Reader<Input, Output>,
): Promise<void> {
  const before = process.resourceUsage().maxRSS;
  const property = fc.asyncProperty(inputs, async (input) => {
    const started = performance.now();
    try {
      const output = await read(input);
      check?.(output);
    } catch (error) {
      if (!(error instanceof QuarterturnError)) throw error;
      expect(error.message).toContain(file);
      expect(error.message).toMatch(/: expected .+\. Received: .*\.$|expected .* Received: /s);
      expect(error.message.length).toBeLessThan(2000);
    }
    expect(performance.now() - started).toBeLessThan(maxMs);
  });
  await fc.assert(property, { numRuns: Math.round(fuzzRuns * (byNight ? 1 : dailyShare)) });
  expect(1024 * (process.resourceUsage().maxRSS - before)).toBeLessThan(maxGrowthBytes);
}

/** Counts and sizes that readers stumble over. */
const telling = [0, 1, 127, 255, 256, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53];

/** Whole files, changed in the ways in which files break, and in those in which they lie. */
export function changedBytes(originals: readonly Uint8Array[]): fc.Arbitrary<Bytes> {
  return fc
    .tuple(fc.constantFrom(...originals), fc.array(change(originals), { minLength: 1, maxLength: 4 }))
    .map(([original, changes]) =>
      changes.reduce<Bytes>((bytes, each) => each(bytes), Uint8Array.from(original)),
    );
}

type Bytes = Uint8Array<ArrayBuffer>;
type Change = (bytes: Bytes) => Bytes;

function change(originals: readonly Uint8Array[]): fc.Arbitrary<Change> {
  // Half of all changes are in the header, where they matter most.
  const place = fc.oneof(
    fc.nat(63).map((at) => (length: number) => Math.min(at, length)),
    fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (length: number) => Math.floor(share * length)),
  );
  const byte = fc.nat(255);
  const set =
    (at: number, values: Uint8Array): Change =>
    (bytes) => {
      const result = bytes.slice();
      result.set(values.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
      return result;
    };
  const cut = (bytes: Uint8Array, from: number, to: number, insert: Uint8Array) =>
    Uint8Array.from([...bytes.subarray(0, from), ...insert, ...bytes.subarray(to)]);
  return fc.oneof(
    fc.tuple(place, byte).map(
      ([at, value]): Change =>
        (b) =>
          set(at(b.length), Uint8Array.of(value))(b),
    ),
    fc.tuple(place, fc.nat(7)).map(
      ([at, bit]): Change =>
        (b) =>
          set(at(b.length), Uint8Array.of((b[at(b.length)] ?? 0) ^ (1 << bit)))(b),
    ),
    fc.tuple(place, fc.constantFrom(...telling), fc.constantFrom(2, 4, 8), fc.boolean()).map(
      ([at, value, width, little]): Change =>
        (b) =>
          set(at(b.length), field(value, width, little))(b),
    ),
    place.map(
      (at): Change =>
        (b) =>
          b.slice(0, at(b.length)),
    ),
    fc.tuple(place, place).map(
      ([from, to]): Change =>
        (b) => {
          const [a, z] = [from(b.length), to(b.length)].sort((x, y) => x - y) as [number, number];
          return cut(b, a, z, new Uint8Array());
        },
    ),
    fc.tuple(place, place).map(
      ([from, to]): Change =>
        (b) => {
          const [a, z] = [from(b.length), to(b.length)].sort((x, y) => x - y) as [number, number];
          return cut(b, z, z, b.subarray(a, z));
        },
    ),
    fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(
      ([at, insert]): Change =>
        (b) =>
          cut(b, at(b.length), at(b.length), insert),
    ),
    fc.tuple(place, fc.constantFrom(...originals)).map(
      ([at, other]): Change =>
        (b) =>
          cut(b, at(b.length), b.length, other.subarray(at(b.length))),
    ),
  );
}

/** A number as a file holds it. */
function field(value: number, width: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), littleEndian);
  return littleEndian ? bytes.subarray(0, width) : bytes.subarray(8 - width);
}

/** Stands in a document for what JSON.stringify could not write. */
const deepMark = '@deep';
const deep = '['.repeat(20_000) + ']'.repeat(20_000);

/** What people and programs write where something else is meant. */
const odd: readonly unknown[] = [
  ...[-3, -1, 0, 0.5, 12.5, 1e8, 1e9 + 1, 2 ** 53, 1e300, -1e300, true, null, '', ' 7', '７', 'NaN', '12'],
  ...[[], {}, [[]], { a: 1 }, 'x'.repeat(10_000), deepMark, '__proto__', { constructor: 1 }],
];

/** JSON texts with some of their values, names and signs changed. */
export function changedJson(originals: readonly unknown[]): fc.Arbitrary<string> {
  const values = fc
    .tuple(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...odd)), { minLength: 1, maxLength: 4 }),
    )
    .map(([original, changes]) => {
      const document = { root: JSON.parse(JSON.stringify(original)) as unknown };
      for (const [pick, kind, value] of changes) {
        const places = placesIn(document);
        // The whole document may be gone already.
        if (places.length === 0) break;
        const { parent, key } = places[pick % places.length]!;
        if (kind === 0) delete parent[key];
        else if (kind === 1) parent[`${key} `] = parent[key];
        else parent[key] = structuredClone(value);
      }
      return (JSON.stringify(document.root) ?? '').replaceAll(`"${deepMark}"`, deep);
    });
  const texts = values.map((text) => new TextEncoder().encode(text));
  const signs = fc
    .tuple(
      texts,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[],:"\\ 0-.eE\n\u0000x')), { maxLength: 3 }),
    )
    .map(([bytes, changes]) => {
      const result = bytes.slice();
      for (const [at, sign] of changes)
        if (result.length > 0) result[at % result.length] = sign.charCodeAt(0);
      return new TextDecoder().decode(result);
    });
  return fc.oneof({ weight: 3, arbitrary: values }, { weight: 1, arbitrary: signs });
}

type Container = Record<string, unknown>;

/** Where a document holds a value, from its root down. */
function placesIn(value: Container): { readonly parent: Container; readonly key: string }[] {
  return Object.entries(value).flatMap(([key, inner]) => [
    { parent: value, key },
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner as Container) : []),
  ]);
}
