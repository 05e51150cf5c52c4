import { isAbsolute, relative } from 'node:path';

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

/**
 * A file's name on one line: line breaks, control characters and what turns the direction of writing are shown as escapes,
 * since a name may hold anything and must neither break the lines of a table nor reach the terminal as a command.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu, (char) => {
    const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    const code = char.charCodeAt(0).toString(16);
    return named ?? (code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`);
  });
}
