import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { peekGzip } from '../data/gunzip.node.js';
import { readIdx } from '../data/idx.js';
import { contentOf } from '../data/image-content.js';
import type { ImageSize } from '../data/image-source.js';
import { mapAhead } from '../data/map-ahead.js';
import { readNamedFile } from '../data/read-file.node.js';
import { imagesOfRows } from '../data/readers/array-images.js';
import { layoutOf } from '../data/readers/array-layout.js';
import { openPlainFile, readAt } from '../data/readers/file-window.node.js';
import type { FoundImage, FoundImages, ImageBytes, SkippedFile } from '../data/readers/found-images.js';
import { openImages } from '../data/readers/open-images.node.js';
import { readTarHeader, tarBlockBytes } from '../data/readers/tar-header.js';
import { QuarterturnError } from '../errors.js';
import { type Picture, skippedPicture } from './classify-pictures.node.js';
import type { PicturePlace } from './prediction-row.js';

/** A part of all pictures: those that fall to one of several processes. */
export interface Shard {
  /** From 1 to {@link count}. */
  readonly number: number;
  readonly count: number;
}

/** A picture of an input, which somebody named. */
export interface InputPicture extends Picture {
  readonly place: PicturePlace;
  /** Its path: the input's own, or that and the path within the folder or archive, with `/` between. */
  readonly file: string;
  /** Its position in the file, from 0; absent where the file holds one picture. */
  readonly index?: number;
  /** Path of the file on the disk that is this picture and nothing else; absent where there is none. */
  readonly path?: string;
}

/** A folder, an archive or a file of many pictures, as it is when its turn comes. */
export interface OpenedInput {
  readonly input: number;
  readonly path: string;
  /** Pictures that are taken of it. */
  readonly count: number;
  /** What tells its pictures from others: SHA-256 of their names, and of the size of an archive or file. */
  readonly digest: string;
  /** What lies there and cannot be used, though it may have been meant to be; by names as rows have them. */
  readonly skipped: readonly SkippedFile[];
  /** Hidden, or no picture by its name. */
  readonly passedOver: readonly string[];
  /** What it was taken for, one sentence each; none for a folder of pictures. */
  readonly notes: readonly string[];
  /** Why nothing of it can be read. */
  readonly error?: QuarterturnError;
}

export interface PredictionInputsOptions {
  /** Pictures to take of each input that holds several; default: all. */
  readonly limit?: number | undefined;
  /** What the images of an IDX file have to be, which says nothing of itself; others are fitted. Default: anything. */
  readonly size?: ImageSize | undefined;
  /** Where to begin; what lies before is neither opened nor read. Default: at the first. */
  readonly from?: PicturePlace | undefined;
  /** Default: all pictures. */
  readonly shard?: Shard | undefined;
  /** Called for each input that holds several pictures, before the first of them comes. */
  readonly onOpened?: ((opened: OpenedInput) => void) | undefined;
}

/** Inputs that are looked into at once. */
const inputsAhead = 16;
/** A file of at most so many bytes is read whole to tell what it is; it is a picture, and needed whole, nearly always. */
const wholeBytes = 4 * 2 ** 20;
/** Of others the beginning is enough. */
const startBytes = 4096;

/**
 * The pictures of everything that somebody names: pictures, folders, ZIP and tar archives, IDX, NumPy and Parquet files.
 *
 * They come in the order of the inputs, and within each by name, or by their place in an array. An input is opened when its
 * turn comes, and closed once the last of its pictures was released. What a file holds decides, not its name.
 *
 * @example
 * await using inputs = new PredictionInputs(['scan.png', 'photos.zip']);
 * for await (const picture of inputs.pictures()) {
 *   console.log(picture.file, (await picture.read()).kind);
 *   await inputs.release(picture);
 * }
 */
export class PredictionInputs implements AsyncDisposable {
  readonly #paths: readonly string[];
  readonly #options: PredictionInputsOptions;
  /** Open sources by their inputs, with the number of those who need them. */
  readonly #open = new Map<number, { readonly found: FoundImages; users: number }>();

  constructor(paths: readonly string[], options: PredictionInputsOptions = {}) {
    this.#paths = paths;
    this.#options = options;
  }

  /** All pictures; one that cannot be read comes too, and says so when it is read. */
  async *pictures(): AsyncGenerator<InputPicture, void, undefined> {
    const { from = { input: 0, item: 0 }, shard } = this.#options;
    const inputs = this.#paths.map((path, input) => ({ path, input })).slice(from.input);
    const looks = mapAhead(inputs, inputsAhead, async ({ path, input }) => ({
      path,
      input,
      seen: await lookAt(path, isIn(shard, path)),
    }));
    for await (const { path, input, seen } of looks) {
      const first = input === from.input ? from.item : 0;
      if (seen.kind === 'several') yield* this.#picturesOf(path, input, first);
      else if (first === 0 && isIn(shard, path)) {
        const place = { input, item: 0 };
        yield { name: path, file: path, path, place, read: seen.read };
      }
    }
  }

  /** Say that a picture is not needed any more. */
  async release({ place }: Pick<InputPicture, 'place'>): Promise<void> {
    const source = this.#open.get(place.input);
    if (source === undefined || --source.users > 0) return;
    this.#open.delete(place.input);
    await source.found.close?.();
  }

  /** Close whatever is open. */
  async close(): Promise<void> {
    for (const [input, { found }] of this.#open) {
      this.#open.delete(input);
      await found.close?.();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#picturesOf(
    path: string,
    input: number,
    first: number,
  ): AsyncGenerator<InputPicture, void, undefined> {
    const { limit = Number.POSITIVE_INFINITY, shard, onOpened, size } = this.#options;
    const found = await openInput(path, { limit, size }).catch((error: unknown) => {
      if (error instanceof QuarterturnError) return error;
      throw error;
    });
    if (found instanceof QuarterturnError) {
      const skipped = isIn(shard, path) ? [await skippedPicture(path, found)] : [];
      onOpened?.({ input, path, count: 0, digest: '', skipped, passedOver: [], notes: [], error: found });
      return;
    }
    const source = { found, users: 1 };
    this.#open.set(input, source);
    const { images } = found;
    const count = Math.min(images.length, limit);
    const stats = await stat(path);
    const naming = namingOf(path, found, stats.isDirectory());
    onOpened?.({
      input,
      path,
      count,
      digest: stats.isDirectory() ? naming.digest : `${naming.digest}-${stats.size}`,
      ...leftOutOf(found, path, shard),
      notes: isPlain(found, stats.isDirectory()) ? [] : found.notes,
    });
    for (let item = first; item < count; item++) {
      const image = images[item];
      if (image === undefined || !isIn(shard, image.name)) continue;
      source.users++;
      const place = { input, item };
      yield { ...naming.nameOf(image), place, read: () => image.read() };
    }
    await this.release({ place: { input, item: count } });
  }
}

type Look = { readonly kind: 'one'; readonly read: () => Promise<ImageBytes> } | { readonly kind: 'several' };

/** Tell one picture, or what cannot be read, from what may hold several. */
async function lookAt(path: string, isWanted: boolean): Promise<Look> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) return { kind: 'several' };
  const read = async (): Promise<ImageBytes> => ({
    kind: 'file',
    bytes: await readNamedFile(path, 'an image file, an archive or a folder'),
  });
  try {
    if (stats?.isFile() && (stats.size > wholeBytes || !isWanted)) {
      return holdsSeveral(await startOf(path)) ? { kind: 'several' } : { kind: 'one', read };
    }
    const whole = await read();
    if (whole.kind === 'file' && stats?.isFile() && holdsSeveral(whole.bytes)) return { kind: 'several' };
    // Read again where it is asked for again: a picture is not to be held with its bytes.
    let held: ImageBytes | undefined = whole;
    return {
      kind: 'one',
      read: async () => {
        const content = held ?? (await read());
        held = undefined;
        return content;
      },
    };
  } catch (error) {
    return { kind: 'one', read: () => Promise.reject(error) };
  }
}

async function startOf(path: string): Promise<Uint8Array> {
  const { handle } = await openPlainFile(path, path);
  try {
    return await readAt(handle, 0, startBytes);
  } finally {
    await handle.close();
  }
}

/** Archives and arrays that are read, by their first bytes; tar archives have theirs further on. */
const severalMagics = ['PK\x03\x04', 'PK\x05\x06', '\x93NUMPY', 'PAR1'];

function holdsSeveral(start: Uint8Array): boolean {
  const content = contentOf(start);
  if (content.kind === 'image') return false;
  const plain = content.kind === 'gzip' ? peekGzip(start) : start;
  const within = content.kind === 'gzip' ? contentOf(plain) : content;
  if (within.kind !== 'other') return within.kind === 'idx';
  const magic = Buffer.from(start.subarray(0, 6)).toString('latin1');
  if (severalMagics.some((known) => magic.startsWith(known))) return true;
  const header = readTarHeader(plain.subarray(0, tarBlockBytes));
  return header !== undefined && header !== 'end';
}

interface OpenInputOptions {
  readonly limit: number;
  readonly size: ImageSize | undefined;
}

async function openInput(path: string, { limit, size }: OpenInputOptions): Promise<FoundImages> {
  const found = await openLimited(path, limit);
  try {
    if (size && found.format === 'idx' && (await stat(path)).isFile()) await assertSize(path, found, size);
    return found;
  } catch (error) {
    await found.close?.();
    throw error;
  }
}

/** @throws QuarterturnError `data` for images of another size */
async function assertSize(path: string, { images }: FoundImages, size: ImageSize): Promise<void> {
  const first = await images[0]?.read();
  if (first?.kind !== 'pixels') return;
  const [expected, received] = [size, first].map(({ height, width, channels }) =>
    [height, width, channels].join('×'),
  );
  if (received === expected) return;
  throw new QuarterturnError(
    'data',
    `${path}: expected images of ${expected}, as the model was trained on. Received: images of ${received}.`,
    { hint: 'Use images of that size, or a model that was trained on this size.' },
  );
}

/** Of a gzipped array no more is unpacked than is wanted. */
async function openLimited(path: string, limit: number): Promise<FoundImages> {
  if (!Number.isFinite(limit) || !(await isGzippedIdx(path))) return openImages(path);
  const { shape, data } = await readIdx(path, await readNamedFile(path, 'an IDX file'), { limit });
  const { count, height, width, channels, channelsFirst } = layoutOf(path, shape);
  if (channelsFirst) return openImages(path);
  const size = height * width * channels;
  const readRow = async (i: number) => data.slice(i * size, (i + 1) * size);
  const name = basename(path).replace(/\.gz$/i, '');
  const images = imagesOfRows({ name, count, height, width, channels, readRow }, undefined, undefined);
  return { format: 'idx', origin: path, images, classNames: [], skipped: [], notes: [] };
}

async function isGzippedIdx(path: string): Promise<boolean> {
  const stats = await stat(path);
  if (!stats.isFile()) return false;
  const start = await startOf(path);
  return contentOf(start).kind === 'gzip' && contentOf(peekGzip(start)).kind === 'idx';
}

/** A part of all by a hash of the name alone, so that further pictures do not move those that were there. */
export function isIn(shard: Shard | undefined, name: string): boolean {
  if (shard === undefined || shard.count === 1) return true;
  const hash = createHash('sha256').update(name).digest().readUInt32BE(0);
  return hash % shard.count === shard.number - 1;
}

/** `train_images[12]`, `train-00000-of-00001.parquet[12]`. */
const rowName = /^(.*)\[(\d+)\]$/s;

/** How the pictures of an input are called in rows, and what tells them from others. */
function namingOf(path: string, { format, images }: FoundImages, isFolder: boolean) {
  const digest = createHash('sha256');
  const files = new Set<string>();
  const isRow = (file: string) => format !== 'folder' && (format !== 'parquet' || file.endsWith('.parquet'));
  const rowOf = ({ name }: FoundImage) => {
    const [, file, index] = rowName.exec(name) ?? [];
    return file !== undefined && isRow(file) ? { file, index: Number(index) } : undefined;
  };
  for (const image of images) {
    digest.update(`${image.name}\n`);
    // Whether there is more than one is all that matters; a set of all would hold every name once more.
    if (files.size < 2) files.add(rowOf(image)?.file ?? image.name);
  }
  const isOnly = images.length === 1;
  const nameOf = (image: FoundImage) => {
    const row = rowOf(image);
    if (row === undefined) {
      const file = join(path, image.name);
      const isSingle = format === 'folder' && isOnly && image.name === basename(path);
      const onDisk = format === 'folder' && image.stamp !== undefined ? { path: file } : {};
      return isSingle ? { name: path, file: path, path } : { name: file, file, ...onDisk };
    }
    // The only array of a file goes by the file's own name.
    const file = files.size === 1 && !isFolder ? path : join(path, row.file);
    return isOnly ? { name: file, file } : { name: `${file}[${row.index}]`, file, index: row.index };
  };
  return { digest: digest.digest('hex'), nameOf };
}

/** What nobody needs a note for: a folder of pictures, and a file of images and nothing else. */
function isPlain({ format }: FoundImages, isFolder: boolean): boolean {
  return format === (isFolder ? 'folder' : 'idx');
}

/** Of what is no image: files that somebody may miss have advice with them, hidden and foreign ones have none. */
function leftOutOf({ skipped }: FoundImages, path: string, shard: Shard | undefined) {
  const missed = skipped.filter(({ name, hint }) => hint !== undefined && isIn(shard, name));
  const foreign = skipped.filter(({ hint }) => hint === undefined);
  return {
    skipped: missed.map((file) => ({ ...file, name: join(path, file.name) })),
    passedOver: foreign.map(({ name }) => join(path, name)),
  };
}
