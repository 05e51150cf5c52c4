import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { idx } from '../../test/support/tiny-data.js';
import { QuarterturnError } from '../errors.js';
import { Random } from '../random/random.js';
import { isGzip, readIdx, readIdxLabels } from './idx.js';

// 2 x 3 elements, 1 ... 6.
const file = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
const expected = { shape: [2, 3], data: Uint8Array.from([1, 2, 3, 4, 5, 6]) };

const changed = (index: number, value: number) => file.with(index, value);

const changedGzip = (at: number) => {
  const bytes = Uint8Array.from(gzipSync(file));
  return bytes.with(at < 0 ? bytes.length + at : at, bytes.at(at)! ^ 0xff);
};

describe('readIdx', () => {
  it('reads shape and elements', async () => {
    expect(await readIdx('f', file)).toEqual(expected);
  });

  it('reads from the middle of a larger buffer', async () => {
    const larger = new Uint8Array(64).fill(9);
    larger.set(file, 7);
    expect(await readIdx('f', larger.subarray(7, 7 + file.length))).toEqual(expected);
  });

  it('reads sizes as big-endian uint32', async () => {
    const wide = new Uint8Array(8 + 0x010203);
    wide.set([0, 0, 8, 1, 0, 1, 2, 3]);
    expect((await readIdx('f', wide)).shape).toEqual([66051]);
  });

  it('inflates gzip, told by content, of one member or several', async () => {
    expect(await readIdx('f', gzipSync(file))).toEqual(expected);
    const members = [file.subarray(0, 7), file.subarray(7, 15), file.subarray(15)].map((part) =>
      gzipSync(part),
    );
    expect(await readIdx('f', Buffer.concat(members))).toEqual(expected);
  });

  it('reads members of which the last is empty', async () => {
    expect(await readIdx('f', Buffer.concat([gzipSync(file), gzipSync(new Uint8Array())]))).toEqual(expected);
  });

  it('reads real sizes, plain and gzipped alike, whole and up to a limit', async () => {
    const random = Random.seeded(1);
    const pixels = Uint8Array.from({ length: 500 * 28 * 28 }, () => random.integer(256));
    const plain = idx([500, 28, 28], pixels);
    for (const bytes of [plain, gzipSync(plain)]) {
      const whole = await readIdx('f', bytes);
      expect(whole.shape).toEqual([500, 28, 28]);
      expect(Buffer.compare(whole.data, pixels)).toBe(0);
      const some = await readIdx('f', bytes, { limit: 128 });
      expect(some.shape).toEqual([128, 28, 28]);
      expect(Buffer.compare(some.data, pixels.subarray(0, 128 * 784))).toBe(0);
      expect((await readIdx('f', bytes, { limit: 1000 })).shape).toEqual([500, 28, 28]);
    }
  });

  it('reads a file of no images as such', async () => {
    const none = { shape: [0, 28, 28], data: new Uint8Array() };
    expect(await readIdx('f', idx([0, 28, 28], new Uint8Array()))).toEqual(none);
    expect(await readIdx('f', gzipSync(idx([0, 28, 28], new Uint8Array())))).toEqual(none);
  });

  it('a 0 among sizes whose product is infinite is still nothing', async () => {
    const shape = [...new Array<number>(40).fill(0xffffffff), 0];
    expect((await readIdx('f', idx(shape, new Uint8Array()))).data.length).toBe(0);
    await expect(readIdx('f', idx(shape.slice(0, -1), new Uint8Array()))).rejects.toThrow('(truncated)');
  });

  it.each([
    ['empty file', new Uint8Array(0), 'f, magic number: expected 4 bytes. Received: 0 (truncated).'],
    [
      'other magic',
      changed(0, 0x89),
      'f, magic number: expected 00 00 08 and a dimension count. Received: 89 00 08 02.',
    ],
    ['floats', changed(2, 0x0d), 'f, element type: expected ubyte (0x08). Received: float (0x0d).'],
    ['unknown type', changed(2, 0x07), 'Received: unknown (0x07).'],
    ['no dimension', changed(3, 0), 'f, dimension count: expected at least 1. Received: 0.'],
    ['cut header', file.subarray(0, 10), 'f, header: expected 12 bytes. Received: 10 (truncated).'],
    [
      'one byte short',
      file.subarray(0, 17),
      "f, elements: expected 6 bytes for the header's dimensions 2 x 3. Received: 5 (truncated).",
    ],
    ['one byte more', Uint8Array.from([...file, 0]), 'Received: 7 (too long).'],
    ['absurd size', changed(4, 0xff), 'expected 12834570246 bytes'],
    ['truncated gzip', gzipSync(file).subarray(0, 30), 'f, gzip: expected a complete stream.'],
    [
      'gzip with a tail',
      Uint8Array.from([...gzipSync(file), 1, 2, 3]),
      'f, gzip: expected a complete stream.',
    ],
    [
      'gzip with zeros behind',
      Uint8Array.from([...gzipSync(file), ...new Uint8Array(512)]),
      'f, gzip: expected a complete stream. Received: one with zeros behind it.',
    ],
    ['a damaged gzip', changedGzip(20), 'Received: one that is damaged'],
    ['a gzip with another checksum', changedGzip(-8), 'Received: one that is damaged'],
    ['short file in gzip', gzipSync(file.subarray(0, 17)), 'Received: 5 (truncated).'],
    ['long file in gzip', gzipSync(Uint8Array.from([...file, 0])), 'Received: more than 6 (too long).'],
    ['absurd size in gzip', gzipSync(changed(4, 0xff)), 'expected 12834570246 bytes'],
  ])('refuses: %s', async (_, bytes, message) => {
    const error = await readIdx('f', bytes).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(QuarterturnError);
    expect(error).toMatchObject({ code: 'data', message: expect.stringContaining(message) });
  });
});

describe('what a file claims decides what is unpacked', () => {
  const mebibyte = 2 ** 20;

  /** A gzip member of a header and then a gibibyte of zeros, about 1 MB, made without holding them. */
  function bomb(shape: readonly number[]): Uint8Array {
    const begin = deflateRawSync(idx(shape, new Uint8Array()), { finishFlush: 2 });
    const zeros = deflateRawSync(new Uint8Array(64 * mebibyte), { finishFlush: 2, level: 9 });
    const gzipHeader = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    return Buffer.concat([Buffer.from(gzipHeader), begin, ...new Array<Buffer>(16).fill(zeros)]);
  }

  it.each([
    ['holds far more than it claims', bomb([100, 28, 28]), 'Received: more than 78400 (too long)'],
    ['claims more than it can hold', bomb([2 ** 31, 28, 28]), 'elements: expected 1683627180032 bytes'],
    ['claims more than is ever unpacked', bomb([3_000_000, 28, 28]), 'Received: at most '],
    ['is not packed and claims all', idx([2 ** 32 - 1, 2 ** 32 - 1], new Uint8Array(784)), '(truncated)'],
  ])('a file that %s is refused in a moment', async (_, bytes, message) => {
    const before = process.resourceUsage().maxRSS;
    await expect(readIdx('f', bytes)).rejects.toThrow(message);
    const grownBytes = 1024 * (process.resourceUsage().maxRSS - before);
    expect(grownBytes).toBeLessThan(64 * mebibyte);
  });

  it('a limit stops before what is damaged behind it', async () => {
    const cut = bomb([1_300_000, 28, 28]);
    const { shape, data } = await readIdx('f', cut, { limit: 3 });
    expect(shape).toEqual([3, 28, 28]);
    expect(data.every((byte) => byte === 0)).toBe(true);
  });
});

describe('hints', () => {
  it.each([
    ['gzip in gzip', gzipSync(gzipSync(file)), 'It was gzipped twice: unpack it once.'],
    ['low bytes first', Uint8Array.of(3, 8, 0, 0, 1, 0, 0, 0), 'little-endian'],
    ['a web page', new TextEncoder().encode('<html><body>Service unavailable</body></html>'), 'web page'],
    ['something else', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), 'Is it an IDX file?'],
  ])('for %s', async (_, bytes, hint) => {
    await expect(readIdx('f', bytes)).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });
});

describe('readIdxLabels', () => {
  const withType = (type: number, count: number, data: number[]) =>
    Uint8Array.from([0, 0, type, 1, 0, 0, 0, count, ...data]);

  it('reads bytes, shorts and ints', async () => {
    expect(await readIdxLabels('f', withType(8, 3, [0, 255, 7]))).toEqual(Int32Array.of(0, 255, 7));
    expect(await readIdxLabels('f', withType(11, 2, [3, 0xe7, 0xff, 0xff]))).toEqual(Int32Array.of(999, -1));
    expect(await readIdxLabels('f', gzipSync(withType(12, 1, [0, 1, 0, 0])))).toEqual(Int32Array.of(65536));
  });

  it('refuses floats and images', async () => {
    await expect(readIdxLabels('f', withType(13, 1, [0, 0, 0, 0]))).rejects.toThrow(
      'expected ubyte (0x08), short (0x0b), int (0x0c). Received: float (0x0d).',
    );
    await expect(readIdxLabels('f', file)).rejects.toThrow(
      'f, expected 1 dimension, that of the labels. Received: 2 x 3.',
    );
  });
});

it('isGzip tells by content', () => {
  const [packed, none] = [gzipSync(file), new Uint8Array()];
  expect([isGzip(packed), isGzip(file), isGzip(none)]).toEqual([true, false, false]);
});
