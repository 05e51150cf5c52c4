/**
 * Height and width that a JPEG's frame header tells (ITU-T T.81, section B.2.2); undefined for what has no such header where
 * it is looked for, or samples of other than 8 bits. Much faster than asking the decoder, which matters where pictures are
 * small.
 */
export function jpegSize(bytes: Uint8Array): { readonly height: number; readonly width: number } | undefined {
  const wordAt = (at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  for (let at = 2; at + 9 <= bytes.length; ) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) return undefined;
    if (marker === 0xff) {
      at++; // filling
      continue;
    }
    if (isFrame(marker)) {
      const [height, width] = [wordAt(at + 5), wordAt(at + 7)];
      return bytes[at + 4] === 8 && height > 0 && width > 0 ? { height, width } : undefined;
    }
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda)) return undefined; // the scan, or no segment
    at += 2 + wordAt(at + 2);
  }
  return undefined;
}

/** SOF0 … SOF15, among which lie three markers of other kinds. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
