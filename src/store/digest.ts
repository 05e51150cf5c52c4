/**
 * SHA-256 of a text or of bytes, in hexadecimal.
 * @returns undefined if the platform has none: browsers have it for pages from https or this machine alone
 */
export async function sha256(content: string | Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const digest = await (globalThis.crypto as Crypto | undefined)?.subtle?.digest('SHA-256', bytes);
  return digest && Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
