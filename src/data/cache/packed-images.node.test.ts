import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPackedImages, type PackedFile } from './packed-images.node.js';

const [count, height, width, channels] = [1000, 28, 28, 3];
const rowBytes = height * width * channels;
/** Every image tells its number. */
const pixels = Uint8Array.from(
  { length: count * rowBytes },
  (_, i) => (Math.floor(i / rowBytes) * 31 + i) % 251,
);

let folder: string;
let file: PackedFile;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-packed-'));
  file = { path: join(folder, 'images.u8'), count, height, width, channels };
  await fs.writeFile(file.path, pixels);
});
afterAll(() => fs.rm(folder, { recursive: true }));

const rows = (indices: readonly number[]) =>
  Uint8Array.from(indices.flatMap((i) => [...pixels.subarray(i * rowBytes, (i + 1) * rowBytes)]));

describe.each([
  ['in memory', undefined],
  ['in the file', 0],
] as const)('%s', (_, maxBytesInMemory) => {
  test.each([
    ['one', [7]],
    ['none', []],
    ['the first and the last', [999, 0]],
    ['one twice, out of order', [5, 3, 5, 4]],
    ['128 neighbours', Array.from({ length: 128 }, (_, i) => 300 + i)],
    ['128 apart', Array.from({ length: 128 }, (_, i) => (i * 379) % count)],
    ['3 beside each other backwards', [12, 11, 10]],
  ])('gives %s', async (_, indices) => {
    await using source = await openPackedImages(file, { maxBytesInMemory });
    const images = await source.read(indices);
    expect(images.shape).toEqual([indices.length, height, width, channels]);
    expect(Buffer.compare(images.data, rows(indices))).toBe(0);
  });

  test('gives all of it, and parts at once', async () => {
    await using source = await openPackedImages(file, { maxBytesInMemory });
    const all = await source.read(Array.from({ length: count }, (_, i) => i));
    expect(Buffer.compare(all.data, pixels)).toBe(0);
    const parts = await Promise.all([source.read([1, 500]), source.read([2, 501])]);
    expect(parts.map(({ data }) => Buffer.compare(data, Buffer.alloc(0)))).toEqual([1, 1]);
    expect(Buffer.compare(parts[1].data, rows([2, 501]))).toBe(0);
  });

  test('any indices', async () => {
    await using source = await openPackedImages(file, { maxBytesInMemory });
    const indices = fc.array(fc.integer({ min: 0, max: count - 1 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(indices, async (chosen) => {
        expect(Buffer.compare((await source.read(chosen)).data, rows(chosen))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test.each([-1, count, 0.5, Number.NaN])('refuses index %s', async (index) => {
    await using source = await openPackedImages(file, { name: 'photos', maxBytesInMemory });
    await expect(source.read([0, index])).rejects.toThrow(
      `photos: expected image indices from 0 to 999. Received: ${index}.`,
    );
  });

  test('may be closed twice', async () => {
    const source = await openPackedImages(file, { maxBytesInMemory });
    expect(source.file).toBe(file);
    await source.close();
    await source.close();
  });
});

test('a file that is longer or shorter than its images is refused', async () => {
  for (const wrong of [count - 1, count + 1]) {
    await expect(openPackedImages({ ...file, count: wrong })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(`expected ${wrong * rowBytes} bytes`),
    });
  }
});

test('a file that is gone, and one that becomes shorter, are named', async () => {
  await expect(openPackedImages({ ...file, path: join(folder, 'none') })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('ENOENT'),
  });
  const path = join(folder, 'short.u8');
  await fs.writeFile(path, pixels);
  await using source = await openPackedImages({ ...file, path }, { maxBytesInMemory: 0 });
  await fs.truncate(path, 10);
  await expect(source.read([3])).rejects.toThrow(/short\.u8: expected packed images/);
});
