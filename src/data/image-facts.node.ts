import { createHash } from 'node:crypto';
import { QuarterturnError } from '../errors.js';
import { readableFormats } from './image-content.js';
import { type DecodedImage, type DecodeOptions, decodeImage, fitPixels } from './image-decode.node.js';
import { type PictureFacts, sampledPictures } from './image-fit.js';
import type { ImageSize } from './image-source.js';
import { mapAhead } from './map-ahead.js';
import type { FoundImage, ImageBytes, SkippedFile } from './readers/found-images.js';
import { describeSkipped } from './skipped-files.js';
import { UnreadableImage } from './unreadable-image.js';

/** What an image is known by: SHA-256 of the bytes of its file, or of its pixels behind their shape. */
export function contentHash(content: ImageBytes): string {
  const hash = createHash('sha256');
  if (content.kind === 'file') return hash.update(content.bytes).digest('hex');
  const { height, width, channels, pixels } = content;
  return hash.update(`pixels ${height}×${width}×${channels}\n`).update(pixels).digest('hex');
}

/** Decode what a reader found, if it has to be, and fit it. */
export function decodeContent(
  name: string,
  content: ImageBytes,
  size: ImageSize,
  options: DecodeOptions,
): Promise<DecodedImage> {
  return content.kind === 'file'
    ? decodeImage(name, content.bytes, size, options)
    : fitPixels(content, size, options);
}

/** Enough to see whether anything is coloured. */
const sampleSize = { height: 64, width: 64, channels: 3 } as const;

export interface SampleOptions {
  /** Facts about an image that need no reading. */
  readonly knownByStamp: (image: FoundImage) => PictureFacts | undefined;
  /** Facts about a content that need no decoding. */
  readonly knownByHash: (hash: string) => PictureFacts | undefined;
  /** Images that are read and decoded at once. */
  readonly ahead: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Look at some images, spread evenly over all, as far as they can be read; where none of those can, at others until one
 * can.
 * @throws QuarterturnError `data` if none of all can be read, with the kinds of what is there
 */
export async function sampleFacts(
  origin: string,
  images: readonly FoundImage[],
  options: SampleOptions,
): Promise<PictureFacts[]> {
  const { knownByStamp, knownByHash, ahead, signal } = options;
  const sampled = Math.min(images.length, sampledPictures);
  const chosen = Array.from({ length: sampled }, (_, i) => Math.floor(((i + 0.5) * images.length) / sampled));
  const isChosen = new Set(chosen);
  const order = [...chosen, ...images.keys()].filter((index, at) => at < sampled || !isChosen.has(index));
  const facts: PictureFacts[] = [];
  const unreadable: SkippedFile[] = [];
  const inOrder = order.flatMap((index) => images[index] ?? []);
  const looks = mapAhead(inOrder, ahead, async (image) => knownByStamp(image) ?? lookAt(image, knownByHash));
  for await (const each of looks) {
    signal?.throwIfAborted();
    if ('reason' in each) unreadable.push(each);
    else facts.push(each);
    if (facts.length > 0 && facts.length + unreadable.length >= sampled) break;
  }
  if (facts.length > 0) return facts;
  const received = images.length === 0 ? 'none.' : describeSkipped(unreadable).join(' ');
  throw new QuarterturnError('data', `${origin}: expected images that can be read. Received: ${received}`, {
    hint: readableFormats,
  });
}

async function lookAt(
  image: FoundImage,
  knownByHash: SampleOptions['knownByHash'],
): Promise<PictureFacts | SkippedFile> {
  try {
    const content = await image.read();
    const known = knownByHash(contentHash(content));
    if (known !== undefined) return known;
    const { stored, colour } = await decodeContent(image.name, content, sampleSize, { fit: 'stretch' });
    return { ...stored, colour };
  } catch (error) {
    if (error instanceof QuarterturnError) return skippedFor(image.name, error);
    throw error;
  }
}

/** An image that cannot be used, by the kind of its fault. */
export function skippedFor(name: string, error: QuarterturnError): SkippedFile {
  const reason = error instanceof UnreadableImage ? error.reason : 'file that cannot be read';
  return { name, reason, hint: error.hint ?? error.message };
}
