import { join } from 'node:path';
import sharp from 'sharp';
import { QuarterturnError } from '../../errors.js';
import type { ImageSource } from '../../index.js';
import { createImportEta, type ImportProgress, type ReadImages, readImages, readMnist } from '../../node.js';
import { OriginalPictures } from './original-pictures.node.js';
import type { AddedPicture, EncodedPicture, OpenPileOptions, Pile, PileImage, PileSource } from './pile.js';
import { readingOf } from './pile-source.js';
import { quickPng } from './quick-png.node.js';
import type { PileFacts, PileProgress } from './updates.js';

export interface ReadPileOptions extends OpenPileOptions {
  /** Where decoded images are kept; default: as for every command. */
  readonly cacheFolder?: string | undefined;
}

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
  const originals = new OriginalPictures(source);
  const close = async (): Promise<void> => {
    await originals.close();
    await data.close?.();
  };
  try {
    const { hashImages } = await library;
    const all = Array.from({ length: data.train.images.count }, (_, index) => index);
    const { images, rows } = eachOnce(data, await hashImages(data.train.images, all));
    signal.throwIfAborted();
    const known = { originals, images };
    const added = new AddedPictures(source, { cacheFolder, fit: data.fit, ...known });
    const small = async (index: number): Promise<EncodedPicture> => {
      const row = rows[index];
      return row === undefined ? added.small(images[index]?.id) : smallOf(data.train.images, row);
    };
    const hasFiles = await originals.areFiles(images);
    const durationMs = performance.now() - startedMs;
    const facts = factsOf(data, { count: images.length, hasFiles, durationMs });
    return {
      get facts() {
        return { ...facts, count: images.length };
      },
      images,
      skipped: data.skipped,
      duplicates: (data.duplicates ?? []).map(({ images, labels }) => ({
        names: images.map(({ name }) => name),
        labels,
      })),
      small,
      tile: async (index) => (await originals.tile(images[index]?.name)) ?? small(index),
      view: async (index) => (await originals.view(images[index]?.name)) ?? small(index),
      add: (name) => added.add(name),
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
    fit,
  }: Omit<ReadImages, 'close' | typeof Symbol.asyncDispose>,
  { count, hasFiles, durationMs }: Pick<PileFacts, 'count' | 'hasFiles' | 'durationMs'>,
): PileFacts {
  const { height, width, channels } = train.images;
  return {
    phase: 'ready',
    ...{ count, height, width, channels, hasFiles, durationMs },
    classNames: train.classNames,
    setAside: skipped.length,
    setAsideKinds: leftOut?.kinds ?? [],
    duplicates: duplicates.length,
    ...(fit && { reading: readingOf(fit) }),
    notes,
  };
}

interface AddedPicturesOptions {
  readonly cacheFolder: string | undefined;
  /** How the pictures of the pile became images; undefined where they were images already. */
  readonly fit: ReadImages['fit'];
  readonly originals: OriginalPictures;
  /** Those of the pile, to which new ones are added. */
  readonly images: PileImage[];
}

/** Pictures that came to a pile after it was read. */
class AddedPictures {
  readonly #source: PileSource;
  readonly #options: AddedPicturesOptions;
  readonly #smallOf = new Map<string, EncodedPicture>();

  constructor(source: PileSource, options: AddedPicturesOptions) {
    this.#source = source;
    this.#options = options;
  }

  small(id: string | undefined): EncodedPicture {
    const found = this.#smallOf.get(id ?? '');
    if (found === undefined) throw new RangeError('no image of this number');
    return found;
  }

  /** See `Pile.add`. */
  async add(name: string): Promise<AddedPicture> {
    const { cacheFolder, fit, originals, images } = this.#options;
    if (!('path' in this.#source) || fit === undefined) {
      throw new QuarterturnError('usage', 'pile: expected a folder of pictures. Received: another one.');
    }
    const path = join(this.#source.path, name);
    const { size, fit: mode, ground } = fit;
    await using data = await readImages(path, {
      ...{ cacheFolder, size, fit: mode, ground, colours: size.channels === 1 ? 'grey' : 'rgb' },
    });
    const { hashImages } = await import('../../index.js');
    const [id = ''] = await hashImages(data.train.images, [0]);
    const before = images.find((image) => image.id === id);
    if (before !== undefined) return { image: before, isNew: false };
    const content = data.parts?.train[0]?.hash;
    const image = { id, name, ...(content !== undefined && { content }) };
    this.#smallOf.set(id, await smallOf(data.train.images, 0));
    await originals.add(name, path);
    images.push(image);
    return { image, isNew: true };
  }
}

/** A PNG of an image's own pixels. */
async function smallOf(source: ImageSource, row: number): Promise<EncodedPicture> {
  const { height, width, channels } = source;
  const { data } = await source.read([row]);
  const raw = { height, width, channels: channels === 1 ? 1 : 3 } as const;
  return quickPng(sharp(data, { raw }));
}
