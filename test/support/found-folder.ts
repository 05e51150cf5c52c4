import fs from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { FoundImage, FoundImages } from '../../src/data/readers/found-images.js';

/**
 * All files below a folder as images, for tests of what comes after reading: `test/cat/1.png` is a cat of the test part.
 * @param readNames takes the name of each image that is read
 */
export async function foundIn(folder: string, readNames: string[] = []): Promise<FoundImages> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const images = await Promise.all(
    paths.map(async (path): Promise<FoundImage> => {
      const name = path.slice(folder.length + 1).replaceAll(sep, '/');
      const parts = name.split('/').slice(0, -1);
      const split = (['train', 'val', 'test'] as const).find((each) => each === parts[0]);
      const label = parts.at(split === undefined ? 0 : 1);
      const { size: sizeBytes, mtimeMs: modifiedMs } = await fs.stat(path);
      return {
        name,
        ...(label !== undefined && { label }),
        ...(split !== undefined && { split }),
        stamp: { sizeBytes, modifiedMs },
        async read() {
          readNames.push(name);
          return { kind: 'file', bytes: await fs.readFile(path) };
        },
      };
    }),
  );
  images.sort((a, b) => (a.name < b.name ? -1 : 1));
  const classNames = [...new Set(images.flatMap(({ label }) => label ?? []))].sort();
  return { format: 'folder', origin: folder, images, classNames, skipped: [], notes: [] };
}

/** Make all files below a folder look an hour old, so that their times tell whether they have changed since. */
export async function makeOld(folder: string): Promise<void> {
  const anHourAgo = new Date(Date.now() - 3600_000);
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await fs.utimes(join(entry.parentPath, entry.name), anHourAgo, anHourAgo);
  }
}
