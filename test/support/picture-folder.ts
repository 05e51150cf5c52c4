import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** Side of the pictures that {@link writePictures} makes. */
export const pictureSize = 32;

/** Classes of {@link writePictures}, each with how many pictures it has by default: of very different size. */
export const pictureClasses = { bar: 60, corner: 90, edge: 40 } as const;

/** Picture number n of a class: a bright part on a dark ground, which looks another way up when it is turned. */
export function pictureOf(name: keyof typeof pictureClasses, n: number): Uint8Array {
  const pixels = new Uint8Array(pictureSize * pictureSize);
  const [shiftX, shiftY] = [n % 4, Math.floor(n / 4) % 4];
  for (let y = 0; y < pictureSize; y++) {
    for (let x = 0; x < pictureSize; x++) {
      const bright = {
        bar: x > 4 + shiftX && x < 12 + shiftX && y > 10 + shiftY,
        corner: x < 12 + shiftX && y < 12 + shiftY,
        edge: y < 7 + shiftY,
      }[name];
      pixels[y * pictureSize + x] = bright
        ? 180 + ((n * 31 + x * 7 + y) % 60)
        : (n * 17 + x * 5 + y * 3 + ((n * x) % 7)) % 60;
    }
  }
  return pixels;
}

/**
 * A folder of class folders with grey PNG pictures, every fifth a JPEG where `jpeg` is set, and no test set.
 * @param counts pictures of each class
 */
export async function writePictures(
  folder: string,
  {
    counts = pictureClasses,
    jpeg = false,
  }: { readonly counts?: Readonly<Record<string, number>>; readonly jpeg?: boolean } = {},
): Promise<void> {
  for (const [name, count] of Object.entries(counts)) {
    await mkdir(join(folder, name), { recursive: true });
    for (let n = 0; n < count; n++) {
      const raw = { width: pictureSize, height: pictureSize, channels: 1 } as const;
      const picture = sharp(pictureOf(name as keyof typeof pictureClasses, n), { raw }).toColourspace('b-w');
      const isJpeg = jpeg && n % 5 === 4;
      const bytes = await (isJpeg ? picture.jpeg({ quality: 95 }) : picture.png()).toBuffer();
      await writeFile(join(folder, name, `${String(n).padStart(3, '0')}.${isJpeg ? 'jpg' : 'png'}`), bytes);
    }
  }
}

/** All files below a folder, by their paths within it. */
export async function filesBelow(folder: string): Promise<Record<string, Uint8Array>> {
  const paths = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read: Record<string, Uint8Array> = {};
  // One after the other: there may be more than a process may have open.
  for (const file of files.sort()) {
    read[file.slice(folder.length + 1).replaceAll('\\', '/')] = await readFile(file);
  }
  return read;
}

/** Write a file, and the folders that it lies in. */
export async function writeInto(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
