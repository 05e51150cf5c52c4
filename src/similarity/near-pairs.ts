import { inChunks, type ProgressOptions, startProgress } from '../progress.js';
import { Random } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';

/** Two rows that nearly point the same way. */
export interface NearPair {
  /** The smaller of the two. */
  readonly a: number;
  readonly b: number;
  readonly cosine: number;
}

export interface NearPairsOptions extends ProgressOptions {
  readonly minCosine: number;
  /** What the progress is called. */
  readonly title: string;
}

/**
 * Words of 32 bits that a row is told by, and times that all rows are sorted: of two rows of cosine 0.95, a word's first bits
 * are equal 23 times in 100, and those of one word in sixteen 98 times in 100; of cosine 0.99, always but for once in a million.
 */
const words = 16;
/** Bits that are equal where two rows are compared: 16,000 boxes, so that few of a hundred thousand rows share one. */
const prefixBits = 14;
/** Rows that a row is compared with in each order at most: this bounds the time where very many are alike. */
const compared = 8;
/** Bits of another word that differ at most; two rows of cosine 0.95 differ in more once in 500 times. */
const maxDifferingBits = 9;
/** Numbers of a row that a bit is made of. */
const taps = 24;
/** Any: the same rows give the same pairs. */
const seed = 1;

/**
 * Pairs of rows whose cosine is at least a bound of 0.9 or more; nearly all of them, in time that grows with the rows and not
 * with their square.
 *
 * Each row gets 512 bits: on which side of a random plane it lies (Charikar 2002, "Similarity estimation techniques from
 * rounding algorithms", section 3). Two rows at an angle θ differ in a bit with probability θ/π. The rows are sorted by each of
 * 16 words of 32 bits, and each is compared with the next eight in the order that begin with the same 14 bits: at most 128
 * comparisons a row, whatever the rows are.
 *
 * @param rows float32 [N, D], of length 1; rows of zeros have no pairs
 * @returns by a, then b
 * @throws QuarterturnError `interrupted` when the signal says so
 */
export async function nearPairs(
  rows: Tensor<'float32'>,
  { minCosine, title, ...progress }: NearPairsOptions,
): Promise<NearPair[]> {
  const [count = 0, length = 0] = rows.shape;
  const tell = startProgress(progress, title, 2 * count);
  const signatures = await signaturesOf(rows, tell);
  const found = new Map<number, NearPair>();
  const order = new Float64Array(count);
  for (let word = 0; word < words; word++) {
    for (let row = 0; row < count; row++) order[row] = signatures[row * words + word]! * count + row;
    order.sort();
    const other = (word + 1) % words;
    for (let at = 0; at < count; at++) {
      const a = order[at]! % count;
      const prefix = signatures[a * words + word]! >>> (32 - prefixBits);
      for (let next = at + 1; next <= at + compared && next < count; next++) {
        const b = order[next]! % count;
        if (signatures[b * words + word]! >>> (32 - prefixBits) !== prefix) break;
        const differing = signatures[a * words + other]! ^ signatures[b * words + other]!;
        if (bitsOf(differing) > maxDifferingBits) continue;
        const cosine = dot(rows.data, a * length, b * length, length);
        if (cosine < minCosine) continue;
        const [low, high] = a < b ? [a, b] : [b, a];
        found.set(low * count + high, { a: low, b: high, cosine });
      }
    }
    await tell(count + Math.ceil(((word + 1) * count) / words));
  }
  return [...found.values()].sort((x, y) => x.a - y.a || x.b - y.b);
}

/** uint32 [N, words] */
async function signaturesOf(
  { data, shape: [count = 0, length = 0] }: Tensor<'float32'>,
  tell: (done: number) => Promise<void>,
): Promise<Uint32Array> {
  const bits = 32 * words;
  const random = Random.seeded(seed);
  const columns = Uint32Array.from({ length: bits * taps }, () => random.integer(length));
  const signs = Float32Array.from(columns, () => (random.integer(2) === 0 ? -1 : 1));
  const signatures = new Uint32Array(count * words);
  const work = (from: number, to: number): void => {
    for (let row = from; row < to; row++) {
      const start = row * length;
      for (let bit = 0; bit < bits; bit++) {
        let sum = 0;
        for (let tap = bit * taps; tap < (bit + 1) * taps; tap++)
          sum += signs[tap]! * data[start + columns[tap]!]!;
        // Undecided where all of its numbers are 0: then the bit is 0 for everybody.
        if (sum > 0) signatures[row * words + (bit >>> 5)]! |= 1 << (bit & 31);
      }
    }
  };
  await inChunks(count, 256, work, tell);
  return signatures;
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

function dot(data: Float32Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += data[a + i]! * data[b + i]!;
  return sum;
}
