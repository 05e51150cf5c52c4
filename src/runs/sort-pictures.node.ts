import fs from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { contentOf, type ImageFormat } from '../data/image-content.js';
import type { ImageBytes } from '../data/readers/found-images.js';
import { classFoldersOf, unsureFolderBeside } from '../data/safe-name.js';
import {
  clearTemporaries,
  ensureFolder,
  ensureSubfolder,
  ioError,
  temporaryPath,
} from '../store/atomic-file.node.js';
import type { InputPicture } from './prediction-inputs.node.js';
import { labelIn, type PredictionRow, type Unsureness } from './prediction-row.js';

export interface SortPicturesOptions extends Unsureness {
  readonly classNames: readonly string[];
  /** Link files of the disk instead of copying them: hard links where that works, else symbolic ones. */
  readonly link?: boolean | undefined;
}

const endings: Readonly<Record<ImageFormat, string>> = {
  JPEG: '.jpg',
  PNG: '.png',
  GIF: '.gif',
  TIFF: '.tif',
  WebP: '.webp',
  AVIF: '.avif',
};

/**
 * A folder that pictures are sorted into: a folder a class, `<folder>/<class>/<name>`, and `<folder>/unsure/<name>` for those that
 * get no label.
 *
 * Nothing is overwritten: a name that is taken gets a number, `scan-2.png`. A picture has its name only once it is whole.
 * Pictures of an array, which have no file of their own, become PNG files.
 */
export class SortedFolder {
  readonly #folder: string;
  readonly #link: boolean;
  readonly #columns: Unsureness;
  readonly #classFolders: ReadonlyMap<string, string>;
  readonly #unsureFolder: string | undefined;
  /** Names given and not yet on the disk. */
  readonly #given = new Set<string>();
  /** The highest number of a name that was taken. */
  readonly #numbers = new Map<string, number>();

  constructor(folder: string, { classNames, link = false, ...columns }: SortPicturesOptions) {
    this.#folder = folder;
    this.#link = link;
    this.#columns = columns;
    this.#classFolders = classFoldersOf(classNames);
    this.#unsureFolder = columns.abstain ? unsureFolderBeside(this.#classFolders) : undefined;
  }

  /** Make the folders of the classes, and delete what a killed process left half copied. */
  async open(): Promise<void> {
    await ensureFolder(this.#folder);
    const unsure = this.#unsureFolder === undefined ? [] : [this.#unsureFolder];
    for (const name of [...this.#classFolders.values(), ...unsure]) {
      await ensureSubfolder(this.#folder, name);
      await clearTemporaries(join(this.#folder, name));
    }
  }

  /** A free place for a picture: a path within the folder, with `/`. */
  async placeFor(row: PredictionRow, picture: InputPicture): Promise<string> {
    const label = labelIn(row, this.#columns);
    const folder = (label === undefined ? this.#unsureFolder : this.#classFolders.get(label)) ?? 'unknown';
    const own = basename(picture.file);
    const name = row.index === undefined ? own : `${own}-${row.index}${await endingOf(picture)}`;
    const ending = extname(name);
    const stem = name.slice(0, name.length - ending.length);
    const key = `${folder}/${name}`;
    for (let number = (this.#numbers.get(key) ?? 0) + 1; ; number++) {
      const place = number === 1 ? key : `${folder}/${stem}-${number}${ending}`;
      if (this.#given.has(place) || (await isThere(join(this.#folder, place)))) continue;
      if (number > 1) this.#numbers.set(key, number);
      this.#given.add(place);
      return place;
    }
  }

  /** Put a picture into its place, unless it is there. */
  async put(place: string, picture: InputPicture): Promise<void> {
    const path = join(this.#folder, place);
    try {
      if (!(await isThere(path))) await this.#make(path, picture);
    } catch (error) {
      throw ioError('write', path, error);
    }
    this.#given.delete(place);
  }

  async #make(path: string, picture: InputPicture): Promise<void> {
    if (this.#link && picture.path !== undefined) {
      const source = resolve(picture.path);
      await fs.link(source, path).catch(() => fs.symlink(source, path));
      return;
    }
    const temporary = temporaryPath(path);
    try {
      const copied =
        picture.path !== undefined &&
        (await fs.copyFile(picture.path, temporary).then(
          () => true,
          () => false, // a name that is no UTF-8 is found by its reader alone
        ));
      if (!copied) await fs.writeFile(temporary, await fileBytes(await picture.read()));
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
  }
}

async function endingOf(picture: InputPicture): Promise<string> {
  const content = await picture.read();
  const kind = content.kind === 'file' ? contentOf(content.bytes) : undefined;
  return kind?.kind === 'image' ? endings[kind.format] : '.png';
}

async function fileBytes(content: ImageBytes): Promise<Uint8Array> {
  if (content.kind === 'file') return content.bytes;
  const { pixels, height, width, channels } = content;
  const { default: sharp } = await import('sharp');
  const image = sharp(pixels, { raw: { height, width, channels: channels as 1 | 2 | 3 | 4 } });
  return (channels < 3 ? image.toColourspace('b-w') : image).png().toBuffer();
}

async function isThere(path: string): Promise<boolean> {
  return (await fs.lstat(path).catch(() => undefined)) !== undefined;
}
