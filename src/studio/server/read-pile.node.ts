import sharp from 'sharp';
import type { ImageSource } from '../../index.js';
import { createImportEta, type ImportProgress, type ReadImages, readImages, readMnist } from '../../node.js';
import { OriginalPictures } from './original-pictures.node.js';
import type { EncodedPicture, OpenPileOptions, Pile, PileImage, PileSource } from './pile.js';
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
    const small = (index: number): Promise<EncodedPicture> => smallOf(data.train.images, rows[index] ?? 0);
    const hasFiles = await originals.areFiles(images);
    return {
      facts: factsOf(data, { count: images.length, hasFiles, durationMs: performance.now() - startedMs }),
      images,
      skipped: data.skipped,
      duplicates: (data.duplicates ?? []).map(({ images, labels }) => ({
        names: images.map(({ name }) => name),
        labels,
      })),
      small,
      tile: async (index) => (await originals.tile(images[index]?.name)) ?? small(index),
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
