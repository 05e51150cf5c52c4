import { QuarterturnError } from '../errors.js';

/** State of a stream, from which {@link Random.fromState} continues it; survives JSON. */
export interface RandomState {
  /** Four uint32: who this stream is (seed and path); children are derived from it. */
  readonly key: readonly number[];
  /** Four uint32: how far it has come. */
  readonly words: readonly number[];
}

type Words = readonly [number, number, number, number];

/** An array that can be permuted in place: plain or typed. */
export interface Swappable<T> {
  readonly length: number;
  [index: number]: T;
}

/**
 * A seeded stream of random numbers that can be split by purpose.
 *
 * `split` depends on the seed and the path alone, never on how much was drawn, so a resumed run needs
 * no saved state: epoch k shuffles by `random.split('shuffle', k)` whatever happened before.
 *
 * Generator: xoshiro128** 1.1, period 2^128 - 1 (Blackman and Vigna, "Scrambled Linear Pseudorandom
 * Number Generators", 2021). Keys are mixed with MurmurHash3's 32-bit finaliser (Appleby, 2011).
 * Not for cryptography.
 */
export class Random {
  readonly #key: Words;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(key: Words, words: Words) {
    this.#key = key;
    [this.#a, this.#b, this.#c, this.#d] = words;
  }

  /**
   * The root stream of a run.
   * @param seed any safe integer
   * @throws QuarterturnError `usage` for anything else
   */
  static seeded(seed: number): Random {
    if (!Number.isSafeInteger(seed)) {
      throw new QuarterturnError('usage', `seed: expected an integer. Received: ${seed}.`, {
        hint: 'Use a whole number such as 12.',
      });
    }
    return Random.#atStart(absorb(ROOT, seed));
  }

  /** Continue a stream from {@link Random.state}. @throws QuarterturnError `checkpoint` if it is none. */
  static fromState(state: RandomState): Random {
    if (!isWords(state?.key) || !isWords(state.words) || state.words.every((word) => word === 0)) {
      throw new QuarterturnError(
        'checkpoint',
        `random state: expected key and words of four uint32 each, words not all 0. Received: ${JSON.stringify(state)}.`,
      );
    }
    return new Random(state.key, state.words);
  }

  /** A stream starts at its own key; the one state that xoshiro can never leave, all zeros, is stepped over. */
  static #atStart(key: Words): Random {
    return new Random(key, key.every((word) => word === 0) ? ROOT : key);
  }

  /**
   * The independent stream for a purpose: the same seed and path always give the same one.
   *
   * Paths concatenate: `r.split('a', 1)` is `r.split('a').split(1)`.
   * @throws QuarterturnError `usage` for an empty path, which would repeat this stream from its start
   */
  split(...purpose: (string | number)[]): Random {
    if (purpose.length === 0) {
      throw new QuarterturnError('usage', 'Random.split: expected at least one purpose. Received: none.');
    }
    return Random.#atStart(purpose.reduce<Words>(absorb, this.#key));
  }

  /** Where this stream stands. */
  state(): RandomState {
    return { key: [...this.#key], words: [this.#a, this.#b, this.#c, this.#d].map((word) => word >>> 0) };
  }

  /** A uniform integer in [0, 2^32). */
  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A uniform number in [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const upper = this.nextUint32() >>> 5; // 27 bits
    const lower = this.nextUint32() >>> 6; // 26 bits
    return low + (high - low) * ((upper * 2 ** 26 + lower) * 2 ** -53);
  }

  /**
   * A uniform integer in [0, n), exactly unbiased: the ragged end of the 32-bit range is drawn again.
   * @throws QuarterturnError `usage` unless n is an integer in 1 ... 2^32
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new QuarterturnError(
        'usage',
        `Random.integer: expected n to be an integer from 1 to 2^32. Received: ${n}.`,
      );
    }
    const end = 2 ** 32 - (2 ** 32 % n);
    let draw = this.nextUint32();
    while (draw >= end) draw = this.nextUint32();
    return draw % n;
  }

  /**
   * A standard normal number: `sqrt(-2 ln u) cos(2 pi v)`, u in (0, 1] (Box and Muller, 1958).
   * The sine twin is not kept, so that the state stays four words.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Permute in place, each order equally likely (Fisher-Yates); returns its argument. */
  shuffle<A extends Swappable<unknown>>(array: A): A {
    const items: Swappable<unknown> = array;
    for (let last = array.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
    return array;
  }

  /** The numbers 0 ... n - 1 in random order. */
  permutation(n: number): Uint32Array {
    return this.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
  }
}

/** Fractional digits of pi: nothing up our sleeve. */
const ROOT: Words = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

/**
 * Mix one step of a path into a key.
 *
 * Each step is written as words that begin with its kind, so that `'1'` and `1`, or `'ab'` and
 * `'a', 'b'`, lead to different streams.
 */
function absorb(key: Words, step: string | number): Words {
  if (typeof step === 'number') {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, step + 0); // + 0: -0 and 0 are one path
    return [1, bits.getUint32(0), bits.getUint32(4)].reduce(mix, key);
  }
  const codeUnits = Array.from({ length: step.length }, (_, i) => step.charCodeAt(i));
  return [2, step.length, ...codeUnits].reduce(mix, key);
}

/** One word into all four lanes; a bijection of the key for each word, so no two keys ever merge. */
function mix([a, b, c, d]: Words, word: number): Words {
  const a2 = finalise(a + d + Math.imul(word, 0x9e3779b1));
  const b2 = finalise(b + a2 + Math.imul(word, 0x85ebca77));
  const c2 = finalise(c + b2 + Math.imul(word, 0xc2b2ae3d));
  const d2 = finalise(d + c2 + Math.imul(word, 0x27d4eb2f));
  return [a2, b2, c2, d2];
}

/** MurmurHash3's fmix32: a bijection of uint32 in which each input bit flips each output bit half the time. */
function finalise(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function isWords(words: readonly number[] | undefined): words is Words {
  return (
    Array.isArray(words) &&
    words.length === 4 &&
    words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)
  );
}
