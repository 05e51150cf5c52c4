import { describe, expect, test } from 'vitest';
import { hashImages } from '../data/image-hash.js';
import { type ImageSource, imagesInMemory, selectImages } from '../data/image-source.js';
import type { GivenLabels } from './given-labels.js';
import { blankLabels, locateLabels, sameLabels } from './locate-labels.js';

const count = 3000;
const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => (i * 2_654_435_761) >>> 13);
const source = imagesInMemory({ name: 'pile', pixels, height: 28, width: 28, channels: 1 });
const hashes = await hashImages(
  source,
  Array.from({ length: count }, (_, i) => i),
);
const hashAt = (index: number) => hashes[index] ?? 'none';

const checksums = { 'train-images': 'aa' };
const options = { images: source, checksums };
/** The images in another order: image i of the pile lies at (7 i + 5) mod count. */
const moved = (index: number) => (7 * index + 5) % count;
const order = new Uint32Array(count);
for (let i = 0; i < count; i++) order[moved(i)] = i;
const reordered = selectImages(source, order, { name: 'reordered' });

/** A source that counts the images that were asked for. */
function counting(images: ImageSource) {
  const asked = { images: 0, most: 0 };
  const counted: ImageSource = {
    ...images,
    read(indices) {
      asked.images += indices.length;
      asked.most = Math.max(asked.most, indices.length);
      return images.read(indices);
    },
  };
  return { asked, counted };
}

const labelled = (...labels: readonly (readonly [number, string | null])[]): GivenLabels => ({
  data: null,
  images: labels.map(([index, label]) => ({ image: hashAt(index), index, label })),
});
const given = labelled([2999, 'cat'], [0, 'dog'], [1024, null]);

describe('located labels', () => {
  test('are found at once where their indices are right', async () => {
    const { asked, counted } = counting(source);
    const located = await locateLabels(given, { images: counted, checksums });
    expect(located.places).toEqual([
      { index: 2999, label: 'cat' },
      { index: 0, label: 'dog' },
      { index: 1024, label: null },
    ]);
    expect(located).toMatchObject({ moved: 0, missing: 0, given });
    expect(asked.images).toBe(3);
  });

  test('follow their images when the data set is reordered, in one pass', async () => {
    const { asked, counted } = counting(reordered);
    const events: unknown[] = [];
    const located = await locateLabels(given, {
      images: counted,
      checksums: { other: 'data' },
      emit: (event) => events.push(event),
    });
    expect(located.places).toEqual([
      { index: moved(2999), label: 'cat' },
      { index: moved(0), label: 'dog' },
      { index: moved(1024), label: null },
    ]);
    expect(located).toMatchObject({ moved: 3, missing: 0 });
    expect(located.given.images[0]).toEqual({ image: hashAt(2999), index: moved(2999), label: 'cat' });
    expect(asked.images).toBeLessThanOrEqual(3 + count);
    expect(asked.most).toBeLessThanOrEqual(1024);
    expect(events[0]).toMatchObject({ type: 'pass', title: 'labelled images looked up', total: count });
    const again = await locateLabels(located.given, { images: reordered, checksums });
    expect(again).toMatchObject({ moved: 0, given: located.given, places: located.places });
  });

  test('are the same without any index', async () => {
    const images = given.images.map(({ image, label }) => ({ image, label }));
    expect((await locateLabels({ data: null, images }, options)).given).toEqual(given);
  });

  test('are left out where the data set was cut, and stay in the list', async () => {
    const cut = selectImages(
      source,
      Uint32Array.from({ length: 1500 }, (_, i) => i + 500),
      { name: 'cut' },
    );
    const located = await locateLabels(given, { images: cut, checksums });
    expect(located.places).toEqual([{ index: 524, label: null }]);
    expect(located).toMatchObject({ moved: 1, missing: 2 });
    expect(located.given.images[0]).toEqual({ image: hashAt(2999), label: 'cat' });
    await expect(locateLabels(labelled([2999, 'cat']), { images: cut, checksums })).rejects.toThrow(
      'labels: expected images of cut. Received: 1 label, of an image that is not there.',
    );
  });

  test('are never given to what lies there now by accident', async () => {
    // The index is right for some image, the hash is no image's.
    const images = [{ image: '0'.repeat(32), index: 7, label: 'cat' }];
    await expect(locateLabels({ data: null, images }, options)).rejects.toThrow('that is not there');
  });

  test('equal images are one: it is learned from once, and cannot have two labels', async () => {
    const doubled = selectImages(source, Uint32Array.of(3, 8, 3, 9, 8), { name: 'doubled' });
    const at = (index: number, original: number, label: string) => ({
      image: hashAt(original),
      index,
      label,
    });
    const labels = (...images: GivenLabels['images']) =>
      locateLabels({ data: null, images }, { images: doubled, checksums });
    expect((await labels(at(2, 3, 'cat'), at(0, 3, 'cat'), at(1, 8, 'dog'))).places).toEqual([
      { index: 2, label: 'cat' },
      { index: 1, label: 'dog' },
    ]);
    expect((await labels(at(4, 3, 'cat'))).places).toEqual([{ index: 0, label: 'cat' }]);
    await expect(labels(at(0, 3, 'cat'), at(2, 3, 'dog'))).rejects.toThrow(
      `expected one label for each image. Received: "cat" for image ${hashAt(3)} (index 0) and "dog" for image ${hashAt(3)} (index 2), the same image.`,
    );
  });

  test('of the old form are for what lies at their index, and become complete', async () => {
    const old = { data: { origin: 'here', checksums }, images: [{ index: 12, label: 'cat' }] };
    expect((await locateLabels(old, options)).given).toEqual(labelled([12, 'cat']));
    await expect(locateLabels(old, { images: source, checksums: {} })).rejects.toThrow(
      'expected the data they were made for, here. Received: train-images with MD5 none, not aa.',
    );
    const outside = { data: null, images: [{ index: count, label: 'cat' }] };
    await expect(locateLabels(outside, options)).rejects.toThrow('indices from 0 to 2999 of pile');
  });

  test('can be stopped', async () => {
    const signal = AbortSignal.abort();
    await expect(locateLabels(given, { images: reordered, checksums, signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});

test('blank labels name images by hash and index', async () => {
  expect(await blankLabels(source, Uint32Array.of(7, 3))).toEqual(labelled([7, null], [3, null]).images);
});

test('labels are the same by their images, whatever their indices', () => {
  const elsewhere = { ...given, images: given.images.map((label) => ({ ...label, index: 1 })) };
  const byIndex = { ...given, images: given.images.map(({ index, label }) => ({ index, label })) };
  expect(sameLabels(given, elsewhere)).toBe(true);
  expect(sameLabels(given, byIndex)).toBe(true);
  expect(sameLabels(given, labelled([2999, 'cat'], [0, 'cat'], [1024, null]))).toBe(false);
  expect(sameLabels(given, labelled([2999, 'cat'], [1, 'dog'], [1024, null]))).toBe(false);
  expect(sameLabels(given, labelled([2999, 'cat'], [0, 'dog']))).toBe(false);
});
