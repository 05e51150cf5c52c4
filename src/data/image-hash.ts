import { QuarterturnError } from '../errors.js';
import type { ImageSource } from './image-source.js';
import type { Image } from './rotation.js';

/**
 * Hexadecimal digits of an image's hash: the first half of SHA-256. Among a billion images the odds that any two share
 * all 32 are one in 10²⁰, and a label with its hash still fits one line of an editor.
 */
const hashDigits = 32;

/** Pattern of an image's hash. */
export const imageHashPattern = new RegExp(`^[0-9a-f]{${hashDigits}}$`);

/** Images whose hashes are computed at once, and their bytes at most: enough to keep all cores busy. */
const imagesAtOnce = 256;
const bytesAtOnce = 2 ** 24;

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Hash of an image's content, which does not depend on the image's index or file.
 *
 *   hash = first 32 hexadecimal digits of SHA-256("<height>x<width>x<channels>\n" + pixels)
 *
 * The size is part of it, since the same bytes can be two images: 14×56 is not 28×28.
 *
 * @example
 * await hashImage({ pixels: Uint8Array.of(0, 255), height: 1, width: 2, channels: 1 });
 * // the start of what `printf '1x2x1\n\000\377' | sha256sum` prints
 * @throws QuarterturnError `runtime` if the browser hides `crypto.subtle`, as it does on pages without HTTPS
 */
export async function hashImage({ pixels, height, width, channels }: Image): Promise<string> {
  const header = new TextEncoder().encode(`${height}x${width}x${channels}\n`);
  const bytes = new Uint8Array(header.length + pixels.length);
  bytes.set(header);
  bytes.set(pixels, header.length);
  const digest = new Uint8Array(await subtleCrypto().digest('SHA-256', bytes));
  return Array.from(digest.subarray(0, hashDigits / 2), (byte) => hexOfByte[byte]).join('');
}

/**
 * The hashes of some images (see {@link hashImage}), in the order asked for. Images are read a few megabytes at a time.
 * @throws QuarterturnError `usage` for an index outside the source, and as {@link hashImage}
 */
export async function hashImages(source: ImageSource, indices: ArrayLike<number>): Promise<string[]> {
  const { height, width, channels } = source;
  const size = height * width * channels;
  const hashes: string[] = [];
  const atOnce = imagesReadAtOnce(source);
  for (let from = 0; from < indices.length; from += atOnce) {
    const window = Array.prototype.slice.call(indices, from, from + atOnce);
    const { data } = await source.read(window);
    const pixelsOf = (i: number) => data.subarray(i * size, (i + 1) * size);
    hashes.push(
      ...(await Promise.all(
        window.map((_, i) => hashImage({ pixels: pixelsOf(i), height, width, channels })),
      )),
    );
  }
  return hashes;
}

/** How many images of a source are read and hashed together. */
export function imagesReadAtOnce({ height, width, channels }: ImageSource): number {
  return Math.max(1, Math.min(imagesAtOnce, Math.floor(bytesAtOnce / (height * width * channels))));
}

function subtleCrypto(): SubtleCrypto {
  // Typed as always there, but browsers leave it out of pages that were not loaded securely.
  const { subtle } = globalThis.crypto as { readonly subtle?: SubtleCrypto };
  if (subtle) return subtle;
  throw new QuarterturnError('runtime', 'hash of an image: expected crypto.subtle. Received: none.', {
    hint: 'Browsers have it on pages that come over HTTPS or from localhost.',
  });
}
