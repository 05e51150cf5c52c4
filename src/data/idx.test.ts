import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { QuarterturnError } from '../errors.js';
import { readIdx } from './idx.js';

// 2 x 3 elements, 1 ... 6.
const file = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
const expected = { shape: [2, 3], data: Uint8Array.from([1, 2, 3, 4, 5, 6]) };

const changed = (index: number, value: number) => file.with(index, value);

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

  it('inflates gzip, told by content', async () => {
    expect(await readIdx('f', gzipSync(file))).toEqual(expected);
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
    ['short file in gzip', gzipSync(file.subarray(0, 17)), 'Received: 5 (truncated).'],
  ])('refuses: %s', async (_, bytes, message) => {
    const error = await readIdx('f', bytes).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(QuarterturnError);
    expect(error).toMatchObject({ code: 'data', message: expect.stringContaining(message) });
  });
});
