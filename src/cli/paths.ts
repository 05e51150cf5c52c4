import { isAbsolute, relative } from 'node:path';

export { printable } from '../report/printable.js';

/** A path as one would type it here, in quotes where a shell needs them. */
export function shellPath(path: string): string {
  const shown = shownPath(path);
  return /[^\w./\\:@%+=-]/.test(shown) ? `'${shown.replaceAll("'", "'\\''")}'` : shown;
}

/** A path as one would type it here: relative where it lies below the current folder. */
export function shownPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}
