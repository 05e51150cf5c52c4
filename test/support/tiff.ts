/** Kinds of samples, by TIFF's own numbers. */
const sampleFormats = { unsigned: 1, signed: 2, float: 3 } as const;

/**
 * A TIFF file of one uncompressed strip, little-endian, grey or RGB, with its directory before its pixels.
 * @see TIFF 6.0, section 2
 */
export function tiff(
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: 1 | 3 },
  kind: keyof typeof sampleFormats,
  samples: Float32Array | Uint16Array | Int16Array,
): Uint8Array {
  const bits = 8 * samples.BYTES_PER_ELEMENT;
  const entries: (readonly [tag: number, type: 3 | 4, count: number, value: number])[] = [];
  const directoryBytes = 2 + 12 * 10 + 4;
  const bitsAt = 8 + directoryBytes;
  const pixelsAt = bitsAt + 8;
  entries.push([256, 4, 1, width], [257, 4, 1, height]);
  // Three values of two bytes do not fit into an entry: it says where they are.
  entries.push(channels === 1 ? [258, 3, 1, bits] : [258, 3, 3, bitsAt]);
  entries.push([259, 3, 1, 1], [262, 3, 1, channels === 1 ? 1 : 2], [273, 4, 1, pixelsAt]);
  entries.push([277, 3, 1, channels], [278, 4, 1, height], [279, 4, 1, samples.byteLength]);
  entries.push([339, 3, 1, sampleFormats[kind]]);
  const bytes = new Uint8Array(pixelsAt + samples.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('II*\0'));
  view.setUint32(4, 8, true);
  view.setUint16(8, entries.length, true);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
  }
  for (let i = 0; i < 3; i++) view.setUint16(bitsAt + 2 * i, bits, true);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), pixelsAt);
  return bytes;
}
