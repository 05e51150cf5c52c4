import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pictureOf, writePictures } from '../../../test/support/picture-folder.js';
import { hashImage } from '../../data/image-hash.js';
import type { Pile } from './pile.js';
import { readPile } from './read-pile.node.js';
import type { PileProgress } from './updates.js';

let folder: string;
let pile: Pile;
const told: PileProgress[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterturn-pile-'));
  const photos = join(folder, 'photos');
  await writePictures(photos, { counts: { bar: 30, corner: 20 } });
  const raw = { width: 32, height: 32, channels: 1 } as const;
  const png = await sharp(pictureOf('bar', 1), { raw }).png().toBuffer();
  await writeFile(join(photos, 'bar', 'doubled.png'), png);
  await writeFile(join(photos, 'bar', 'damaged.png'), png.subarray(0, 100));
  const wide = await sharp({ create: { width: 2000, height: 500, channels: 3, background: 'red' } })
    .composite([
      { input: { create: { width: 1000, height: 500, channels: 3, background: 'blue' } }, left: 0, top: 0 },
    ])
    .jpeg()
    .withMetadata({ orientation: 6 })
    .toBuffer();
  await writeFile(join(photos, 'bar', 'größe 图.jpg'), wide);
  pile = await readPile(
    { path: photos },
    {
      cacheFolder: join(folder, 'cache'),
      signal: new AbortController().signal,
      onProgress: (each) => told.push(each),
    },
  );
});
afterAll(async () => {
  await pile.close();
  await rm(folder, { recursive: true, force: true });
});

const indexOf = (name: string): number => pile.images.findIndex((image) => image.name.endsWith(name));
const pixelsOf = async (bytes: Uint8Array) =>
  sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });

test('a pile has each picture once, by the hash that labels name it by, and says what was set aside', async () => {
  const { facts, images, skipped, duplicates } = pile;
  expect(facts).toMatchObject({ count: 51, height: 32, width: 32, channels: 3, setAside: 1, duplicates: 1 });
  expect(facts.classNames).toEqual(['bar', 'corner']);
  expect(facts.setAsideKinds).toMatchObject([{ count: 1, names: ['bar/damaged.png'] }]);
  expect(skipped.map(({ name }) => name)).toEqual(['bar/damaged.png']);
  expect(duplicates.map(({ names }) => names)).toEqual([['bar/001.png', 'bar/doubled.png']]);
  expect(images[indexOf('corner/003.png')]).toMatchObject({ name: 'corner/003.png', foundClass: 1 });
  const pixels = Uint8Array.from([...pictureOf('corner', 3)].flatMap((v) => [v, v, v]));
  const id = await hashImage({ pixels, height: 32, width: 32, channels: 3 });
  expect(images[indexOf('corner/003.png')]?.id).toBe(id);
  expect(told.at(-1)).toMatchObject({ phase: 'reading', done: 53, total: 53, setAside: 1 });
});

test('pictures are as the model sees them, and larger from their files: upright, in their proportions', async () => {
  const index = indexOf('corner/003.png');
  const small = await pixelsOf((await pile.small(index)).bytes);
  expect(small.info).toMatchObject({ width: 32, height: 32 });
  expect(small.data.filter((_, i) => i % 3 === 0)).toEqual(Buffer.from(pictureOf('corner', 3)));
  const same = await pile.view(index);
  expect(same.type).toBe('image/png');
  expect((await pixelsOf(same.bytes)).data).toEqual(small.data);
  const wide = await pile.view(indexOf('.jpg'));
  expect(wide.type).toBe('image/jpeg');
  const { info, data } = await pixelsOf(wide.bytes);
  expect([info.width, info.height]).toEqual([320, 1280]);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * 320 + x), 3 * (y * 320 + x) + 3)];
  expect(at(160, 100)).toEqual([expect.closeTo(0, -1), expect.closeTo(0, -1), expect.closeTo(255, -1)]);
  expect(at(160, 1100)).toEqual([expect.closeTo(255, -1), expect.closeTo(0, -1), expect.closeTo(0, -1)]);
  expect(pile.facts.hasFiles).toBe(true);
  const tile = await pile.tile(indexOf('.jpg'));
  const upright = await pixelsOf(tile.bytes);
  expect([upright.info.width, upright.info.height]).toEqual([64, 256]);
  const colour = [...upright.data.subarray(3 * 64 * 20, 3 * 64 * 20 + 3)];
  expect(colour).toEqual([expect.closeTo(0, -1), expect.closeTo(0, -1), expect.closeTo(255, -1)]);
  expect(await pile.tile(indexOf('.jpg'))).toBe(tile);
});

test('a pile that is stopped, and one that is not there', async () => {
  const options = { cacheFolder: join(folder, 'cache'), onProgress: () => {} };
  const reason = new Error('enough');
  await expect(
    readPile({ path: folder }, { ...options, signal: AbortSignal.abort(reason) }),
  ).rejects.toThrow();
  const { signal } = new AbortController();
  await expect(readPile({ path: join(folder, 'none') }, { ...options, signal })).rejects.toThrow(/none/);
});
