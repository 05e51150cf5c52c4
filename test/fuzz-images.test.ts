import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { parseIndex, rowHashes } from '../src/data/cache/pack-index.js';
import { decodeImage } from '../src/data/image-decode.node.js';
import { changedBytes, fuzzRuns, readsOrRefuses } from './support/fuzz.js';

const timeout = 60_000 * Math.max(1, fuzzRuns / 500);

const [height, width] = [24, 40];
const formats = ['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const;

/** A picture in each format: in colour, grey, and with transparent parts where the format has them. */
const originals = new Map<string, Uint8Array[]>();
beforeAll(async () => {
  for (const format of formats) {
    const files: Uint8Array[] = [];
    for (const channels of [1, 3, 4] as const) {
      const pixels = Uint8Array.from(
        { length: height * width * channels },
        (_, i) => (i * 7 + (i >> 5) * 31) % 256,
      );
      files.push(await sharp(pixels, { raw: { height, width, channels } }).toFormat(format).toBuffer());
    }
    originals.set(format, files);
  }
});

test.each(formats)('pictures: %s', { timeout }, async (format) => {
  await readsOrRefuses(changedBytes(originals.get(format) ?? []), {
    file: 'some.picture',
    read: (bytes) =>
      decodeImage('some.picture', bytes, { height: 28, width: 28, channels: 3 }, { fit: 'cover' }),
    check: ({ pixels, stored, contrast }) => {
      expect(pixels.length).toBe(28 * 28 * 3);
      expect(stored.height * stored.width).toBeGreaterThan(0);
      expect(contrast).toBeLessThanOrEqual(255);
    },
  });
});

test('the index of a pack, as far as it goes', { timeout }, async () => {
  const picture = (row: number | null, hash: string) => ({
    ...{ hash: hash.repeat(64), row, pixels: hash.repeat(64), height: 24, width: 40 },
    ...{ colour: true, pictures: 1, hasAlpha: false },
  });
  const name = { name: 'cat/1.png', hash: 'a'.repeat(64), sizeBytes: 300, modifiedMs: 1e12 };
  const lines = [picture(0, 'a'), name, picture(1, 'b'), picture(null, 'c')];
  const index = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await readsOrRefuses(changedBytes([index]), {
    file: 'index.jsonl',
    read: (bytes) => parseIndex(new TextDecoder().decode(bytes)),
    check: (read) => {
      // What is no line of ours, and all behind it, is taken for lost.
      expect(read.pictures.size).toBeLessThanOrEqual(8);
      expect(rowHashes(read).every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
    },
  });
});
