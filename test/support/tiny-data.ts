import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Side of the pictures that {@link writeTinyData} makes. */
export const tinySize = 12;
export const tinyClasses = 3;

/**
 * A folder with the four IDX files of a small data set: 600 training and 200 test images, 12×12, of three classes that
 * a few steps can learn, and none of which looks the same when turned.
 */
export async function writeTinyData(folder: string, counts = { train: 600, test: 200 }): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = async (stem: string, count: number, offset: number) => {
    const shape = [count, tinySize, tinySize];
    const images = new Uint8Array(count * tinySize * tinySize);
    for (let n = 0; n < count; n++) images.set(tinyImage(n + offset), n * tinySize * tinySize);
    const labels = Uint8Array.from({ length: count }, (_, n) => (n + offset) % tinyClasses);
    await writeFile(join(folder, `${stem}-images-idx3-ubyte`), idx(shape, images));
    await writeFile(join(folder, `${stem}-labels-idx1-ubyte`), idx([count], labels));
  };
  await write('train', counts.train, 0);
  await write('t10k', counts.test, counts.train);
}

/** Picture number n, of class n mod 3: a bright corner, a bright top edge, a bright column left of the middle. */
export function tinyImage(n: number): Uint8Array {
  const pixels = new Uint8Array(tinySize * tinySize);
  const label = n % tinyClasses;
  for (let y = 0; y < tinySize; y++) {
    for (let x = 0; x < tinySize; x++) {
      const bright = [x < 5 && y < 5, y < 3, x > 1 && x < 5 && y > 3][label]!;
      pixels[y * tinySize + x] = bright ? 190 + ((n * 31 + x * 7 + y) % 60) : (n * 17 + x * 5 + y * 3) % 50;
    }
  }
  return pixels;
}

/** An IDX file of unsigned bytes. */
export function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, 0x0800 + shape.length);
  for (const [axis, n] of shape.entries()) header.setUint32(4 + 4 * axis, n);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}
