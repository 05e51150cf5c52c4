import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foundIn, makeOld } from '../../test/support/found-folder.js';
import { decodeImage } from './image-decode.node.js';
import { type ImportedImages, type ImportOptions, importImages } from './import-images.node.js';

let parent: string;
let folder: string;
let cacheFolder: string;
const opened: ImportedImages[] = [];
beforeEach(async () => {
  parent = await fs.mkdtemp(join(tmpdir(), 'quarterturn-import-'));
  folder = join(parent, 'pictures');
  cacheFolder = join(parent, 'cache');
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await fs.rm(parent, { recursive: true });
});

async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  await fs.mkdir(dirname(join(folder, name)), { recursive: true });
  await fs.writeFile(join(folder, name), bytes);
}

/** A picture that no other number gives. */
function picture(number: number, { height = 40, width = 60, channels = 3 as 1 | 3 } = {}) {
  const texture = (_: unknown, i: number) => (i < 300 ? number ** 2 % 251 : (i * (number + 3) * 37) % 256);
  const pixels = Uint8Array.from({ length: height * width * channels }, texture);
  return sharp(pixels, { raw: { height, width, channels } });
}

async function putMany(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await put(`${i % 2 === 0 ? 'cat' : 'dog'}/${i}.png`, await picture(i).png().toBuffer());
  await makeOld(folder);
}

/** Import the folder; `read` are the names of images whose bytes were asked for. */
async function importFolder(options: ImportOptions = {}) {
  const read: string[] = [];
  const imported = await importImages(await foundIn(folder, read), { cacheFolder, ...options });
  opened.push(imported);
  return { imported, read: [...new Set(read)] };
}

/** The pixels of each image by its name. */
async function pixelsOf({ images, source }: ImportedImages): Promise<Record<string, string>> {
  const { data } = await source.read(images.map(({ row }) => row));
  const bytes = data.length / images.length;
  return Object.fromEntries(
    images.map(({ name }, i) => [
      name,
      Buffer.from(data.subarray(i * bytes, (i + 1) * bytes)).toString('base64'),
    ]),
  );
}

test('pictures of all kinds become images of one size, as the decoder gives them', async () => {
  await put('train/cat/1.png', await picture(1).png().toBuffer());
  await put('train/cat/2.jpg', await picture(2, { height: 300, width: 200 }).jpeg().toBuffer());
  await put('train/dog/3.webp', await picture(3, { height: 100, width: 70 }).webp().toBuffer());
  await put('test/dog/4.tif', await picture(4, { channels: 1 }).tiff({ compression: 'none' }).toBuffer());
  await put('test/cat/5.gif', await picture(5).gif().toBuffer());
  const { imported } = await importFolder();
  expect(imported.fit).toEqual({
    size: { height: 32, width: 32, channels: 3 },
    fit: 'cover',
    ground: 'black',
    why: '32×32 in colour: the shorter side of 5 pictures looked at is 40 in the median',
  });
  expect(imported.images.map(({ name, label, split }) => [name, label, split])).toEqual([
    ['test/cat/5.gif', 'cat', 'test'],
    ['test/dog/4.tif', 'dog', 'test'],
    ['train/cat/1.png', 'cat', 'train'],
    ['train/cat/2.jpg', 'cat', 'train'],
    ['train/dog/3.webp', 'dog', 'train'],
  ]);
  expect(imported.images[3]).toMatchObject({ height: 300, width: 200 });
  expect(imported.source).toMatchObject({ name: 'pictures', count: 5, height: 32, width: 32, channels: 3 });
  const pixels = await pixelsOf(imported);
  for (const { name } of imported.images) {
    const bytes = await fs.readFile(join(folder, name));
    const { pixels: alone } = await decodeImage(name, bytes, imported.fit.size, { fit: 'cover' });
    expect(pixels[name]).toBe(Buffer.from(alone).toString('base64'));
  }
});

test('pictures without a colour become grey images; one in colour among them is told', async () => {
  for (let i = 0; i < 300; i++)
    await put(`${i}.png`, await picture(i, { height: 28, width: 28, channels: 1 }).png().toBuffer());
  const { imported } = await importFolder();
  expect(imported.fit.why).toBe('28×28 in grey: all of 256 pictures looked at have that size');
  expect(imported.notes).toEqual([]);
  // Of 300 pictures 256 are looked at, and the fourth one (100.png) is not among them.
  await put('100.png', await picture(100, { height: 28, width: 28 }).png().toBuffer());
  const { imported: again } = await importFolder();
  expect(again.fit.size.channels).toBe(1);
  expect(again.notes).toEqual(['1 picture shows colours and becomes grey (100.png).']);
});

describe('the second time', () => {
  test('nothing is read', async () => {
    await putMany(40);
    const first = await importFolder();
    expect(first.imported.decoded).toBe(40);
    const second = await importFolder();
    expect(second.read).toEqual([]);
    expect(second.imported.decoded).toBe(0);
    expect(await pixelsOf(second.imported)).toEqual(await pixelsOf(first.imported));
    expect(second.imported.fit).toEqual(first.imported.fit);
  });

  test('another fit is another pack', async () => {
    await putMany(4);
    const { imported } = await importFolder();
    for (const options of [
      { size: 28 },
      { fit: 'contain' },
      { colours: 'grey' },
      { ground: 'white' },
    ] as const) {
      const other = await importFolder(options);
      expect(other.imported.decoded).toBe(4);
      expect(other.imported.source.file.path).not.toBe(imported.source.file.path);
    }
    expect((await importFolder()).imported.decoded).toBe(0);
  });

  test('labels have no say', async () => {
    await putMany(6);
    await importFolder();
    const found = await foundIn(folder);
    const images = found.images.map((image) => ({ ...image, label: 'other' }));
    const imported = await importImages({ ...found, images }, { cacheFolder });
    opened.push(imported);
    expect(imported.decoded).toBe(0);
    expect(new Set(imported.images.map(({ label }) => label))).toEqual(new Set(['other']));
  });

  test('touched and moved files are read and not decoded, and the third time not even read', async () => {
    await putMany(10);
    const first = await importFolder();
    const before = await pixelsOf(first.imported);
    await fs.utimes(join(folder, 'cat/0.png'), new Date(), new Date(Date.now() - 60_000));
    await fs.rename(join(folder, 'dog/1.png'), join(folder, 'cat/new.png'));
    const second = await importFolder();
    expect(second.read.sort()).toEqual(['cat/0.png', 'cat/new.png']);
    expect(second.imported.decoded).toBe(0);
    const { 'cat/new.png': moved, ...others } = await pixelsOf(second.imported);
    expect({ ...others, 'dog/1.png': moved }).toEqual(before);
    expect((await importFolder()).read).toEqual([]);
  });

  test('changed and new files alone are decoded, and deleted ones are gone', async () => {
    await putMany(10);
    const first = await importFolder();
    const before = await pixelsOf(first.imported);
    await put('cat/2.png', await picture(77).png().toBuffer());
    await put('dog/new.png', await picture(78).png().toBuffer());
    await fs.rm(join(folder, 'dog/3.png'));
    const second = await importFolder({ colours: 'rgb', size: 32 });
    expect(second.read.sort()).toEqual(['cat/2.png', 'dog/new.png']);
    expect(second.imported.decoded).toBe(2);
    const after = await pixelsOf(second.imported);
    expect(Object.keys(after).sort()).toEqual(
      [...Object.keys(before), 'dog/new.png'].filter((name) => name !== 'dog/3.png').sort(),
    );
    expect(after['cat/2.png']).not.toBe(before['cat/2.png']);
    expect(after['cat/4.png']).toBe(before['cat/4.png']);
    // The first one is as it was: its pack is deleted only when it is closed.
    expect(await pixelsOf(first.imported)).toEqual(before);
  });

  test('a file that changes within the tick of its time is seen to have changed', async () => {
    const [one, other] = [
      await picture(1, { channels: 1 }).tiff({ compression: 'none' }).toBuffer(),
      await picture(2, { channels: 1 }).tiff({ compression: 'none' }).toBuffer(),
    ];
    expect(one.length).toBe(other.length);
    const now = new Date();
    const seen: string[] = [];
    for (const bytes of [one, other, one]) {
      await put('current.tif', bytes);
      await fs.utimes(join(folder, 'current.tif'), now, now);
      const { imported } = await importFolder();
      seen.push((await pixelsOf(imported))['current.tif'] ?? '');
    }
    expect(seen[0]).toBe(seen[2]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  test.each([
    ['images.u8', (path: string) => fs.truncate(path, 1000)],
    ['images.u8', (path: string) => fs.appendFile(path, 'more')],
    ['images.u8', (path: string) => fs.rm(path)],
    ['index.jsonl', (path: string) => fs.truncate(path, 300)],
    ['index.jsonl', (path: string) => fs.writeFile(path, '{"name":\nnonsense\n')],
    ['index.jsonl', (path: string) => fs.rm(path)],
    ['pack.json', (path: string) => fs.writeFile(path, '{}')],
    ['pack.json', (path: string) => fs.rm(path)],
  ])('a damaged pack is made again: %s', async (name, damage) => {
    await putMany(8);
    const first = await importFolder();
    const before = await pixelsOf(first.imported);
    await first.imported.close();
    await damage(join(dirname(first.imported.source.file.path), name));
    const second = await importFolder();
    expect(await pixelsOf(second.imported)).toEqual(before);
    expect((await importFolder()).imported.decoded).toBe(0);
  });
});

describe('what cannot be used', () => {
  const text = (content: string) => new TextEncoder().encode(content);
  const fill = async () => {
    await putMany(3);
    await put('cat/animated.gif', await animated());
    await put('cat/empty.jpg', '');
    await put('cat/login.jpg', text('<!DOCTYPE html><html>'));
    await put('cat/pointer.png', text('version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n'));
    await put('dog/phone.heic', text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'));
    const whole = await picture(9).png().toBuffer();
    await put('dog/half.png', whole.subarray(0, whole.length / 2));
    await put('dog/third.png', whole.subarray(0, whole.length / 3));
    await put(
      'dog/white.png',
      await sharp({ create: { width: 50, height: 50, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    await put(
      'dog/ink.png',
      await sharp({ create: { width: 50, height: 50, channels: 4, background: '#0000' } })
        .png()
        .toBuffer(),
    );
  };
  const animated = () => {
    const frames = Uint8Array.from({ length: 3 * 40 * 40 * 3 }, (_, i) => (i * 31) % 256);
    return sharp(frames, { raw: { width: 40, height: 120, channels: 3, pageHeight: 40 } })
      .gif()
      .toBuffer();
  };

  test('is set aside by its kind, and the rest goes on, each time', async () => {
    await fill();
    for (let time = 0; time < 2; time++) {
      const { imported } = await importFolder();
      expect(imported.images.map(({ name }) => name)).toEqual([
        'cat/0.png',
        'cat/2.png',
        'cat/animated.gif',
        'dog/1.png',
      ]);
      expect(imported.skipped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
        'cat/empty.jpg: empty file',
        'cat/login.jpg: web page (HTML)',
        'cat/pointer.png: Git LFS pointer in place of the file',
        'dog/half.png: PNG file that is cut off',
        'dog/ink.png: image of one colour',
        'dog/phone.heic: HEIC photograph',
        'dog/third.png: PNG file that is cut off',
        'dog/white.png: image of one colour',
      ]);
      expect(imported.skipped.every(({ hint }) => hint !== undefined)).toBe(true);
      expect(imported.skipped[4]?.hint).toMatch(/dark ink disappears: try a white ground/);
      expect(imported.notes).toEqual([
        '1 file holds several pictures (cat/animated.gif): the first is taken.',
      ]);
    }
  });

  test('stops a strict import, the first one that is found', async () => {
    await fill();
    await expect(importFolder({ strict: true })).rejects.toThrow(
      'cat/empty.jpg: expected a readable image file.',
    );
    for (const name of ['empty.jpg', 'login.jpg', 'pointer.png']) await fs.rm(join(folder, 'cat', name));
    for (const name of ['half.png', 'third.png', 'phone.heic']) await fs.rm(join(folder, 'dog', name));
    for (let time = 0; time < 2; time++) {
      await expect(importFolder({ strict: true })).rejects.toThrow(
        'dog/ink.png: expected a picture of something. Received: an image of one colour.',
      );
    }
  });

  test('is all there is: the kinds are told', async () => {
    await put('a.png', '');
    await put('b.png', text('<html>'));
    await put('c.png', '');
    await expect(importFolder()).rejects.toMatchObject({
      code: 'data',
      message: `${folder}: expected images that can be read. Received: empty file: 2 (a.png, c.png). Copy or download the file again. web page (HTML): 1 (b.png). Download the picture itself, signed in where the site asks for it.`,
    });
  });

  test('is nothing at all', async () => {
    await fs.mkdir(folder);
    const message = `${folder}: expected images that can be read. Received: none.`;
    await expect(importFolder()).rejects.toMatchObject({ code: 'data', message });
  });
});

test('the same picture counts once, and never for training and test', async () => {
  const original = picture(1, { channels: 1 });
  const png = await original.png().toBuffer();
  const [two, three] = [
    await picture(2, { channels: 1 }).png().toBuffer(),
    await picture(3, { channels: 1 }).png().toBuffer(),
  ];
  await put('train/a/1.png', png);
  await put('train/a/2.png', two);
  await put('train/b/copy-of-a1.png', png);
  await put('train/b/1.png', await picture(4, { channels: 1 }).png().toBuffer());
  await put('train/b/3.png', three);
  await put('test/a/again.png', await sharp(two).png({ progressive: true }).toBuffer());
  await put('test/a/other-name.png', two);
  await put(
    'test/b/encoded-again.png',
    await sharp(three).png({ compressionLevel: 0, progressive: true }).toBuffer(),
  );
  const { imported } = await importFolder();
  expect(imported.images.map(({ name, label }) => [name, label])).toEqual([
    ['test/a/again.png', 'a'],
    ['test/b/encoded-again.png', 'b'],
    ['train/a/1.png', undefined],
    ['train/b/1.png', 'b'],
  ]);
  expect(imported.duplicates).toHaveLength(3);
  expect(imported.notes).toEqual([
    '3 test images are also training images (1 byte for byte, 2 only after decoding): test/a/again.png, test/a/other-name.png, test/b/encoded-again.png. They are left out of training.',
    expect.stringContaining(
      '1 picture bears more than one label: train/a/1.png: a ≠ train/b/copy-of-a1.png: b.',
    ),
  ]);
  expect((await importFolder({ duplicates: 'keep' })).imported.images).toHaveLength(8);
});

test('pixels of arrays are kept as they are, and known again', async () => {
  const images = Array.from({ length: 128 }, (_, i) => ({
    name: `images[${i}]`,
    label: String(i % 10),
    async read() {
      const pixels = Uint8Array.from({ length: 28 * 28 }, (_, at) => (at * (i + 3)) % 256);
      return { kind: 'pixels', height: 28, width: 28, channels: 1, pixels } as const;
    },
  }));
  const found = {
    format: 'npz',
    origin: join(parent, 'a.npz'),
    images,
    classNames: [],
    skipped: [],
    notes: [],
  };
  for (const decoded of [128, 0]) {
    await using imported = await importImages(found, { cacheFolder });
    expect(imported.decoded).toBe(decoded);
    expect(imported.fit.size).toEqual({ height: 28, width: 28, channels: 1 });
    for (const index of [0, 1, 127]) {
      const { data } = await imported.source.read([imported.images[index]?.row ?? -1]);
      expect(data).toEqual((await images[index]?.read())?.pixels);
    }
  }
});

test('progress is told, and a stop is heard; what was decoded by then is not lost', async () => {
  await putMany(60);
  const stop = new AbortController();
  const told: number[] = [];
  const stopped = importFolder({
    size: 28,
    colours: 'rgb',
    signal: stop.signal,
    onProgress: ({ done, total }) => {
      expect(total).toBe(60);
      told.push(done);
      if (done >= 1) stop.abort(new Error('enough'));
    },
  });
  await expect(stopped).rejects.toThrow('enough');
  expect(told.length).toBeGreaterThan(0);
  const { imported, read } = await importFolder({ size: 28, colours: 'rgb' });
  expect(imported.decoded).toBeLessThan(60);
  expect(read.length).toBe(imported.decoded);
  expect(imported.images).toHaveLength(60);
  expect((await fs.readdir(cacheFolder)).length).toBe(1);
});
