import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { QuarterturnError } from '../errors.js';

/** Packed bytes that are looked at to tell what lies within: they unpack to a megabyte at most. */
const peekBytes = 1024;

/** The first bytes of what a gzip file holds; none if it is damaged right there. */
export function peekGzip(packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed.subarray(0, peekBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array();
  }
}

/**
 * What a gzip file holds.
 * @param maxBytes more is refused while it is unpacked, so that a small file cannot fill the memory
 * @throws QuarterturnError `data` for a damaged file or too much in it
 */
export async function unpackGzip(name: string, packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isTooLarge = cause instanceof RangeError;
    throw new QuarterturnError(
      'data',
      isTooLarge
        ? `${name}, gzip: expected at most ${maxBytes} bytes within. Received: more.`
        : `${name}, gzip: expected a complete stream. Received: one that is cut off or damaged.`,
      { hint: isTooLarge ? 'Unpack it first.' : 'Copy or download the file again.', cause },
    );
  }
}
