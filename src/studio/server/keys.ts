/**
 * The two secrets of a studio. Other users of the machine, and every page in the browser, can reach its port; they do not know
 * these.
 */
export interface StudioKeys {
  /** Opens everything. It is in the fragment of the page's address, which no browser sends anywhere. */
  readonly token: string;
  /**
   * Opens pictures and the event stream for reading, and nothing else. It stands in the addresses of both, since neither
   * an `<img>` nor an `EventSource` can send a header: an address that is copied gives nobody the right to write.
   */
  readonly viewKey: string;
}

/** 128 random bits each: nobody guesses them. */
export function createKeys(): StudioKeys {
  return { token: randomHex(), viewKey: randomHex() };
}

export function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether two secrets are equal, in a time that does not tell how much of them is. */
export function equalKeys(secret: string, given: string | undefined): boolean {
  if (given === undefined || given.length !== secret.length) return false;
  let difference = 0;
  for (let i = 0; i < secret.length; i++) difference |= secret.charCodeAt(i) ^ given.charCodeAt(i);
  return difference === 0;
}
