import { QuarterturnError } from '../errors.js';
import { nearestName } from './nearest-name.js';

/** The four files of MNIST and of the data sets that took over its names, as they are called there. */
export const canonicalNames = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

export type IdxRole = keyof typeof canonicalNames;

/** `emnist-letters-train-images-idx3-ubyte.gz`: what stands before, which part, of what. */
const spelling =
  /^(?:(?<prefix>.+?)[-._ ])?(?<part>train|t10k|test)[-._ ](?<what>images|labels)[-._ ]idx\d?(?:[-._ ]ubyte)?(?<gz>\.gz)?$/i;

interface Candidate {
  readonly path: string;
  /** In lower case; '' where the name has none. */
  readonly prefix: string;
  readonly role: IdxRole;
  readonly isGzip: boolean;
}

/**
 * Which file of a folder is which part of an IDX data set. Names may have dots for dashes, capitals, `test` for `t10k`,
 * the data set's name in front, and `.gz` behind; the plain file wins where both lie there.
 *
 * @param paths of files, relative to `folder`, with `/`
 * @throws QuarterturnError `data` if names of several data sets lie there
 */
export function assignRoles(folder: string, paths: readonly string[]): Partial<Record<IdxRole, string>> {
  const candidates = paths.map(candidateOf).filter((candidate) => candidate !== undefined);
  const prefixes = [...new Set(candidates.map(({ prefix }) => prefix))].sort();
  // Files without a prefix are meant, whatever else lies beside them: '' comes first.
  if (prefixes.length > 1 && prefixes[0] !== '') {
    throw new QuarterturnError(
      'data',
      `${folder}: expected the files of one data set. Received: those of ${prefixes.join(', ')}.`,
      { hint: 'Put the four files of one of them into a folder of their own.' },
    );
  }
  const found = candidates
    .filter(({ prefix }) => prefix === prefixes[0])
    .sort((a, b) => Number(b.isGzip) - Number(a.isGzip) || (a.path < b.path ? 1 : -1));
  // The last one of a role stays.
  return Object.fromEntries(found.map(({ role, path }) => [role, path]));
}

function candidateOf(path: string): Candidate | undefined {
  const groups = spelling.exec(path.split('/').at(-1)!)?.groups;
  if (!groups) return undefined;
  const part = groups.part!.toLowerCase() === 'train' ? 'train' : 'test';
  const what = groups.what!.toLowerCase() === 'images' ? 'Images' : 'Labels';
  return {
    path,
    prefix: groups.prefix?.toLowerCase() ?? '',
    role: `${part}${what}`,
    isGzip: groups.gz !== undefined,
  };
}

/** Edits within which a name is taken for a mistyped one. */
const mistyped = 4;

/** What to do about files that are not there: a name that was mistyped, or what is wanted. */
export function renamingHint(missing: readonly IdxRole[], paths: readonly string[]): string {
  const renamings = missing.flatMap((role) => {
    const others = paths.filter((path) => candidateOf(path) === undefined);
    const near = nearestName(canonicalNames[role], others, mistyped);
    return near === undefined ? [] : [`Is ${near} meant? Call it ${canonicalNames[role]}.`];
  });
  return renamings.length > 0 ? renamings.join(' ') : 'Put the missing files there, plain or gzipped.';
}
