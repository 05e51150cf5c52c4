import { describe, expect, test } from 'vitest';
import { type ByteSource, bytesInMemory, inBlocks } from './byte-source.js';

const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7 + (i >> 8)) % 251);

function counted(): { readonly source: ByteSource; readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  const memory = bytesInMemory('memory', bytes);
  const source = {
    ...memory,
    read: (start: number, end: number) => {
      reads.push([start, end]);
      return memory.read(start, end);
    },
  };
  return { source, reads };
}

describe('bytes in blocks', () => {
  test.each([1, 3, 128])('are the same, %i rows at once, and read few times', async (atOnce) => {
    const { source, reads } = counted();
    const blocks = inBlocks(source);
    const rowBytes = 784;
    const count = Math.floor(bytes.length / rowBytes);
    for (let from = 0; from < count; from += atOnce) {
      const rows = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => from + i);
      const read = await Promise.all(rows.map((i) => blocks.read(i * rowBytes, (i + 1) * rowBytes)));
      for (const [k, i] of rows.entries()) {
        expect(Buffer.from(read[k] ?? []).equals(bytes.subarray(i * rowBytes, (i + 1) * rowBytes))).toBe(
          true,
        );
      }
    }
    expect(reads).toHaveLength(4);
  });

  test('give what goes beyond a block, what is larger than one, and nothing', async () => {
    const blocks = inBlocks(bytesInMemory('memory', bytes));
    for (const [start, end] of [
      [262_100, 262_200],
      [10, 700_000],
      [999_990, 1_000_000],
      [5, 5],
    ] as const) {
      expect(Buffer.from(await blocks.read(start, end)).equals(bytes.subarray(start, end))).toBe(true);
    }
  });

  test('are read again where reading failed', async () => {
    const { source } = counted();
    let fails = true;
    const blocks = inBlocks({
      ...source,
      read: async (start, end) => {
        if (fails) throw new Error('away');
        return source.read(start, end);
      },
    });
    await expect(blocks.read(0, 10)).rejects.toThrow('away');
    fails = false;
    expect(await blocks.read(0, 10)).toEqual(bytes.slice(0, 10));
  });
});
