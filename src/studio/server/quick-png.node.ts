import type { Sharp } from 'sharp';
import type { EncodedPicture } from './pile.js';

/** A PNG that is made quickly: on a loopback, time matters and bytes do not. */
export async function quickPng(picture: Sharp): Promise<EncodedPicture> {
  return { type: 'image/png', bytes: await picture.png({ compressionLevel: 1 }).toBuffer() };
}
