import sharp from 'sharp';
import type { ImageSource } from '../../index.js';
import {
  createImportEta,
  decodeView,
  type FoundImage,
  type FoundImages,
  type ImportProgress,
  openImages,
  type ReadImages,
  readImages,
  readMnist,
} from '../../node.js';
import type { EncodedPicture, OpenPileOptions, Pile, PileImage, PileSource } from './pile.js';
import type { PileFacts, PileProgress } from './updates.js';

export interface ReadPileOptions extends OpenPileOptions {
  /** Where decoded images are kept; default: as for every command. */
  readonly cacheFolder?: string | undefined;
}

/** Pixels of the longer side of a larger view: what a large window has for it. */
const maxViewSide = 1024;
/** Views of no more pixels than a square of this side are sent without loss: in them every pixel can be seen. */
const losslessSide = 256;
const jpegQuality = 90;

/**
 * Read a pile in this process: as `quarterturn run` reads it, so that an image has the same hash here and there.
 *
 * Images to test with are no part of it: they have labels, and what is learned from them would be tested by itself.
 */
export async function readPile(source: PileSource, options: ReadPileOptions): Promise<Pile> {
  const startedMs = performance.now();
  const { cacheFolder, signal, onProgress } = options;
  // Half a second of work, which need not wait for the pictures.
  const library = import('../../index.js');
  const data: Omit<ReadImages, 'close' | typeof Symbol.asyncDispose> & Partial<ReadImages> =
    'path' in source
      ? await readImages(source.path, { cacheFolder, signal, onProgress: progressTeller(onProgress) })
      : { notes: [], skipped: [], ...(await readMnist()) };
  const originals = new Originals(source);
  const close = async (): Promise<void> => {
    await originals.close();
    await data.close?.();
  };
  try {
    const { hashImages } = await library;
    const all = Array.from({ length: data.train.images.count }, (_, index) => index);
    const { images, rows } = eachOnce(data, await hashImages(data.train.images, all));
    signal.throwIfAborted();
    const small = (index: number): Promise<EncodedPicture> => smallOf(data.train.images, rows[index] ?? 0);
    return {
      facts: factsOf(data, { count: images.length, durationMs: performance.now() - startedMs }),
      images,
      skipped: data.skipped,
      duplicates: (data.duplicates ?? []).map(({ images, labels }) => ({
        names: images.map(({ name }) => name),
        labels,
      })),
      small,
      view: async (index) => (await originals.view(images[index]?.name)) ?? small(index),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Progress with a rate, from what an import says. */
function progressTeller(onProgress: (progress: PileProgress) => void): (progress: ImportProgress) => void {
  const etaOf = createImportEta();
  let begun: { readonly ms: number; readonly done: number } | undefined;
  return (progress) => {
    const ms = performance.now();
    begun ??= { ms, done: progress.done };
    const seconds = (ms - begun.ms) / 1000;
    const etaMs = etaOf(progress);
    onProgress({
      phase: 'reading',
      ...progress,
      imagesPerSecond: seconds > 0 ? (progress.done - begun.done) / seconds : 0,
      ...(etaMs !== undefined && { etaMs }),
    });
  };
}

/** Images by their hashes, the first of each; files of arrays may hold an image twice. */
function eachOnce(
  { train: { labels, fileOf }, parts }: Pick<ReadImages, 'train' | 'parts'>,
  hashes: readonly string[],
) {
  const seen = new Set<string>();
  const images: PileImage[] = [];
  const rows: number[] = [];
  for (const [row, id] of hashes.entries()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const foundClass = labels?.[row] ?? -1;
    const content = parts?.train[row]?.hash;
    images.push({
      ...{ id, name: fileOf?.(row) ?? `images[${row}]` },
      ...(foundClass >= 0 && { foundClass }),
      ...(content !== undefined && { content }),
    });
    rows.push(row);
  }
  return { images, rows };
}

function factsOf(
  {
    train,
    skipped,
    duplicates = [],
    notes = [],
    leftOut,
  }: Omit<ReadImages, 'close' | typeof Symbol.asyncDispose>,
  { count, durationMs }: Pick<PileFacts, 'count' | 'durationMs'>,
): PileFacts {
  const { height, width, channels } = train.images;
  return {
    phase: 'ready',
    ...{ count, height, width, channels, durationMs },
    classNames: train.classNames,
    setAside: skipped.length,
    setAsideKinds: leftOut?.kinds ?? [],
    duplicates: duplicates.length,
    notes,
  };
}

/** A PNG of an image's own pixels. */
async function smallOf(source: ImageSource, row: number): Promise<EncodedPicture> {
  const { height, width, channels } = source;
  const { data } = await source.read([row]);
  const raw = { height, width, channels: channels === 1 ? 1 : 3 } as const;
  // Level 1: on a loopback, time matters and bytes do not.
  const bytes = await sharp(data, { raw }).png({ compressionLevel: 1 }).toBuffer();
  return { type: 'image/png', bytes };
}

/** The files behind the images, looked for when the first of them is asked for. */
class Originals {
  readonly #source: PileSource;
  #opened: Promise<FoundImages | undefined> | undefined;
  #byName: Map<string, FoundImage> | undefined;

  constructor(source: PileSource) {
    this.#source = source;
  }

  /** Undefined where no file is behind it. */
  async view(name: string | undefined): Promise<EncodedPicture | undefined> {
    this.#opened ??= this.#open();
    const found = await this.#opened;
    this.#byName ??= new Map(found?.images.map((image) => [image.name, image]));
    const image = name === undefined ? undefined : this.#byName.get(name);
    const content = await image?.read();
    if (name === undefined || content?.kind !== 'file') return undefined;
    const { pixels, height, width } = await decodeView(name, content.bytes, { maxSide: maxViewSide });
    const picture = sharp(pixels, { raw: { height, width, channels: 3 } });
    return height * width <= losslessSide ** 2
      ? { type: 'image/png', bytes: await picture.png({ compressionLevel: 1 }).toBuffer() }
      : { type: 'image/jpeg', bytes: await picture.jpeg({ quality: jpegQuality }).toBuffer() };
  }

  async close(): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.close?.();
  }

  async #open(): Promise<FoundImages | undefined> {
    return 'path' in this.#source ? openImages(this.#source.path) : undefined;
  }
}
