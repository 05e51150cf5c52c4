import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newOwnerName } from '../../owner.node.js';
import { type ImportedImages, importImages } from '../import-images.node.js';
import { clearCache, defaultCacheFolder, listCache, listingFolderOf } from './cache-folder.node.js';

let cacheFolder: string;
const opened: ImportedImages[] = [];
beforeEach(async () => {
  cacheFolder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-cache-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const each of opened.splice(0)) await each.close();
  await fs.rm(cacheFolder, { recursive: true });
});

/** Import 100 images of 28×28, 78,400 bytes, from a source of some name. */
async function pack(
  name: string,
  { maxCacheBytes = 1e9, isOpen = false, usedMinutesAgo = 0 } = {},
): Promise<string> {
  const images = Array.from({ length: 100 }, (_, i) => ({
    name: `images[${i}]`,
    async read() {
      const pixels = Uint8Array.from({ length: 28 * 28 }, (_, at) => (at * (i + 3)) % 256);
      return { kind: 'pixels', height: 28, width: 28, channels: 1, pixels } as const;
    },
  }));
  const found = {
    format: 'npz',
    origin: `/data/${name}.npz`,
    images,
    classNames: [],
    skipped: [],
    notes: [],
  };
  const imported = await importImages(found, { cacheFolder, maxCacheBytes });
  if (isOpen) opened.push(imported);
  else await imported.close();
  const folder = join(imported.source.file.path, '..');
  const used = Date.now() / 1000 - 60 * usedMinutesAgo;
  await fs.utimes(join(folder, 'pack.json'), used, used);
  return folder;
}

const origins = async () => (await listCache({ cacheFolder })).map(({ origin }) => origin);

/** A process that has ended, as the names of its files tell it. */
async function deadOwner(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const [place, , ticks, rest] = newOwnerName().split('-');
  return [place, child.pid, ticks, rest].join('-');
}

describe('where it is', () => {
  test.each([
    ['/somewhere/cache', '/somewhere/cache/quarterturn'],
    ['', join(homedir(), '.cache/quarterturn')],
    ['not/absolute', join(homedir(), '.cache/quarterturn')],
  ])('with XDG_CACHE_HOME=%s', (given, folder) => {
    vi.stubEnv('XDG_CACHE_HOME', given);
    expect(defaultCacheFolder()).toBe(folder);
  });
});

test('it is listed, the last used pack first', async () => {
  await pack('old', { usedMinutesAgo: 60 });
  const folder = await pack('new', { isOpen: true });
  const packs = await listCache({ cacheFolder });
  expect(packs.map(({ origin, inUse }) => [origin, inUse])).toEqual([
    ['/data/new.npz', true],
    ['/data/old.npz', false],
  ]);
  expect(packs[0]).toMatchObject({
    folder,
    format: 'npz',
    height: 28,
    width: 28,
    channels: 1,
    unfinished: false,
  });
  expect(packs[0]?.sizeBytes).toBeGreaterThan(78_400);
  expect(packs[0]?.sizeBytes).toBeLessThan(150_000);
});

test('one that is not there is empty', async () => {
  expect(await listCache({ cacheFolder: join(cacheFolder, 'none') })).toEqual([]);
  expect(await clearCache({ cacheFolder: join(cacheFolder, 'none') })).toEqual({ removed: [], inUse: [] });
});

describe('clearing', () => {
  test('takes all that is not in use', async () => {
    await pack('a');
    await pack('b', { isOpen: true });
    await pack('c');
    const { removed, inUse } = await clearCache({ cacheFolder });
    expect(removed.map(({ origin }) => origin).sort()).toEqual(['/data/a.npz', '/data/c.npz']);
    expect(inUse.map(({ origin }) => origin)).toEqual(['/data/b.npz']);
    expect(await origins()).toEqual(['/data/b.npz']);
    const { data } = await opened[0]!.source.read([99]);
    expect(data[1]).toBe(102);
    await opened.pop()?.close();
    const listings = listingFolderOf({ cacheFolder });
    await fs.mkdir(listings);
    await fs.writeFile(join(listings, `${'a0'.repeat(32)}.json`), '{}');
    await clearCache({ cacheFolder, keepBytes: 1e9 });
    expect(await fs.readdir(listings)).toHaveLength(1);
    await clearCache({ cacheFolder });
    expect(await fs.readdir(cacheFolder)).toEqual([]);
  });

  test('takes one source', async () => {
    await pack('a');
    await pack('b');
    await clearCache({ cacheFolder, origin: '/data/a.npz' });
    expect(await origins()).toEqual(['/data/b.npz']);
  });

  test('leaves alone what is not its own', async () => {
    await fs.writeFile(join(cacheFolder, 'letter.txt'), 'dear');
    await fs.mkdir(join(cacheFolder, 'photos'));
    await fs.mkdir(join(cacheFolder, 'listings'));
    await fs.writeFile(join(cacheFolder, 'listings/mine.json'), '{}');
    await pack('a');
    await clearCache({ cacheFolder });
    expect((await fs.readdir(cacheFolder)).sort()).toEqual(['letter.txt', 'listings', 'photos']);
    expect(await fs.readdir(join(cacheFolder, 'listings'))).toEqual(['mine.json']);
  });
});

test('over its bound the packs go that were used longest ago, none that is in use', async () => {
  await pack('used', { isOpen: true, usedMinutesAgo: 300 });
  await pack('oldest', { usedMinutesAgo: 200 });
  await pack('older', { usedMinutesAgo: 100 });
  await pack('old', { usedMinutesAgo: 50 });
  const packBytes = (await listCache({ cacheFolder }))[0]?.sizeBytes ?? 0;
  await pack('new', { maxCacheBytes: 3.5 * packBytes, isOpen: true });
  expect(await origins()).toEqual(['/data/new.npz', '/data/old.npz', '/data/used.npz']);
  // What does not fit is kept as long as it is in use.
  await pack('newest', { maxCacheBytes: 1, isOpen: true });
  expect(await origins()).toEqual(['/data/newest.npz', '/data/new.npz', '/data/used.npz']);
});

test('what dead processes left is no longer in use, and half deleted packs go', async () => {
  const folder = await pack('a');
  await fs.writeFile(join(folder, `.use.${await deadOwner()}`), '');
  await fs.mkdir(join(cacheFolder, `.trash.${await deadOwner()}`));
  await fs.mkdir(join(cacheFolder, `.part.a.0.0.${await deadOwner()}`));
  await fs.mkdir(join(cacheFolder, `.part.b.0.0.${newOwnerName()}`));
  expect((await listCache({ cacheFolder })).map(({ inUse }) => inUse)).toEqual([false]);
  await clearCache({ cacheFolder });
  expect(await fs.readdir(cacheFolder)).toEqual([expect.stringMatching(/^\.part\.b/)]);
});

test('a folder that cannot be written is named, and what to do', async () => {
  const file = join(cacheFolder, 'file');
  await fs.writeFile(file, '');
  const found = { format: 'npz', origin: '/data/a.npz', images: [], classNames: [], skipped: [], notes: [] };
  await expect(importImages(found, { cacheFolder: join(file, 'cache') })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringMatching(/file.cache: expected to keep decoded images there\. Received: ENOTDIR/),
    hint: 'Give another --cache folder.',
  });
});
