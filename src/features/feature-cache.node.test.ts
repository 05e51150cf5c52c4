import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleImages } from '../../test/support/sample-classifier.js';
import { type ImageSource, imagesInMemory, selectImages } from '../data/image-source.js';
import { tensor } from '../tensor/tensor.js';
import type { Encoder } from './encoder.js';
import { clearFeatureCache, listFeatureCache, withFeatureCache } from './feature-cache.node.js';

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'features-'));
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));

const { data: pixels } = sampleImages(300, [28, 28, 1]);
const images = imagesInMemory({ name: 'gratings', pixels, height: 28, width: 28, channels: 1 });

/** An encoder that counts: a row is the first pixels of an image. */
function countingEncoder(fingerprint = 'a'.repeat(64)): Encoder & { described: number } {
  return {
    ...{ name: 'pixels', title: 'pixels', dimensions: 5, fingerprint, described: 0 },
    async describe(source: ImageSource) {
      this.described += source.count;
      const { data } = await source.read(Array.from({ length: source.count }, (_, i) => i));
      const rows = Float32Array.from(
        { length: source.count * 5 },
        (_, i) => (data[Math.floor(i / 5) * 784 + (i % 5)] ?? 0) / 255,
      );
      return tensor('float32', [source.count, 5], rows);
    },
    async release() {},
    async [Symbol.asyncDispose]() {},
  };
}

let cases = 0;
const folder = () => join(root, `case-${cases++}`);

describe('features in the cache', () => {
  test('are made once, whatever the order and the copies, and are the same', async () => {
    const cacheFolder = folder();
    const first = countingEncoder();
    const expected = await countingEncoder().describe(images);
    expect(await withFeatureCache(first, { cacheFolder }).describe(images)).toEqual(expected);
    expect(first.described).toBe(300);
    const second = countingEncoder();
    const order = Uint32Array.from([299, 3, 3, 0, 128]);
    const some = await withFeatureCache(second, { cacheFolder }).describe(selectImages(images, order));
    expect(second.described).toBe(0);
    expect([...some.data.subarray(5, 10)]).toEqual([...expected.data.subarray(15, 20)]);
    expect([...some.data.subarray(0, 5)]).toEqual([...expected.data.subarray(299 * 5)]);
  });

  test('belong to one encoder', async () => {
    const cacheFolder = folder();
    await withFeatureCache(countingEncoder(), { cacheFolder }).describe(images);
    const other = countingEncoder('b'.repeat(64));
    await withFeatureCache(other, { cacheFolder }).describe(images);
    expect(other.described).toBe(300);
  });

  test('are kept as far as they were made when a process stops', async () => {
    const cacheFolder = folder();
    const controller = new AbortController();
    const stopped = withFeatureCache(countingEncoder(), { cacheFolder }).describe(images, {
      signal: controller.signal,
      emit: ({ title, done }) => {
        if (title === 'features of 300 images' && done >= 128) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    const next = countingEncoder();
    expect(await withFeatureCache(next, { cacheFolder }).describe(images)).toEqual(
      await countingEncoder().describe(images),
    );
    expect(next.described).toBe(300 - 128);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 7), 1],
    ['with a bit changed', (bytes: Buffer) => Buffer.from(bytes.map((b, i) => (i === 20 ? b ^ 1 : b))), 1],
    ['empty', () => Buffer.alloc(0), 300],
  ])('a file that is %s costs what is lost, no more', async (_, damage, lost) => {
    const cacheFolder = folder();
    await withFeatureCache(countingEncoder(), { cacheFolder }).describe(images);
    const at = join(cacheFolder, 'features', 'a'.repeat(32));
    const [name = ''] = (await fs.readdir(at)).filter((each) => each.endsWith('.rows'));
    await fs.writeFile(join(at, name), damage(await fs.readFile(join(at, name))));
    const next = countingEncoder();
    expect(await withFeatureCache(next, { cacheFolder }).describe(images)).toEqual(
      await countingEncoder().describe(images),
    );
    expect(next.described).toBe(lost);
  });

  test('are listed and cleared', async () => {
    const cacheFolder = folder();
    expect(await listFeatureCache({ cacheFolder })).toEqual([]);
    await withFeatureCache(countingEncoder(), { cacheFolder }).describe(images);
    const [found, ...others] = await listFeatureCache({ cacheFolder });
    expect(others).toEqual([]);
    expect(found).toMatchObject({ encoder: 'pixels', dimensions: 5, images: 300, inUse: false });
    expect(found?.sizeBytes).toBe(300 * (16 + 20 + 4));
    expect((await clearFeatureCache({ cacheFolder })).removed).toHaveLength(1);
    expect(await listFeatureCache({ cacheFolder })).toEqual([]);
  });

  test('a cache that cannot be written is told', async () => {
    const cacheFolder = folder();
    await fs.writeFile(cacheFolder, 'a file');
    await expect(withFeatureCache(countingEncoder(), { cacheFolder }).describe(images)).rejects.toMatchObject(
      {
        code: 'io',
        message: expect.stringContaining('ENOTDIR'),
      },
    );
  });
});
