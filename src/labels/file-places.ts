/** Where a written path leads. */
export interface Place {
  /** Among the names that are there; absent where none is meant, or more than one could be. */
  readonly index?: number;
  /** How it was found where it is not written as it is. */
  readonly manner?: 'folder' | 'case' | 'extension';
  /** Why it was not. */
  readonly reason?: 'no such file' | 'several such files' | 'outside the folder' | 'an address';
}

/** In place of an index: more than one. */
const several = -1;

/** One way to compare paths. */
interface Comparison {
  /** By all of the path. */
  readonly whole: Map<string, number>;
  /** By each end of the path that begins behind a `/`, the whole path included. */
  readonly ends: Map<string, number>;
}

/** Extensions that a path is taken to have: `Dr. Who` has none. */
const extension = /\.(jpe?g|jfif|png|gif|webp|tiff?|avif|bmp|heic|pgm|ppm)$/i;

const asWritten = (path: string): string => path;
const inOneCase = (path: string): string => path.toLowerCase();
const withoutExtension = (path: string): string => path.replace(extension, '').toLowerCase();

/** Finds names by paths that people wrote down; a path that could mean two finds none. */
export class FilePlaces {
  readonly #paths: readonly string[];

  /** @param names of files within a folder, with `/` */
  constructor(names: readonly string[]) {
    this.#paths = names.map((name) => name.normalize('NFC'));
  }

  /**
   * Where each written path leads: first those that are written as they are; then, each only where one alone can be meant,
   * those that lie in another folder, are written in other case, or without extension. A name that somebody wrote in full
   * is not found again by less.
   */
  find(written: readonly string[]): Place[] {
    const paths = written.map(pathOf);
    const exact = this.#compare(asWritten);
    const places = paths.map((path): Place => {
      if (typeof path !== 'string') return path;
      const index = exact.whole.get(path);
      return index === undefined || index === several ? {} : { index };
    });
    const taken = new Set(places.flatMap(({ index }) => (index === undefined ? [] : [index])));
    const comparisons = [
      ['folder', asWritten],
      ['case', inOneCase],
      ['extension', withoutExtension],
    ] as const;
    for (const [manner, key] of comparisons) {
      const open = places.flatMap(({ index, reason }, i) =>
        index === undefined && reason === undefined ? [i] : [],
      );
      if (open.length === 0) break;
      const comparison = this.#compare(key);
      const bases = countBy(open.map((i) => baseOf(key(String(paths[i])))));
      for (const i of open) {
        const path = String(paths[i]);
        // What has another extension is another file.
        if (manner === 'extension' && extension.test(path)) continue;
        const index = lookUp(comparison, key(path), bases);
        if (index === several) places[i] = { reason: 'several such files' };
        else if (index !== undefined && !taken.has(index)) places[i] = { index, manner };
      }
    }
    return places.map((place) =>
      (place.index ?? place.reason) === undefined ? { reason: 'no such file' } : place,
    );
  }

  #compare(key: (path: string) => string): Comparison {
    const whole = new Map<string, number>();
    const ends = new Map<string, number>();
    for (const [i, path] of this.#paths.entries()) {
      const compared = key(path);
      whole.set(compared, whole.has(compared) ? several : i);
      for (const end of endsOf(compared)) ends.set(end, ends.has(end) ? several : i);
    }
    return { whole, ends };
  }
}

/** The one name that a path means; {@link several} where it may be more. */
function lookUp(
  { whole, ends }: Comparison,
  path: string,
  bases: ReadonlyMap<string, number>,
): number | undefined {
  // `images/sub/1.png` for `sub/1.png`: the folder itself was written too.
  for (const end of endsOf(path)) {
    const index = whole.get(end);
    if (index !== undefined) return index;
  }
  // `1.png` for `sub/1.png`: the folder was left out.
  const index = ends.get(path);
  if (index !== undefined) return index;
  // In another folder altogether: only where the file's own name tells it, among the names and among the paths.
  const base = baseOf(path);
  return bases.get(base) === 1 ? ends.get(base) : undefined;
}

/** The path, and what is left of it behind each `/`, the longest first. */
function* endsOf(path: string): Generator<string> {
  yield path;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) yield path.slice(at + 1);
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function countBy(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/**
 * A written path without what means nothing (`./`, `//`, `sub/..`, a leading `/` or `C:/`), in Unicode's normal form C; or
 * why it names no file of a folder.
 */
export function pathOf(written: string): string | Place {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(written)) return { reason: 'an address' };
  const parts: string[] = [];
  for (const part of written
    .normalize('NFC')
    .replace(/^[a-z]:\//i, '')
    .split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return { reason: 'outside the folder' };
  }
  return parts.length === 0 ? { reason: 'no such file' } : parts.join('/');
}
