import fs from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { QuarterturnError } from '../errors.js';
import {
  type CacheOptions,
  cacheError,
  cacheFolderOf,
  clearCache,
  removePack,
} from './cache/cache-folder.node.js';
import {
  imagesName,
  openPack,
  type Pack,
  packKey,
  packsOf,
  sourceName,
  writeIndex,
} from './cache/pack.node.js';
import { type PackHeader, readHeader } from './cache/pack-header.node.js';
import { emptyIndex, type PackedPicture, type PackIndex, type StampedName } from './cache/pack-index.js';
import { PackWriter } from './cache/pack-writer.node.js';
import { openPackedImages, type PackedImages } from './cache/packed-images.node.js';
import { describeDuplicates, distinctImages, type SamePicture } from './duplicates.js';
import { type DecodedImage, decoderName } from './image-decode.node.js';
import { contentHash, decodeContent, sampleFacts } from './image-facts.node.js';
import { type ChosenFit, chooseFit, type FitOptions } from './image-fit.js';
import { mapAhead } from './map-ahead.js';
import { firstNames } from './name-list.js';
import type { FoundImage, FoundImages, SkippedFile, Split } from './readers/found-images.js';
import { UnreadableImage } from './unreadable-image.js';

export interface ImportOptions extends FitOptions, CacheOptions {
  /** Stop at the first image that cannot be used; default: set it aside and go on. */
  readonly strict?: boolean | undefined;
  /** Whether the same picture is taken once or as often as it comes; it is told in either case. Default: `once`. */
  readonly duplicates?: 'once' | 'keep' | undefined;
  /** What the cache may hold once this import is done; default: 20 GB, or a tenth of its disk where that is less. */
  readonly maxCacheBytes?: number | undefined;
  /** Called some times a second, and at the end. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ImportProgress {
  readonly done: number;
  readonly total: number;
  /** Of those done, how many had to be decoded: the others were in the cache. */
  readonly decoded: number;
  readonly setAside: number;
}

/** An image that was found and can be used. */
export interface ImportedImage {
  readonly name: string;
  /** Absent where it has none, and where copies of it bear different ones. */
  readonly label?: string;
  readonly split?: Split;
  /** SHA-256 of the bytes of its file, or of its pixels: by it an image is known wherever it lies. */
  readonly hash: string;
  /** Its index in {@link ImportedImages.source}. */
  readonly row: number;
  /** Height and width of the picture as it is shown, before it was fitted. */
  readonly height: number;
  readonly width: number;
}

/** What was found, decoded and fitted; to be closed. */
export interface ImportedImages extends AsyncDisposable {
  readonly format: string;
  readonly origin: string;
  readonly fit: ChosenFit;
  /** Pixels of all pictures, by {@link ImportedImage.row}; it may hold more than are used. */
  readonly source: PackedImages;
  /** In the order in which they were found. */
  readonly images: readonly ImportedImage[];
  readonly classNames: readonly string[];
  /** What lies there and is no image, and what is one and cannot be used. */
  readonly skipped: readonly SkippedFile[];
  readonly duplicates: readonly SamePicture[];
  /** What a person should know of how it was read, one sentence each. */
  readonly notes: readonly string[];
  /** Images that had to be decoded; the others were in the cache. */
  readonly decoded: number;
  close(): Promise<void>;
}

/** Images that are read and decoded at once: the decoder's threads never wait, and memory holds few pictures. */
const imagesAhead = 2 * Math.min(Math.max(availableParallelism(), 4), 16);
/** Time stamps are as coarse as two seconds (FAT): a file may have changed again within that time of being read. */
const unsureForMs = 2000;
const progressEveryMs = 100;

/**
 * Decode what a reader found into one size, and keep it in the cache: the next time, images whose size and time are the same
 * are not even read, and those whose bytes are the same are not decoded.
 *
 * How pictures become images says {@link chooseFit}. What cannot be used is set aside in `skipped`: what is no readable image,
 * and pictures of one colour, which show nothing. The process may be killed at any moment; the next import goes on from there.
 *
 * @example
 * await using photos = await importImages(found, { size: 64 });
 * const rows = photos.images.filter(({ split }) => split !== 'test').map(({ row }) => row);
 * const train = selectImages(photos.source, Uint32Array.from(rows), 'photos');
 * @throws QuarterturnError `data` where no image can be used, and with `strict` for the first one that cannot; `io` where the
 *   cache cannot be written; `usage` for a size that makes no sense. `signal.reason` when the signal says so.
 */
export async function importImages(found: FoundImages, options: ImportOptions = {}): Promise<ImportedImages> {
  const root = cacheFolderOf(options);
  const origin = resolve(found.origin);
  await fs.mkdir(root, { recursive: true }).catch((error) => {
    throw cacheError(root, error);
  });
  const fit = chooseFit(await sampleOf(found, origin, root, options), options);
  const { height, width, channels } = fit.size;
  const header = {
    schema: 'quarterturn-pack',
    version: 1,
    format: found.format,
    origin,
    height,
    width,
    channels: channels === 1 ? 1 : 3,
    fit: fit.fit,
    ground: fit.ground,
    decoder: decoderName,
  } as const satisfies PackHeader;
  const { pack, outcome } = await fillPack(found, fit, header, root, options);
  const name = basename(origin);
  const file = { path: join(pack.folder, imagesName), count: pack.count, ...fit.size };
  const source = await openPackedImages(file, { name }).catch(async (error) => {
    await pack.release();
    throw error;
  });
  const { images, skipped, notes } = describeOutcome(found, outcome, pack.index, fit, options);
  const { images: distinct, duplicates } = distinctImages(images);
  const { release } = pack; // its index is not needed any more
  const close = async (): Promise<void> => {
    await source.close();
    await release();
  };
  return {
    format: found.format,
    origin: found.origin,
    fit,
    source,
    images: options.duplicates === 'keep' ? images : distinct,
    classNames: found.classNames,
    skipped: [...found.skipped, ...skipped],
    duplicates,
    notes: [...found.notes, ...notes, ...describeDuplicates(duplicates)],
    decoded: outcome.decoded,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What the fit is chosen by; packs of another fit know the pictures too. */
async function sampleOf(found: FoundImages, origin: string, root: string, options: ImportOptions) {
  if (options.size !== undefined && options.colours !== undefined) return [];
  const [newest] = await packsOf(root, sourceName(found.format, origin));
  const pack = newest === undefined ? undefined : await openWhole(join(root, newest));
  const index = pack?.index ?? emptyIndex();
  await pack?.release();
  return sampleFacts(found.images, {
    knownByStamp: (image) => pictureOf(index, image),
    knownByHash: (hash) => index.pictures.get(hash),
    ahead: imagesAhead,
    signal: options.signal,
  });
}

async function openWhole(folder: string): Promise<Pack | undefined> {
  const header = await readHeader(folder);
  return header && openPack(folder, header.height * header.width * header.channels);
}

/** The picture of an image whose file has not changed since. */
function pictureOf({ names, pictures }: PackIndex, { name, stamp }: FoundImage): PackedPicture | undefined {
  const known = stamp && names.get(name);
  const isSame = known && known.sizeBytes === stamp.sizeBytes && known.modifiedMs === stamp.modifiedMs;
  return isSame ? pictures.get(known.hash) : undefined;
}

/** What became of each image. */
interface Outcome {
  /** By its place among those that were found; absent where it was set aside before it was known. */
  readonly hashes: ReadonlyMap<FoundImage, string>;
  readonly unreadable: ReadonlyMap<FoundImage, SkippedFile>;
  readonly decoded: number;
}

/** Bring all images into a pack. */
async function fillPack(
  found: FoundImages,
  fit: ChosenFit,
  header: PackHeader,
  root: string,
  options: ImportOptions,
): Promise<{ readonly pack: Pack; readonly outcome: Outcome }> {
  const { strict = false, signal, onProgress } = options;
  const key = packKey(root, header);
  const rowBytes = header.height * header.width * header.channels;
  const base = await newestPack(root, key.name, rowBytes);
  const baseIndex = base?.index ?? emptyIndex();
  let writer: PackWriter | undefined;
  let opening: Promise<PackWriter> | undefined;
  const openWriter = (): Promise<PackWriter> => {
    opening ??= PackWriter.open(key, header, base).then((opened) => {
      writer = opened;
      return opened;
    });
    return opening;
  };

  /** A picture that is in the pack, or one that is to be added. */
  const look = async (image: FoundImage): Promise<Look> => {
    signal?.throwIfAborted();
    const stamped = pictureOf(writer?.index ?? baseIndex, image);
    if (stamped !== undefined) return { picture: stamped };
    try {
      const content = await image.read();
      const hash = contentHash(content);
      const known = baseIndex.pictures.get(hash) ?? (await openWriter()).index.pictures.get(hash);
      if (known !== undefined) return { picture: known };
      return { hash, decoded: await decodeContent(image.name, content, fit.size, fit) };
    } catch (error) {
      if (!(error instanceof QuarterturnError)) throw error;
      return { error };
    }
  };

  const startedMs = Date.now();
  const hashes = new Map<FoundImage, string>();
  const unreadable = new Map<FoundImage, SkippedFile>();
  const names = new Map<string, StampedName>();
  let decoded = 0;
  let done = 0;
  let toldMs = 0;
  const tell = (): void => {
    toldMs = performance.now();
    onProgress?.({ done, total: found.images.length, decoded, setAside: unreadable.size });
  };
  try {
    // A first import writes in any case; and one that was killed knows by its stamps what it has.
    if (base === undefined) await openWriter();
    const looks = mapAhead(found.images, imagesAhead, async (image) => ({ image, seen: await look(image) }));
    for await (const { image, seen } of looks) {
      signal?.throwIfAborted();
      if ('error' in seen) {
        if (strict) throw seen.error;
        unreadable.set(image, skippedFor(image.name, seen.error));
      } else {
        const picture = 'picture' in seen ? seen.picture : await addTo(await openWriter(), seen);
        if (!('picture' in seen)) decoded++;
        if (picture.row === null && strict) throw blankError(image.name);
        hashes.set(image, picture.hash);
        const { name, stamp } = image;
        if (stamp !== undefined && stamp.modifiedMs < startedMs - unsureForMs) {
          const entry = { name, hash: picture.hash, ...stamp };
          names.set(name, entry);
          if (writer !== undefined && pictureOf(writer.index, image) === undefined)
            await writer.addName(entry);
        }
      }
      done++;
      if (performance.now() - toldMs >= progressEveryMs) tell();
    }
    tell();
    const outcome = { hashes, unreadable, decoded };
    if (writer !== undefined) {
      const folder = await writer.finish(names);
      const pack = await openPack(folder, rowBytes);
      if (pack === undefined)
        throw new QuarterturnError('io', `${folder}: expected a whole pack. Received: none.`);
      await base?.release();
      await makeRoom(root, key.name, pack, options);
      return { pack, outcome };
    }
    if (base === undefined)
      throw new QuarterturnError('data', `${found.origin}: expected images. Received: none.`);
    if ([...names].some(([name, entry]) => !isEqual(baseIndex.names.get(name), entry))) {
      await writeIndex(root, base.folder, { pictures: baseIndex.pictures, names });
    }
    return { pack: base, outcome };
  } catch (error) {
    await opening?.catch(() => {});
    await writer?.abandon();
    await base?.release();
    throw error;
  }
}

type Look =
  | { readonly picture: PackedPicture }
  | { readonly hash: string; readonly decoded: DecodedImage }
  | { readonly error: QuarterturnError };

/** A file that was found twice is decoded twice where both come at once, and added once. */
async function addTo(
  writer: PackWriter,
  { hash, decoded }: { readonly hash: string; readonly decoded: DecodedImage },
): Promise<PackedPicture> {
  const { stored, colour, pictures, hasAlpha, contrast, pixels } = decoded;
  const picture = { hash, ...stored, colour, pictures, hasAlpha };
  return writer.index.pictures.get(hash) ?? (await writer.addPicture(picture, pixels, contrast === 0));
}

const isEqual = (a: StampedName | undefined, b: StampedName): boolean =>
  a !== undefined && a.hash === b.hash && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs;

async function newestPack(root: string, beginning: string, rowBytes: number): Promise<Pack | undefined> {
  for (const name of await packsOf(root, beginning)) {
    const pack = await openPack(join(root, name), rowBytes);
    if (pack !== undefined) return pack;
  }
  return undefined;
}

const mostCacheBytes = 20e9;
const shareOfDisk = 0.1;

/** Delete the packs that this one takes the place of, and those that were used longest ago while there are too many. */
async function makeRoom(root: string, beginning: string, pack: Pack, options: ImportOptions): Promise<void> {
  for (const name of await packsOf(root, beginning)) {
    const folder = join(root, name);
    if (folder !== pack.folder) await removePack(root, folder);
  }
  const { bsize, blocks } = await fs.statfs(root);
  const keepBytes = options.maxCacheBytes ?? Math.min(mostCacheBytes, shareOfDisk * bsize * blocks);
  await clearCache({ cacheFolder: root, keepBytes });
}

function skippedFor(name: string, error: QuarterturnError): SkippedFile {
  const reason = error instanceof UnreadableImage ? error.reason : 'file that cannot be read';
  return { name, reason, hint: error.hint ?? error.message };
}

const blankReason = 'image of one colour';

function blankError(name: string): UnreadableImage {
  const message = `${name}: expected a picture of something. Received: an ${blankReason}.`;
  return new UnreadableImage(message, { reason: blankReason, hint: 'Leave it out, or go without --strict.' });
}

function describeOutcome(
  found: FoundImages,
  { hashes, unreadable }: Outcome,
  index: PackIndex,
  fit: ChosenFit,
  { colours }: ImportOptions,
) {
  const images: ImportedImage[] = [];
  const skipped: SkippedFile[] = [];
  const several: string[] = [];
  const coloured: string[] = [];
  for (const image of found.images) {
    const failure = unreadable.get(image);
    if (failure !== undefined) skipped.push(failure);
    const picture = index.pictures.get(hashes.get(image) ?? '');
    if (picture === undefined) continue;
    const { name, label, split } = image;
    const { row, hash, height, width, colour, pictures, hasAlpha } = picture;
    if (row === null) {
      const other =
        fit.ground === 'black' ? 'dark ink disappears: try a white' : 'light ink disappears: try a black';
      const hint = hasAlpha ? `Transparent parts lie on ${fit.ground}, where ${other} ground.` : undefined;
      skipped.push({ name, reason: blankReason, hint: hint ?? 'It shows nothing that could be learned.' });
      continue;
    }
    if (pictures > 1) several.push(name);
    if (colour) coloured.push(name);
    const known = { name, hash, row, height, width };
    images.push({ ...known, ...(label !== undefined && { label }), ...(split !== undefined && { split }) });
  }
  const notes: string[] = [];
  if (several.length > 0) {
    notes.push(
      `${several.length} of the files hold several pictures (${firstNames(several)}): the first is taken.`,
    );
  }
  if (fit.size.channels === 1 && colours === undefined && coloured.length > 0) {
    notes.push(`${coloured.length} of the pictures show colours and become grey (${firstNames(coloured)}).`);
  }
  return { images, skipped, notes };
}
