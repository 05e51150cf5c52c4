/** Characters of the longest path that a system opens. */
const maxPathLength = 4096;
/** Folders within each other: far more than anybody's, few enough that made-up ones cost nothing. */
const maxDepth = 64;

export type TreePath =
  | { readonly path: string; readonly reason?: undefined }
  | { readonly path?: undefined; readonly reason: string };

/**
 * A name as an archive or a link gives it, as a path within the tree: `./a//b/` is `a/b`, the tree itself is ''. Names that
 * begin at a root or a drive, or go up anywhere, are refused with a reason, also with backslashes.
 */
export function treePath(name: string): TreePath {
  if (name.length > maxPathLength || name.includes('\0')) return { reason: 'name that no file can have' };
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const path = parts.join('/');
  // What comes first may have stood behind a `./`.
  if (name.startsWith('/') || /^(?:\\|[A-Za-z]:[\\/])/.test(path) || path.split(/[\\/]/).includes('..')) {
    return { reason: 'name that leads out of the folder' };
  }
  return parts.length > maxDepth ? { reason: `file in more than ${maxDepth} folders` } : { path };
}

/**
 * Where a link leads that lies at `path`: a path within the tree, '' for the tree itself, undefined if it leads out.
 * @param target as the link has it, relative to its folder
 */
export function linkTarget(path: string, target: string): string | undefined {
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return target.startsWith('/') ? undefined : parts.join('/');
}

/** The folder that holds a path; '' where it lies in the tree itself. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** By code units: the same on every machine, whatever its language. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
