import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf, zipOf } from '../../test/support/archives.js';
import { filesBelow, writePictures } from '../../test/support/picture-folder.js';
import { importImages } from './import-images.node.js';
import { openFound } from './readers/open-found.node.js';

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'quarterturn-archive-'));
  await writePictures(join(folder, 'pictures'), { counts: { bar: 8, edge: 4 } });
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** How many images were read and decoded, and their pixels. */
async function importArchive(path: string) {
  const found = await openFound(path);
  let read = 0;
  const images = found.images.map((image) => ({
    ...{ name: image.name, ...(image.stamp && { stamp: image.stamp }) },
    read: () => {
      read++;
      return image.read();
    },
  }));
  await using imported = await importImages({ ...found, images }, { cacheFolder: join(folder, 'cache') });
  await found.close?.();
  const { data } = await imported.source.read(imported.images.map(({ row }) => row));
  return { read, decoded: imported.decoded, pixels: Buffer.from(data).toString('base64') };
}

test.each([
  ['tar', tarOf],
  ['zip', zipOf],
] as const)(
  'nothing of a %s archive is read the second time, until it is another one',
  async (ending, packed) => {
    const archive = join(folder, `pictures.${ending}`);
    const pack = async (time: number): Promise<void> => {
      const members = Object.entries(await filesBelow(join(folder, 'pictures')));
      await fs.writeFile(archive, packed(members.map(([name, data]) => ({ name, data }))));
      await fs.utimes(archive, time, time);
    };
    await pack(1e9);
    const first = await importArchive(archive);
    expect(first.decoded).toBe(12);
    expect(await importArchive(archive)).toEqual({ read: 0, decoded: 0, pixels: first.pixels });
    // What is in it may be other pictures of the same sizes: its time alone tells.
    await pack(1.1e9);
    expect((await importArchive(archive)).read).toBeGreaterThanOrEqual(12);
    expect((await importArchive(archive)).read).toBe(0);
  },
);
