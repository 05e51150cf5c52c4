import { basename, dirname } from 'node:path';
import { QuarterturnError } from '../../errors.js';
import { roleOf } from './array-keys.js';
import type { ByteSource } from './byte-source.js';
import { openByteSource } from './file-window.node.js';
import type { FoundImages, SkippedFile } from './found-images.js';
import { imagesOfArrays } from './named-arrays.js';
import { readNpyHeader } from './npy-header.js';
import type { NpyArray } from './npy-images.js';
import { readNpzArrays } from './npz.node.js';

/**
 * Images of NumPy's files: an NPZ file, or NPY and NPZ files that belong together (`x_train.npy`, `y_train.npy`;
 * `kmnist-train-imgs.npz`, `kmnist-train-labels.npz`).
 *
 * Arrays that are not packed are read where they lie, an image at a time; packed ones are held in memory, at most 2 GiB
 * each. Values are bytes, booleans, whole numbers from 0 to 255 or of 16 bits, or floating-point numbers from 0 to 1 or from
 * 0 to 255; other than bytes, they are gone through once when the file is opened. Labels are −1 or empty if there is none.
 *
 * @example
 * const found = await openNumpyImages(['pathmnist.npz']);
 * found.images[0]?.name; // train_images[0]
 * @throws QuarterturnError `data` for a file that is damaged or holds no images; `io` for one that cannot be read
 */
export async function openNumpyImages(paths: readonly string[]): Promise<FoundImages> {
  const sources: ByteSource[] = [];
  try {
    for (const path of paths) sources.push(await openByteSource(path));
    return await readNumpyImages(sources);
  } catch (error) {
    await closeAll(sources);
    throw error;
  }
}

/** As {@link openNumpyImages}, of bytes wherever they lie; closing the result closes them. */
export async function readNumpyImages(sources: readonly ByteSource[]): Promise<FoundImages> {
  const [first] = sources;
  if (first === undefined) {
    throw new QuarterturnError('usage', 'NumPy files: expected at least one. Received: none.');
  }
  const arrays: NpyArray[] = [];
  const skipped: SkippedFile[] = [];
  let isPlain = true;
  for (const source of sources) {
    const start = await source.read(0, Math.min(1, source.sizeBytes));
    const stem = basename(source.name).replace(/\.np[yz]$/i, '');
    if (start[0] === 0x93) {
      arrays.push({ key: stem, header: await readNpyHeader(source), source });
      continue;
    }
    isPlain = false;
    const found = await readNpzArrays(source);
    skipped.push(...found.skipped);
    arrays.push(
      ...found.arrays.map((array) => ({ ...array, key: keyAmong(array.key, stem, found.arrays, sources) })),
    );
  }
  const where = sources.length === 1 ? first.name : `${first.name} and ${sources.length - 1} more`;
  const { images, classNames, notes } = await imagesOfArrays(where, arrays);
  return {
    format: isPlain ? 'npy' : 'npz',
    origin: sources.length === 1 ? first.name : dirname(first.name),
    images,
    classNames,
    skipped,
    notes,
    close: () => closeAll(sources),
  };
}

/** Of several files, each with arrays that may be called alike, the file's name tells more than the array's. */
function keyAmong(
  key: string,
  stem: string,
  own: readonly NpyArray[],
  sources: readonly ByteSource[],
): string {
  if (own.length === 1 && (roleOf(key) === undefined || sources.length > 1)) return stem;
  return sources.length === 1 ? key : `${stem}/${key}`;
}

async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  for (const source of sources) await source.close();
}
