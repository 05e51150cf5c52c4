import fs from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { byCount, countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import { type CacheOptions, cacheError, cacheFolderOf, clearCache } from './cache/cache-folder.node.js';
import { imagesName, packsOf, readIndex, sourceName } from './cache/pack.node.js';
import type { PackHeader } from './cache/pack-header.node.js';
import { emptyIndex, type PackedPicture } from './cache/pack-index.js';
import { PackUpdate, pictureByStamp, type ReadPack } from './cache/pack-update.node.js';
import { openPackedImages, type PackedImages } from './cache/packed-images.node.js';
import { describeDuplicates, distinctImages, type SamePicture } from './duplicates.js';
import { decoderName } from './image-decode.node.js';
import { contentHash, decodeContent, sampleFacts, skippedFor } from './image-facts.node.js';
import { type ChosenFit, chooseFit, type FitOptions, type PictureFacts } from './image-fit.js';
import { mapAhead } from './map-ahead.js';
import { firstNames } from './name-list.js';
import type { FoundImage, FoundImages, SkippedFile, Split } from './readers/found-images.js';
import { UnreadableImage } from './unreadable-image.js';

export interface ImportOptions extends FitOptions, CacheOptions {
  /** Stop at the first image that cannot be used; default: set it aside and go on. */
  readonly strict?: boolean | undefined;
  /** Whether the same picture is taken once or as often as it comes; it is told in either case. Default: `once`. */
  readonly duplicates?: 'once' | 'keep' | undefined;
  /** Size limit of the cache after this import. Default: 20 GB, or a tenth of its disk if that is less. */
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
  /** Absent if it has none, and where copies of it bear different ones. */
  readonly label?: string;
  readonly split?: Split;
  /** SHA-256 of the bytes of its file, or of its pixels: by it an image is known wherever it lies. */
  readonly hash: string;
  /** Its index in {@link ImportedImages.source}. */
  readonly row: number;
  /** Height and width of the picture as it lies in its file, before it was turned upright and fitted. */
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
  /** Notes for a person on how it was read, one sentence each. */
  readonly notes: readonly string[];
  /** Images that had to be decoded; the others were in the cache. */
  readonly decoded: number;
  close(): Promise<void>;
}

/** Images that are read and decoded at once: the decoder's threads never wait, and memory holds few pictures. */
const imagesAhead = 2 * Math.min(Math.max(availableParallelism(), 4), 16);
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
 * const train = selectImages(photos.source, Uint32Array.from(rows));
 * @throws QuarterturnError `data` if no image can be used, and with `strict` for the first one that cannot; `io` if the
 *   cache cannot be written; `usage` for a size that makes no sense. `signal.reason` when the signal says so.
 */
export async function importImages(found: FoundImages, options: ImportOptions = {}): Promise<ImportedImages> {
  const root = cacheFolderOf(options);
  const origin = resolve(found.origin);
  await fs.mkdir(root, { recursive: true }).catch((error) => {
    throw cacheError(root, error);
  });
  const newest = await newestOf(found, origin, root);
  const fit = chooseFit(await sampleOf(found, newest ?? {}, options), options);
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
  const update = await PackUpdate.begin(root, header, newest);
  const { outcome, pack, isNew } = await addAll(found.images, fit, update, options)
    .then(async (outcome) => ({ outcome, ...(await update.commit()) }))
    .catch(async (error) => {
      await update.abandon();
      throw error;
    });
  // Room that cannot be made is no reason to do without the images.
  if (isNew) await makeRoom(root, options).catch(() => {});
  const file = { path: join(pack.folder, imagesName), count: pack.count, ...fit.size };
  const source = await openPackedImages(file, { name: basename(origin) }).catch(async (error) => {
    await pack.release();
    throw error;
  });
  const { images, skipped, notes } = describeOutcome(found, outcome, fit, options);
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
    notes: [
      ...found.notes,
      ...(found.classNotes ?? []),
      ...notes,
      ...describeDuplicates(duplicates, options.duplicates),
    ],
    decoded: outcome.decoded,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The newest pack of a source, of whatever fit: it knows what the pictures are like. */
async function newestOf(found: FoundImages, origin: string, root: string): Promise<ReadPack | undefined> {
  const [name] = await packsOf(root, sourceName(found.format, origin));
  return name === undefined ? undefined : { name, index: await readIndex(join(root, name)) };
}

/** What the fit is chosen by. */
async function sampleOf(
  found: FoundImages,
  { index = emptyIndex() }: Partial<ReadPack>,
  options: ImportOptions,
): Promise<PictureFacts[]> {
  if (options.size !== undefined && options.colours !== undefined) return [];
  return sampleFacts(found.origin, found.images, {
    knownByStamp: (image) => pictureByStamp(index, image),
    knownByHash: (hash) => index.pictures.get(hash),
    ahead: imagesAhead,
    signal: options.signal,
  });
}

/** What became of the images. */
interface Outcome {
  /** Of those that could be read. */
  readonly pictures: ReadonlyMap<FoundImage, PackedPicture>;
  /** Of the others. */
  readonly unreadable: ReadonlyMap<FoundImage, SkippedFile>;
  readonly decoded: number;
}

/** Bring all images into a pack. */
async function addAll(
  images: readonly FoundImage[],
  fit: ChosenFit,
  update: PackUpdate,
  { strict = false, signal, onProgress }: ImportOptions,
): Promise<Outcome> {
  const pictures = new Map<FoundImage, PackedPicture>();
  const unreadable = new Map<FoundImage, SkippedFile>();
  let [done, decoded, toldMs] = [0, 0, 0];
  const tell = (): void => {
    toldMs = performance.now();
    onProgress?.({ done, total: images.length, decoded, setAside: unreadable.size });
  };
  const looks = mapAhead(images, imagesAhead, async (image) => {
    signal?.throwIfAborted();
    return { image, seen: await lookAt(image, fit, update) };
  });
  for await (const { image, seen } of looks) {
    signal?.throwIfAborted();
    if (seen.kind === 'unreadable') {
      if (strict) throw seen.error;
      unreadable.set(image, skippedFor(image.name, seen.error));
    } else {
      const picture = seen.kind === 'known' ? seen.picture : await update.add(...seen.addition);
      if (seen.kind === 'decoded') decoded++;
      if (picture.row === null && strict) throw blankError(image.name);
      pictures.set(image, picture);
      await update.setName(image, picture.hash);
    }
    done++;
    if (performance.now() - toldMs >= progressEveryMs) tell();
  }
  tell();
  return { pictures, unreadable, decoded };
}

type Look =
  | { readonly kind: 'known'; readonly picture: PackedPicture }
  | { readonly kind: 'decoded'; readonly addition: Parameters<PackUpdate['add']> }
  | { readonly kind: 'unreadable'; readonly error: QuarterturnError };

/** Find an image in the pack: by its stamp, else by its bytes, else decode it. */
async function lookAt(image: FoundImage, { size, ...how }: ChosenFit, update: PackUpdate): Promise<Look> {
  const stamped = update.byStamp(image);
  if (stamped !== undefined) return { kind: 'known', picture: stamped };
  const content = await orError(image.read());
  if (content instanceof QuarterturnError) return { kind: 'unreadable', error: content };
  const hash = contentHash(content);
  const known = await update.byHash(hash);
  if (known !== undefined) return { kind: 'known', picture: known };
  const decoded = await orError(decodeContent(image.name, content, size, how));
  if (decoded instanceof QuarterturnError) return { kind: 'unreadable', error: decoded };
  const { stored, colour, pictures, hasAlpha, contrast, pixels } = decoded;
  return {
    kind: 'decoded',
    addition: [{ hash, ...stored, colour, pictures, hasAlpha }, pixels, contrast === 0],
  };
}

/** What comes of work with one image, or why it cannot be used; any other failure ends the import. */
async function orError<T>(work: Promise<T>): Promise<T | QuarterturnError> {
  return work.catch((error) => {
    if (error instanceof QuarterturnError) return error;
    throw error;
  });
}

const defaultMaxCacheBytes = 20e9;
const shareOfDisk = 0.1;

/** Delete the packs that were used longest ago while there is more than the cache may hold. */
async function makeRoom(root: string, { maxCacheBytes }: ImportOptions): Promise<void> {
  const { bsize, blocks } = await fs.statfs(root);
  const keepBytes = maxCacheBytes ?? Math.min(defaultMaxCacheBytes, shareOfDisk * bsize * blocks);
  await clearCache({ cacheFolder: root, keepBytes });
}

const blankReason = 'image of one colour';

function blankError(name: string): UnreadableImage {
  const message = `${name}: expected a picture of something. Received: an ${blankReason}.`;
  return new UnreadableImage(message, { reason: blankReason, hint: 'Leave it out, or go without --strict.' });
}

function describeOutcome(
  found: FoundImages,
  { pictures, unreadable }: Outcome,
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
    const picture = pictures.get(image);
    if (picture === undefined) continue;
    const { name, label, split } = image;
    const { row, hash, height, width, colour, hasAlpha } = picture;
    if (row === null) {
      const other =
        fit.ground === 'black' ? 'dark ink disappears: try a white' : 'light ink disappears: try a black';
      const hint = hasAlpha ? `Transparent parts lie on ${fit.ground}, where ${other} ground.` : undefined;
      skipped.push({ name, reason: blankReason, hint: hint ?? 'It shows nothing that could be learned.' });
      continue;
    }
    if (picture.pictures > 1) several.push(name);
    if (colour) coloured.push(name);
    const known = { name, hash, row, height, width };
    images.push({ ...known, ...(label !== undefined && { label }), ...(split !== undefined && { split }) });
  }
  const notes: string[] = [];
  if (several.length > 0) {
    notes.push(
      `${countOf(several.length, 'file')} ${byCount(several.length, 'holds', 'hold')} several pictures (${firstNames(several)}): the first is taken.`,
    );
  }
  if (fit.size.channels === 1 && colours === undefined && coloured.length > 0) {
    notes.push(
      `${countOf(coloured.length, 'picture')} ${byCount(coloured.length, 'shows colours and becomes', 'show colours and become')} grey (${firstNames(coloured)}).`,
    );
  }
  return { images, skipped, notes };
}
