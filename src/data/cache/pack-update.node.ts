import { join } from 'node:path';
import { QuarterturnError } from '../../errors.js';
import type { FoundImage } from '../readers/found-images.js';
import { removePack } from './cache-folder.node.js';
import { openPack, type Pack, type PackKey, packKey, packsOf, writeIndex } from './pack.node.js';
import type { PackHeader } from './pack-header.node.js';
import { emptyIndex, type PackedPicture, type PackIndex, type StampedName } from './pack-index.js';
import { PackWriter } from './pack-writer.node.js';

/** Time stamps are as coarse as two seconds (FAT): a file may have changed again within that time of being read. */
const unsureForMs = 2000;

/** What was read of a pack, by its name in the cache. */
export interface ReadPack {
  readonly name: string;
  readonly index: PackIndex;
}

/**
 * A source's pack while it is brought up to date. As long as nothing comes that the finished one does not have, it stays;
 * only then is a new one begun, which takes its place.
 */
export class PackUpdate {
  readonly #key: PackKey;
  readonly #header: PackHeader;
  readonly #base: Pack | undefined;
  readonly #baseIndex: PackIndex;
  readonly #startedMs = Date.now();
  /** Of the images that the source has now. */
  readonly #names = new Map<string, StampedName>();
  #opening: Promise<PackWriter> | undefined;
  #writer: PackWriter | undefined;

  private constructor(key: PackKey, header: PackHeader, base: Pack | undefined) {
    this.#key = key;
    this.#header = header;
    this.#base = base;
    this.#baseIndex = base?.index ?? emptyIndex();
  }

  /**
   * @param read a pack whose index has just been read: it is not read again
   * @throws QuarterturnError `io` if the cache cannot be written
   */
  static async begin(root: string, header: PackHeader, read?: ReadPack): Promise<PackUpdate> {
    const key = packKey(root, header);
    for (const name of await packsOf(root, key.name)) {
      const known = read?.name === name ? read.index : undefined;
      const base = await openPack(join(root, name), rowBytesOf(header), known);
      if (base !== undefined) return new PackUpdate(key, header, base);
    }
    const update = new PackUpdate(key, header, undefined);
    // It is written in any case, and one that was killed knows by their stamps what images it has.
    await update.#open();
    return update;
  }

  #open(): Promise<PackWriter> {
    this.#opening ??= PackWriter.open(this.#key, this.#header, this.#base).then((writer) => {
      this.#writer = writer;
      return writer;
    });
    return this.#opening;
  }

  /** The picture of an image whose file has not changed since it was last looked at. */
  byStamp(image: FoundImage): PackedPicture | undefined {
    return pictureByStamp(this.#writer?.index ?? this.#baseIndex, image);
  }

  /** The picture that a content was decoded to. */
  async byHash(hash: string): Promise<PackedPicture | undefined> {
    return this.#baseIndex.pictures.get(hash) ?? (await this.#open()).index.pictures.get(hash);
  }

  /** Add a picture, unless its content has come meanwhile; its pixels only where they are not all alike. */
  async add(
    picture: Omit<PackedPicture, 'row' | 'pixels'>,
    pixels: Uint8Array,
    isBlank: boolean,
  ): Promise<PackedPicture> {
    const writer = await this.#open();
    return writer.index.pictures.get(picture.hash) ?? writer.addPicture(picture, pixels, isBlank);
  }

  /** An image has a picture now; by its stamp it is known the next time, where that can be relied on. */
  async setName({ name, stamp }: FoundImage, hash: string): Promise<void> {
    if (stamp === undefined || stamp.modifiedMs >= this.#startedMs - unsureForMs) return;
    const entry = { name, hash, ...stamp };
    this.#names.set(name, entry);
    if (this.#writer && !isSame(this.#writer.index.names.get(name), entry)) await this.#writer.addName(entry);
  }

  /**
   * The pack that has all of it; packs that it takes the place of are deleted unless they are in use.
   * @throws QuarterturnError `io` if the cache cannot be written
   */
  async commit(): Promise<{ readonly pack: Pack; readonly isNew: boolean }> {
    if (this.#writer === undefined && this.#base !== undefined) {
      const { pictures, names } = this.#baseIndex;
      const isNews = [...this.#names].some(([name, entry]) => !isSame(names.get(name), entry));
      if (isNews) await writeIndex(this.#key.root, this.#base.folder, { pictures, names: this.#names });
      return { pack: this.#base, isNew: false };
    }
    const folder = await (await this.#open()).finish(this.#names);
    const pack = await openPack(folder, rowBytesOf(this.#header));
    if (pack === undefined) {
      throw new QuarterturnError('io', `${folder}: expected the pack that was written. Received: none.`, {
        hint: 'Another program changes the cache: give a --cache folder of its own.',
      });
    }
    await this.#base?.release();
    for (const name of await packsOf(this.#key.root, this.#key.name)) {
      const other = join(this.#key.root, name);
      if (other !== folder) await removePack(this.#key.root, other);
    }
    return { pack, isNew: true };
  }

  /** Leave what was added to the next update. */
  async abandon(): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#writer?.abandon();
    await this.#base?.release();
  }
}

function rowBytesOf({ height, width, channels }: PackHeader): number {
  return height * width * channels;
}

/** The picture of an image whose file has the size and the time that an index knows. */
export function pictureByStamp(
  { names, pictures }: PackIndex,
  { name, stamp }: FoundImage,
): PackedPicture | undefined {
  const known = names.get(name);
  return stamp && known && isSame(known, { ...known, ...stamp }) ? pictures.get(known.hash) : undefined;
}

function isSame(a: StampedName | undefined, b: StampedName): boolean {
  return a?.hash === b.hash && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs;
}
