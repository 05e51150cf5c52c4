import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { newOwnerName } from '../../owner.node.js';
import { cacheError, isAbandoned, partPrefix, removePack } from './cache-folder.node.js';
import {
  generationOf,
  imagesName,
  indexName,
  openPack,
  type Pack,
  type PackKey,
  readIndex,
  writeIndex,
} from './pack.node.js';
import type { PackHeader } from './pack-header.node.js';
import {
  emptyIndex,
  indexLine,
  type PackedPicture,
  type PackIndex,
  rowHashes,
  type StampedName,
} from './pack-index.js';

/** Rows that are gathered before they are written: more is not faster, and less is lost where the process is killed. */
const gatheredBytes = 2 ** 20;
/** Pictures without a row of their own are written after so many, too. */
const gatheredLines = 1000;
/** Rows are read back in blocks of about this size. */
const blockBytes = 2 ** 22;

/**
 * Writes a pack so that it may be killed at any moment: rows go into a folder of a temporary name, each row's line after
 * its pixels, and the folder gets its name when it is whole. What a process that was killed left is taken over by the
 * next one, as far as the hashes of its rows are right.
 */
export class PackWriter {
  readonly #key: PackKey;
  readonly #rowBytes: number;
  readonly #folder: string;
  readonly #images: FileHandle;
  readonly #lines: FileHandle;
  readonly #rows: string[];
  readonly #rowOf: Map<string, number>;
  #gathered: Uint8Array[] = [];
  #gatheredText: string[] = [];
  /** What it holds so far, that which was there before among it. */
  readonly index: PackIndex;

  private constructor(part: Part, images: FileHandle, lines: FileHandle) {
    this.#key = part.key;
    this.#rowBytes = part.rowBytes;
    this.#folder = part.folder;
    this.#images = images;
    this.#lines = lines;
    this.index = part.index;
    this.#rows = rowHashes(part.index);
    this.#rowOf = new Map(this.#rows.map((hash, row) => [hash, row]));
  }

  /**
   * Begin a pack: with what a process that is gone left of the same, else with the rows of a finished one, else empty.
   * @throws QuarterturnError `io` if the cache cannot be written
   */
  static async open(key: PackKey, header: PackHeader, base: Pack | undefined): Promise<PackWriter> {
    const rowBytes = header.height * header.width * header.channels;
    const folder = join(key.root, `${partPrefix}${key.name}.${newOwnerName()}`);
    try {
      const part = (await takeOver(key, folder, rowBytes, base?.index ?? emptyIndex())) ?? {
        key,
        folder,
        rowBytes,
        index: await beginPart(folder, header, base),
      };
      // What is half of a row or a line, or was copied without being known, goes.
      const images = await fs.open(join(folder, imagesName), 'a');
      await images.truncate(rowHashes(part.index).length * rowBytes);
      await writeIndex(key.root, folder, part.index);
      return new PackWriter(part, images, await fs.open(join(folder, indexName), 'a'));
    } catch (error) {
      throw cacheError(key.root, error);
    }
  }

  /**
   * Add a picture, and its pixels unless they are all alike.
   * @param pixels uint8 [height, width, channels]; held until it is written
   */
  async addPicture(
    picture: Omit<PackedPicture, 'row' | 'pixels'>,
    pixels: Uint8Array,
    isBlank: boolean,
  ): Promise<PackedPicture> {
    const hash = createHash('sha256').update(pixels).digest('hex');
    const row = isBlank ? null : (this.#rowOf.get(hash) ?? this.#addRow(hash, pixels));
    const packed = { ...picture, row, pixels: hash };
    this.index.pictures.set(packed.hash, packed);
    await this.#addLine(indexLine(packed));
    return packed;
  }

  #addRow(hash: string, pixels: Uint8Array): number {
    const row = this.#rows.push(hash) - 1;
    this.#rowOf.set(hash, row);
    this.#gathered.push(pixels);
    return row;
  }

  /** Remember which picture a name has. */
  async addName(entry: StampedName): Promise<void> {
    this.index.names.set(entry.name, entry);
    await this.#addLine(indexLine(entry));
  }

  async #addLine(line: string): Promise<void> {
    this.#gatheredText.push(line);
    const isFull = this.#gathered.length * this.#rowBytes >= gatheredBytes;
    if (isFull || this.#gatheredText.length >= gatheredLines) await this.#flush();
  }

  /** Pixels first: a line says that its row is there. */
  async #flush(): Promise<void> {
    const rows = this.#gathered;
    const text = this.#gatheredText.join('');
    this.#gathered = [];
    this.#gatheredText = [];
    try {
      await this.#images.writeFile(Buffer.concat(rows));
      await this.#lines.writeFile(text);
    } catch (error) {
      throw cacheError(this.#folder, error);
    }
  }

  /**
   * Make it a pack.
   * @param names those that the source has now; others are forgotten, their pictures are not
   * @returns its folder
   */
  async finish(names: ReadonlyMap<string, StampedName>): Promise<string> {
    await this.#flush();
    try {
      await this.#images.sync();
      await this.#images.close();
      await this.#lines.close();
      const { pictures } = this.index;
      await writeIndex(this.#key.root, this.#folder, { pictures, names: new Map(names) });
      const folder = join(this.#key.root, `${this.#key.name}.${generationOf(this.#rows)}`);
      await this.#name(folder);
      return folder;
    } catch (error) {
      throw cacheError(this.#folder, error);
    }
  }

  /** Where the same rows have been packed already, that pack stays and learns what is new about them. */
  async #name(folder: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await fs.rename(this.#folder, folder);
      } catch (error) {
        const there = await openPack(folder, this.#rowBytes);
        if (there !== undefined) {
          await fs.rename(join(this.#folder, indexName), join(folder, indexName));
          await there.release();
          return await fs.rm(this.#folder, { recursive: true, force: true });
        }
        if (tries > 0) throw error;
        await removePack(this.#key.root, folder); // not whole: somebody changed it
      }
    }
  }

  /** Leave it as it is for the next process that does the same. */
  async abandon(): Promise<void> {
    const free = join(
      this.#key.root,
      `${partPrefix}${this.#key.name}.unfinished-${randomBytes(6).toString('hex')}`,
    );
    await this.#flush().catch(() => {});
    await this.#images.close().catch(() => {});
    await this.#lines.close().catch(() => {});
    await fs.rename(this.#folder, free).catch(() => {});
  }
}

interface Part {
  readonly key: PackKey;
  readonly folder: string;
  readonly rowBytes: number;
  readonly index: PackIndex;
}

async function beginPart(folder: string, header: PackHeader, base: Pack | undefined): Promise<PackIndex> {
  await fs.mkdir(folder);
  await fs.writeFile(join(folder, 'pack.json'), `${JSON.stringify(header)}\n`);
  if (base === undefined) return emptyIndex();
  // Where the file system can, both share their blocks and nothing is copied.
  await fs.copyFile(join(base.folder, imagesName), join(folder, imagesName), constants.COPYFILE_FICLONE);
  return { pictures: new Map(base.index.pictures), names: new Map(base.index.names) };
}

/**
 * The most that processes which are gone left of a pack, where it has all rows that a finished one has, and more. The rest
 * is deleted.
 */
async function takeOver(
  key: PackKey,
  folder: string,
  rowBytes: number,
  finished: PackIndex,
): Promise<Part | undefined> {
  const beginning = `${partPrefix}${key.name}.`;
  let most: { readonly path: string; readonly index: PackIndex } | undefined;
  for (const name of (await fs.readdir(key.root)).filter((each) => each.startsWith(beginning))) {
    if (!(await isAbandoned(join(key.root, name)))) continue;
    const path = join(key.root, `${beginning}${newOwnerName()}`);
    const isOurs = await fs.rename(join(key.root, name), path).then(
      () => true,
      () => false, // another process was faster
    );
    if (!isOurs) continue;
    const index = await checkedPart(path, rowBytes);
    const isMore = index.pictures.size > (most?.index ?? finished).pictures.size;
    const isAll = [...finished.pictures].every(([hash, { row }]) => index.pictures.get(hash)?.row === row);
    const worse = isMore && isAll ? most?.path : path;
    if (isMore && isAll) most = { path, index };
    if (worse !== undefined) await fs.rm(worse, { recursive: true, force: true });
  }
  if (most === undefined) return undefined;
  await fs.rename(most.path, folder);
  return { key, folder, rowBytes, index: most.index };
}

/** What is right of an unfinished pack: its rows up to the first one that is not what its hash says. */
async function checkedPart(folder: string, rowBytes: number): Promise<PackIndex> {
  const { pictures, names } = await readIndex(folder);
  const rows = rowHashes({ pictures, names });
  let right = 0;
  const file = await fs.open(join(folder, imagesName), 'r').catch(() => undefined);
  if (file === undefined) return emptyIndex();
  try {
    const rowsAtOnce = Math.max(1, Math.floor(blockBytes / rowBytes));
    const block = new Uint8Array(rowsAtOnce * rowBytes);
    for (let isRight = true; isRight && right < rows.length; ) {
      const { bytesRead } = await file.read(block, 0, block.length, right * rowBytes);
      const whole = Math.floor(bytesRead / rowBytes);
      isRight = whole > 0;
      for (let i = 0; i < whole && isRight && right < rows.length; i++) {
        const pixels = block.subarray(i * rowBytes, (i + 1) * rowBytes);
        isRight = createHash('sha256').update(pixels).digest('hex') === rows[right];
        if (isRight) right++;
      }
    }
  } finally {
    await file.close();
  }
  return {
    pictures: new Map([...pictures].filter(([, { row }]) => row === null || row < right)),
    names,
  };
}
