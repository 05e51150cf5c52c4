import { describe, expect, it } from 'vitest';
import { npy, npz } from '../../../test/support/npz.js';
import { Random } from '../../random/random.js';
import { type ByteSource, bytesInMemory } from './byte-source.js';
import type { FoundImages } from './found-images.js';
import { openNumpyImages, readNumpyImages } from './numpy-images.node.js';

const [count, size] = [3, 28];
const area = size * size;
const random = Random.seeded(7);
/** [3, 28, 28], its first values from 0 on. */
const pixels = Uint8Array.from({ length: count * area }, (_, i) => (i < 256 ? i : random.integer(256)));
/** [3, 28, 28, 3]. */
const colours = Uint8Array.from({ length: 3 * count * area }, () => random.integer(256));
const images = npy('|u1', [count, size, size], pixels);
const labels = npy('|u1', [count], Uint8Array.of(0, 1, 0));
const both = { images, labels };

const read = (bytes: Uint8Array, name = 'set.npz') => readNumpyImages([bytesInMemory(name, bytes)]);
const labelsOf = (found: FoundImages) => found.images.map(({ label }) => label);

async function pixelsOf(found: FoundImages): Promise<number[]> {
  const all = await Promise.all(found.images.map((image) => image.read()));
  return all.flatMap((image) => (image.kind === 'pixels' ? [...image.pixels] : []));
}

/** In the order in which the first axis varies fastest. */
function inFortranOrder(values: Uint8Array, shape: readonly number[]): Uint8Array {
  const result = new Uint8Array(values.length);
  for (const [i, value] of values.entries()) {
    let [rest, to] = [i, 0];
    const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      to += (rest % (shape[axis] ?? 1)) * (strides[axis] ?? 1);
      rest = Math.floor(rest / (shape[axis] ?? 1));
    }
    result[to] = value;
  }
  return result;
}

/** [N, H, W, C] as [N, C, H, W]. */
function channelsFirst(values: Uint8Array): Uint8Array {
  return Uint8Array.from(values, (_, i) => {
    const [n, c, at] = [Math.floor(i / (3 * area)), Math.floor(i / area) % 3, i % area];
    return values[n * 3 * area + at * 3 + c] ?? 0;
  });
}

const bigEndian = (values: readonly number[]) => {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value);
  return view;
};

const unicode = (texts: readonly string[], length: number) =>
  Uint32Array.from(
    texts.flatMap((text) => Array.from({ length }, (_, i) => [...text][i]?.codePointAt(0) ?? 0)),
  );

describe('the same images in every form', () => {
  it.each<[string, Uint8Array]>([
    ['stored', npz(both)],
    ['packed', npz(both, { deflate: true })],
    ['written to a pipe', npz(both, { deflate: true, streamed: true })],
    [
      'Fortran order',
      npz({
        ...both,
        images: npy('|u1', [3, 28, 28], inFortranOrder(pixels, [3, 28, 28]), { fortranOrder: true }),
      }),
    ],
    ['a channel behind', npz({ ...both, images: npy('|u1', [3, 28, 28, 1], pixels) })],
    ['a channel before', npz({ ...both, images: npy('|u1', [3, 1, 28, 28], pixels) })],
    ['header of version 2', npz({ ...both, images: npy('|u1', [3, 28, 28], pixels, { version: 2 }) })],
    ['header of version 3', npz({ ...both, images: npy('|u1', [3, 28, 28], pixels, { version: 3 }) })],
    [
      'float32 from 0 to 1',
      npz({
        ...both,
        images: npy(
          '<f4',
          [3, 28, 28],
          Float32Array.from(pixels, (v) => v / 255),
        ),
      }),
    ],
    ['float64 from 0 to 255', npz({ ...both, images: npy('<f8', [3, 28, 28], Float64Array.from(pixels)) })],
    ['int64', npz({ ...both, images: npy('<i8', [3, 28, 28], BigInt64Array.from(pixels, BigInt)) })],
    [
      '16 bits',
      npz({
        ...both,
        images: npy(
          '<u2',
          [3, 28, 28],
          Uint16Array.from(pixels, (v) => 257 * v),
        ),
      }),
    ],
    ['big-endian', npz({ ...both, images: npy('>i4', [3, 28, 28], bigEndian([...pixels])) })],
    ['int64 labels', npz({ images, labels: npy('<i8', [3], BigInt64Array.of(0n, 1n, 0n)) })],
    ['big-endian labels', npz({ images, labels: npy('>i4', [3], bigEndian([0, 1, 0])) })],
    ['labels in a column', npz({ images, labels: npy('<i8', [3, 1], BigInt64Array.of(0n, 1n, 0n)) })],
    ['float labels', npz({ images, labels: npy('<f4', [3], Float32Array.of(0, 1, 0)) })],
    ['a 1 for the class', npz({ images, labels: npy('<f4', [3, 2], Float32Array.of(1, 0, 0, 1, 1, 0)) })],
    ['texts', npz({ images, labels: npy('<U2', [3], unicode(['0', '1', '0'], 2)) })],
    ['texts of bytes', npz({ images, labels: npy('|S1', [3], Uint8Array.of(48, 49, 48)) })],
    ['other names', npz({ X: images, y: labels })],
    ['no names', npz({ arr_0: images, arr_1: labels })],
    ['unknown names', npz({ brot: images, butter: labels })],
    ['capitals', npz({ Images: images, LABELS: labels })],
  ])('%s', async (_, bytes) => {
    const found = await read(bytes);
    expect(labelsOf(found)).toEqual(['0', '1', '0']);
    expect(found.classNames).toEqual(['0', '1']);
    expect(await pixelsOf(found)).toEqual([...pixels]);
    const [first] = await Promise.all(found.images.map((image) => image.read()));
    expect(first).toMatchObject({ kind: 'pixels', height: 28, width: 28, channels: 1 });
  });

  it.each<[string, Uint8Array]>([
    ['channels last', npz({ images: npy('|u1', [3, 28, 28, 3], colours) })],
    ['channels first', npz({ images: npy('|u1', [3, 3, 28, 28], channelsFirst(colours)) })],
    [
      'Fortran order',
      npz({
        images: npy('|u1', [3, 28, 28, 3], inFortranOrder(colours, [3, 28, 28, 3]), { fortranOrder: true }),
      }),
    ],
    [
      'both',
      npz({
        images: npy('|u1', [3, 3, 28, 28], inFortranOrder(channelsFirst(colours), [3, 3, 28, 28]), {
          fortranOrder: true,
        }),
      }),
    ],
  ])('colours, %s', async (_, bytes) => {
    const found = await read(bytes);
    expect(labelsOf(found)).toEqual([undefined, undefined, undefined]);
    expect(await pixelsOf(found)).toEqual([...colours]);
  });

  it('booleans are black and white, half floats are read', async () => {
    const bits = Uint8Array.from(pixels, (value) => value & 1);
    expect(await pixelsOf(await read(npz({ images: npy('|b1', [3, 28, 28], bits) })))).toEqual(
      [...bits].map((b) => 255 * b),
    );
    // 0, 1/2 and 1 of float16.
    const halves = Uint16Array.from(pixels, (value) => [0, 0x3800, 0x3c00][value % 3] ?? 0);
    expect(await pixelsOf(await read(npz({ images: npy('<f2', [3, 28, 28], halves) })))).toEqual(
      [...pixels].map((value) => [0, 128, 255][value % 3]),
    );
  });
});

describe('splits', () => {
  it.each([
    [
      'MedMNIST',
      {
        train_images: images,
        train_labels: labels,
        val_images: images,
        val_labels: labels,
        test_images: images,
        test_labels: labels,
      },
      ['train', 'val', 'test'],
    ],
    ['Keras', { x_test: images, y_test: labels, x_train: images, y_train: labels }, ['train', 'test']],
    ['written together', { Xtrain: images, ytrain: labels, Xtest: images, ytest: labels }, ['train', 'test']],
    ['a pile beside', { images, x_test: images, y_test: labels }, [undefined, 'test']],
  ])('%s', async (_, arrays, splits) => {
    const found = await read(npz(arrays));
    expect(found.images.map(({ split }) => split)).toEqual(splits.flatMap((split) => [split, split, split]));
    expect(await pixelsOf(found)).toEqual(splits.flatMap(() => [...pixels]));
  });

  it('names each image by its array', async () => {
    const found = await read(npz({ train_images: images, train_labels: labels }));
    expect(found.images.map(({ name }) => name)).toEqual([
      'train_images[0]',
      'train_images[1]',
      'train_images[2]',
    ]);
    expect(found).toMatchObject({ format: 'npz', origin: 'set.npz', skipped: [], notes: [] });
  });

  it('of several files', async () => {
    const found = await readNumpyImages([
      bytesInMemory('d/kmnist-train-imgs.npz', npz({ arr_0: images })),
      bytesInMemory('d/kmnist-train-labels.npz', npz({ arr_0: labels })),
      bytesInMemory('d/x_test.npy', images),
    ]);
    expect(found.images.map(({ name, split, label }) => [name, split, label])).toEqual([
      ['kmnist-train-imgs[0]', 'train', '0'],
      ['kmnist-train-imgs[1]', 'train', '1'],
      ['kmnist-train-imgs[2]', 'train', '0'],
      ['x_test[0]', 'test', undefined],
      ['x_test[1]', 'test', undefined],
      ['x_test[2]', 'test', undefined],
    ]);
  });

  it('of a lonely array', async () => {
    const found = await read(images, 'lonely.npy');
    expect([found.format, found.images.length, found.images[2]?.name]).toEqual(['npy', 3, 'lonely[2]']);
  });
});

describe('labels', () => {
  it('name classes, where the file names them', async () => {
    const found = await read(npz({ ...both, class_names: npy('<U4', [2], unicode(['löwe', 'cat'], 4)) }));
    expect([labelsOf(found), found.classNames]).toEqual([
      ['löwe', 'cat', 'löwe'],
      ['cat', 'löwe'],
    ]);
  });

  it('of −1 and empty texts are none', async () => {
    expect(labelsOf(await read(npz({ images, y: npy('<i8', [3], BigInt64Array.of(-1n, 12n, 2n)) })))).toEqual(
      [undefined, '12', '2'],
    );
    expect(
      (await read(npz({ images, y: npy('<i8', [3], BigInt64Array.of(-1n, 12n, 2n)) }))).classNames,
    ).toEqual(['2', '12']);
    expect(
      labelsOf(await read(npz({ images, y: npy('<U3', [3], unicode(['', '007', 'e\u0301'], 3)) }))),
    ).toEqual([undefined, '007', 'é']);
  });
});

describe('notes', () => {
  it.each<[string, Record<string, Uint8Array>, string]>([
    [
      'channels first',
      { images: npy('|u1', [3, 3, 28, 28], colours) },
      'images [3, 3, 28, 28] is read with its 3 channels first.',
    ],
    [
      'floats',
      { images: npy('<f4', [3, 28, 28], new Float32Array(3 * area)) },
      'Values of images from 0 to 1 are multiplied by 255.',
    ],
    [
      '16 bits',
      { images: npy('<u2', [3, 28, 28], new Uint16Array(3 * area).fill(4095)) },
      'Values of images have 16 bits and are divided by 257.',
    ],
    [
      'rows with a 1',
      { images, y: npy('|u1', [3, 2], Uint8Array.of(1, 0, 0, 1, 1, 0)) },
      'y has a row with a single 1 for each image: classes are its places, 0 to 1.',
    ],
    [
      'other arrays',
      { images, masks: npy('|u1', [3, 28], new Uint8Array(3 * 28)) },
      'Arrays of set.npz that are not read: masks.',
    ],
  ])('%s', async (_, arrays, note) => {
    expect((await read(npz(arrays))).notes).toEqual([note]);
  });

  it('entries that are no arrays, or lead out of the file', async () => {
    const found = await read(npz({ ...both, '../../evil': images, '/x_train': images }));
    expect(found.images).toHaveLength(3);
    expect(found.skipped.map(({ name }) => name)).toEqual(['../../evil.npy', '/x_train.npy']);
  });
});

describe('refused', () => {
  const cut = npz(both);
  const wrongSum = npz(both, { deflate: true });
  // The checksum of the last array, in the directory behind the data.
  const at = Buffer.from(wrongSum).lastIndexOf('PK\x01\x02') + 16;
  wrongSum.set([(wrongSum[at] ?? 0) ^ 1], at);
  it.each<[string, Uint8Array, string]>([
    [
      'a file that is cut off',
      cut.subarray(0, 1000),
      'set.npz: expected a whole NPZ file. Received: one that is cut off, or another file.',
    ],
    ['nothing', new Uint8Array(), 'set.npz: expected a whole NPZ file.'],
    [
      'other counts',
      npz({ images, labels: npy('|u1', [2], Uint8Array.of(0, 1)) }),
      'set.npz, labels: expected one label for each of the 3 images. Received: 2.',
    ],
    [
      'pickled objects',
      npz({ images, labels: npy('|O', [3], Uint8Array.of(0x80, 4, 0x4b, 0, 0x2e)) }),
      'set.npz, labels: expected numbers, booleans or texts. Received: pickled Python objects, which are programs and are not run.',
    ],
    ['records', npz({ images: images, y: npy("x', 'y", [3], new Uint8Array(3)) }), 'set.npz, y: '],
    [
      'complex numbers',
      npz({ images: npy('<c8', [3, 28, 28], new Float32Array(6 * area)) }),
      'Received: "<c8".',
    ],
    [
      'no numbers',
      npz({ images: npy('<f4', [3, 28, 28], new Float32Array(3 * area).fill(Number.NaN)) }),
      'set.npz, images: expected values from 0 to 255, or floating-point numbers from 0 to 1. Received: values that are no numbers, or infinite.',
    ],
    [
      'normalised values',
      npz({
        images: npy(
          '<f4',
          [3, 28, 28],
          Float32Array.from(pixels, (v) => v / 127.5 - 1),
        ),
      }),
      'Received: values from -1 to 1.',
    ],
    [
      'several labels',
      npz({ images, labels: npy('|u1', [3, 2], Uint8Array.of(1, 1, 0, 1, 0, 0)) }),
      'set.npz, labels: expected one label for each image. Received: several, or none, in [3, 2] (multi-label).',
    ],
    [
      'negative labels',
      npz({ images, labels: npy('<i4', [3], Int32Array.of(0, -2, 1)) }),
      'expected whole numbers from 0 on, or -1 for no label. Received: -2 at index 1.',
    ],
    [
      'labels between',
      npz({ images, labels: npy('<f4', [3], Float32Array.of(0, 0.5, 1)) }),
      'Received: 0.5 at index 1.',
    ],
    [
      'labels alone',
      npz({ y_train: labels }),
      'set.npz: expected images beside the labels y_train. Received: y_train [3].',
    ],
    [
      'two arrays of images',
      npz({ images, data: images }),
      'set.npz: expected one array of images without a split. Received: images and data.',
    ],
    [
      'flat images',
      npz({ images: npy('|u1', [3, 784], pixels) }),
      'set.npz, images: expected images, [N, H, W], [N, H, W, C] or [N, C, H, W] with 1, 3 or 4 channels. Received: [3, 784].',
    ],
    [
      'two ranges',
      npz({
        x_train: npy('<f4', [3, 28, 28], Float32Array.from(pixels)),
        x_test: npy('<f4', [3, 28, 28], new Float32Array(3 * area)),
      }),
      'Received: x_train up to 255, x_test up to 0.',
    ],
    [
      'a size that is not there',
      npz({ images: npy('|u1', [4, 28, 28], pixels) }),
      'set.npz, images: expected 3136 bytes for 4 x 28 x 28 elements. Received: 2352 (truncated).',
    ],
    ['a wrong checksum', wrongSum, 'Received: bytes that differ from what was packed.'],
  ])('%s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(message),
    });
  });

  it('what is not there', async () => {
    await expect(openNumpyImages(['/nowhere/x.npz'])).rejects.toMatchObject({
      code: 'data',
      message: '/nowhere/x.npz: expected a readable file. Received: no such file.',
    });
  });
});

it('reads an image of a stored array where it lies, and little else', async () => {
  const many = 1000;
  const bytes = npz({
    x_train: npy('|u1', [many, 28, 28], new Uint8Array(many * area)),
    y_train: npy('|u1', [many], new Uint8Array(many)),
  });
  let readBytes = 0;
  const memory = bytesInMemory('set.npz', bytes);
  const source: ByteSource = {
    ...memory,
    read(start, end) {
      readBytes += end - start;
      return memory.read(start, end);
    },
  };
  const found = await readNumpyImages([source]);
  // The directory, headers and labels.
  expect(readBytes).toBeLessThan(70_000);
  readBytes = 0;
  await found.images[500]?.read();
  expect(readBytes).toBeLessThanOrEqual(2 ** 18);
});
