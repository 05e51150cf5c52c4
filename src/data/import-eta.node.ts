import type { ImportProgress } from './import-images.node.js';

/**
 * How long an import will still take, in ms, asked at each of its progress reports; undefined while it goes through images that are
 * in the cache: those take no time worth a word, and tell nothing of how long decoding takes. What is left is taken to be
 * decoded as what came last was.
 *
 * @param now milliseconds, never running backwards
 */
export function createImportEta(
  now: () => number = () => performance.now(),
): (progress: ImportProgress) => number | undefined {
  let before: { readonly ms: number; readonly done: number; readonly decoded: number } | undefined;
  let [decodingMs, images] = [0, 0];
  return ({ done, decoded, total }) => {
    const [last, ms] = [before, now()];
    before = { ms, done, decoded };
    // What comes before the first report is the listing of the images.
    if (last === undefined || 2 * (decoded - last.decoded) < done - last.done) return undefined;
    decodingMs += ms - last.ms;
    images += done - last.done;
    return images === 0 ? undefined : (decodingMs / images) * (total - done);
  };
}
