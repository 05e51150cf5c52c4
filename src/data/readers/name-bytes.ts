const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder('latin1');

/**
 * A file's name from its bytes: UTF-8 where they are that, else Latin-1, which older systems wrote; so no two names fall
 * together but by such a coincidence.
 */
export function decodeName(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? latin1.decode(bytes);
}

/** Undefined where the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
