import { describe, expect, test } from 'vitest';
import { Random } from '../random/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { augmentImages } from './augment-images.js';
import { strengths } from './augmentation-policy.js';
import { type BatchRequest, makeBatch, makeBatchesHere } from './batch-maker.js';
import { stackImages } from './batches.js';
import { imagesInMemory, selectImages } from './image-source.js';
import { rotatedCopies } from './rotation.js';
import { openShared } from './shared-images.node.js';

const size = { height: 28, width: 28, channels: 1 };
const count = 300;
const pixels = Uint8Array.from({ length: count * 28 * 28 }, (_, i) => (i * 31 + (i >> 7)) % 256);
const source = imagesInMemory({ name: 'digits', pixels, ...size });

const random = Random.seeded(7);
const chosen = (length: number): Uint32Array => Uint32Array.from({ length }, () => random.integer(count));

/** Compared as bytes: `toEqual` takes seconds for as many numbers. */
function expectSame(received: Tensor<'uint8'>, expected: Tensor<'uint8'>): void {
  expect(received.shape).toEqual(expected.shape);
  expect(Buffer.compare(received.data, expected.data)).toBe(0);
}

describe.each([1, 3, 128])('a batch of %i', (batchSize) => {
  test('of rotated copies is that of the source itself, here and elsewhere', async () => {
    const copies = chosen(batchSize).map((index) => 4 * index + random.integer(4));
    const turned = rotatedCopies(source);
    const images = await turned.read(copies);
    expectSame(await makeBatch(turned, [{ indices: copies }]), images);
    const { images: elsewhere } = await openShared(structuredClone(turned.share!()));
    expect(elsewhere).toMatchObject({ name: 'digits, turned', count: 4 * count, ...size });
    expectSame(await makeBatch(elsewhere, [{ indices: copies }]), images);
  });

  test('of parts has them one after the other, each changed by its own stream', async () => {
    const [labelled, pile] = [chosen(batchSize), chosen(2 * batchSize)];
    const request: BatchRequest = [
      { indices: labelled },
      { indices: pile, augmentation: { strength: strengths.strong, random: random.split('a').state() } },
      { indices: pile, augmentation: { strength: strengths.weak, random: random.split('b').state() } },
    ];
    const expected = stackImages([
      await source.read(labelled),
      augmentImages(await source.read(pile), strengths.strong, random.split('a')),
      augmentImages(await source.read(pile), strengths.weak, random.split('b')),
    ]);
    expectSame(await makeBatch(source, request), expected);
    expectSame(await makeBatchesHere(source).make(request), expected);
    // As on another thread.
    const { images: elsewhere } = await openShared(structuredClone(source.share!()));
    expectSame(await makeBatch(elsewhere, structuredClone(request)), expected);
  });
});

test('a stream is gone on with from where it stands', async () => {
  const stream = Random.seeded(3);
  stream.normal();
  const augmentation = { strength: strengths.strong, random: stream.state() };
  const indices = chosen(5);
  const made = await makeBatch(source, [{ indices, augmentation }]);
  expect(made).toEqual(augmentImages(await source.read(indices), strengths.strong, stream));
});

test.each([
  ['no parts', [], 'digits: expected a batch of some parts. Received: none.'],
  [
    'an image that is not there',
    [{ indices: Uint32Array.of(300) }],
    'digits: expected image indices from 0 to 299. Received: 300.',
  ],
])('%s are refused', async (_, request, message) => {
  await expect(makeBatch(source, request)).rejects.toThrow(message);
});

describe('shared images', () => {
  test('are in one place, moved there once, and read as before', async () => {
    const own = imagesInMemory({ name: 'own', pixels: pixels.slice(), ...size });
    const before = await own.read([5, 0]);
    const [first, again] = [own.share!(), own.share!()];
    if (first.kind !== 'memory' || again.kind !== 'memory') throw new Error('expected images in memory');
    expect(first.pixels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(again.pixels).toBe(first.pixels);
    expect(await own.read([5, 0])).toEqual(before);
    // One memory: what is written on one side is seen on the other.
    first.pixels[0] = 99;
    expect((await own.read([0])).data[0]).toBe(99);
  });

  test('are handed over as they are where they lie in shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(784));
    const images = imagesInMemory({ name: 'shared', pixels: shared, ...size }).share!();
    expect(images).toMatchObject({ kind: 'memory', pixels: shared });
    expect(images.kind === 'memory' && images.pixels).toBe(shared);
  });

  test('of a selection of a selection are the same images', async () => {
    const some = selectImages(source, Uint32Array.of(7, 8, 9), { name: 'some' });
    const fewer = selectImages(some, Uint32Array.of(2, 0), { name: 'fewer' });
    const { images: opened } = await openShared(structuredClone(fewer.share!()));
    expect(opened).toMatchObject({ name: 'fewer', count: 2, ...size });
    expect(await opened.read([0, 1])).toEqual(await source.read([9, 7]));
    await expect(opened.read([2])).rejects.toThrow('fewer: expected image indices from 0 to 1. Received: 2.');
  });

  test('are none where the source cannot be read elsewhere', () => {
    const { share: _, ...handles } = source;
    expect(selectImages(handles, Uint32Array.of(1), { name: 'one' }).share).toBeUndefined();
  });
});
