import type { KeptTry, TryAnswer } from '../../server/tries/try-messages.js';
import { ask, viewAddress } from './client.js';

export type { TryAnswer };

/** Pictures from outside the pile. */
export const tries = {
  /** Ask the newest classifier about a picture. */
  add: (picture: Blob, name: string, signal: AbortSignal): Promise<TryAnswer> =>
    ask(`/api/tries?${new URLSearchParams({ name: name.slice(0, 200) })}`, { bytes: picture, signal }),
  /** Add a picture to the pile. */
  keep: (id: string) => ask<KeptTry>(`/api/tries/${id}/keep`, { json: {} }),
  seen: ({ seen }: TryAnswer): string => viewAddress(seen),
};
