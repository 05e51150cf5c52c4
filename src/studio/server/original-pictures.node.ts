import sharp from 'sharp';
import { decodeView, type FoundImage, type FoundImages, openImages } from '../../node.js';
import type { EncodedPicture, PileSource } from './pile.js';
import { quickPng } from './quick-png.node.js';

/** Pixels of the longer side: a large window has room for a view of so many, and twice the room of a tile is enough for any screen. */
const sides = { tile: 256, view: 1280 } as const;
/** Pictures of no more pixels than a square of this side are sent without loss: in them every pixel can be seen. */
const losslessSide = 128;
const jpegQuality = 88;
/** Of tiles that are kept: those of some thousand photographs. */
const maxKeptBytes = 2 ** 26;

/** The files behind the images of a pile, looked for when the first of them is asked for. */
export class OriginalPictures {
  readonly #source: PileSource;
  #opened: Promise<FoundImages | undefined> | undefined;
  #byName: Map<string, FoundImage> | undefined;
  readonly #added: FoundImages[] = [];
  /** By name, the one that was asked for last behind. */
  readonly #tiles = new Map<string, EncodedPicture>();
  #keptBytes = 0;

  constructor(source: PileSource) {
    this.#source = source;
  }

  /**
   * All of a picture, upright, to be looked at in a large window.
   * @returns undefined where no file is behind it
   */
  view(name: string | undefined): Promise<EncodedPicture | undefined> {
    return this.#encoded(name, sides.view);
  }

  /** The same, in the size of a tile of a grid. */
  async tile(name: string | undefined): Promise<EncodedPicture | undefined> {
    const kept = this.#tiles.get(name ?? '');
    const tile = kept ?? (await this.#encoded(name, sides.tile));
    if (name === undefined || tile === undefined) return undefined;
    if (!this.#tiles.delete(name)) this.#keptBytes += tile.bytes.length;
    this.#tiles.set(name, tile);
    for (const [oldest, { bytes }] of this.#tiles) {
      if (this.#keptBytes <= maxKeptBytes) break;
      this.#tiles.delete(oldest);
      this.#keptBytes -= bytes.length;
    }
    return tile;
  }

  /** Take one more file, which lies in the folder by now. */
  async add(name: string, path: string): Promise<void> {
    await this.#known();
    this.#added.push(await openImages(path));
    const [image] = this.#added.at(-1)?.images ?? [];
    if (image) this.#byName?.set(name, image);
  }

  /** Whether files are behind the images: they are all of one kind. */
  async areFiles([first]: readonly { readonly name: string }[]): Promise<boolean> {
    return (await this.#read(first?.name))?.kind === 'file';
  }

  async close(): Promise<void> {
    const opened = [await this.#opened?.catch(() => undefined), ...this.#added];
    await Promise.all(opened.map((each) => each?.close?.()));
  }

  async #encoded(name: string | undefined, maxSide: number): Promise<EncodedPicture | undefined> {
    const content = await this.#read(name);
    if (name === undefined || content?.kind !== 'file') return undefined;
    const { pixels, height, width } = await decodeView(name, content.bytes, { maxSide });
    const picture = sharp(pixels, { raw: { height, width, channels: 3 } });
    return height * width <= losslessSide ** 2
      ? quickPng(picture)
      : { type: 'image/jpeg', bytes: await picture.jpeg({ quality: jpegQuality }).toBuffer() };
  }

  async #read(name: string | undefined) {
    return name === undefined ? undefined : (await this.#known()).get(name)?.read();
  }

  async #known(): Promise<Map<string, FoundImage>> {
    this.#opened ??= this.#open();
    const found = await this.#opened;
    this.#byName ??= new Map(found?.images.map((image) => [image.name, image]));
    return this.#byName;
  }

  async #open(): Promise<FoundImages | undefined> {
    return 'path' in this.#source ? openImages(this.#source.path) : undefined;
  }
}
