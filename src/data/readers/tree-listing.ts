import { QuarterturnError } from '../../errors.js';
import { maxEntries as defaultMaxEntries, type TreeEntry, type TreeOptions } from './file-tree.js';
import { isForeignFile, isForeignFolder, projectFolderName } from './foreign-names.js';
import type { SkippedFile } from './found-images.js';
import { byCodeUnits, folderOf, linkTarget, treePath } from './tree-path.js';

/** What a folder or an archive says lies in it. `Place` is by what its reader finds the bytes. */
export type ListedItem<Place> =
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly sizeBytes: number;
      readonly modifiedMs: number;
      readonly place: Place;
    }
  | { readonly kind: 'folder'; readonly name: string; readonly modifiedMs: number }
  /** `target` is relative to the link's folder, or to the tree itself, as a tar archive's hard links are. */
  | { readonly kind: 'link'; readonly name: string; readonly target: string; readonly isFromRoot?: boolean }
  /** What cannot be read, whatever it holds. */
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string; readonly hint?: string };

export interface Listed<Place> {
  readonly entries: readonly TreeEntry[];
  readonly skipped: readonly SkippedFile[];
  /** Of every file among the entries. */
  readonly places: ReadonlyMap<string, Place>;
}

interface File<Place> {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly place: Place;
}

/** See {@link TreeOptions}. */
type ListingOptions = { readonly [Key in 'maxEntries' | 'keepHidden']?: TreeOptions[Key] | undefined };

/** Characters of all names together: half a gigabyte of memory. */
const maxNameCharacters = 2 ** 28;
/** Links that lead to links. */
const maxHops = 16;

const linkHint = 'Put the files themselves there: `cp -rL` copies what links lead to.';

/**
 * Turns what a container lists, in its own order, into the entries of a tree.
 *
 * Names that leave the tree, and hidden and system files, are left out. Of files of one name the last stays, as unpacking
 * would leave it. Folders need not be listed. A link to a file stands for the file, a link to a folder for all files in it
 * but the links; a link to the folder that holds it, or to nothing in the tree, is left out.
 */
export class TreeListing<Place> {
  readonly #origin: string;
  readonly #maxEntries: number;
  readonly #keepHidden: boolean;
  readonly #files = new Map<string, File<Place>>();
  readonly #folders = new Map<string, number>();
  /** What they lead to: a path within the tree, '' for itself, undefined if it is outside. */
  readonly #links = new Map<string, string | undefined>();
  readonly #foreignFolders = new Set<string>();
  readonly #skipped: SkippedFile[] = [];
  #items = 0;
  #characters = 0;

  constructor(origin: string, { maxEntries = defaultMaxEntries, keepHidden = false }: ListingOptions = {}) {
    this.#origin = origin;
    this.#maxEntries = maxEntries;
    this.#keepHidden = keepHidden;
  }

  /** @throws QuarterturnError `data` for more entries than are taken */
  add(item: ListedItem<Place>): void {
    this.#items++;
    this.#characters += item.name.length;
    this.#assertCount(this.#items);
    const { path, reason } = treePath(item.name);
    if (reason !== undefined) this.#skip(item.name, reason, 'Rename it.');
    else if (path !== '' && !this.#isForeign(path, item.kind)) this.#place(path, item);
  }

  #place(path: string, item: ListedItem<Place>): void {
    if (item.kind === 'refused') {
      this.#skip(path, item.reason, item.hint);
      return;
    }
    if (item.kind === 'folder') {
      this.#folders.set(path, item.modifiedMs);
      return;
    }
    if (this.#files.delete(path) || this.#links.delete(path)) {
      this.#skip(path, 'name that occurs twice', 'The last file of the name was taken.');
    }
    if (item.kind === 'file') this.#files.set(path, item);
    else {
      const { target, isFromRoot = false } = item;
      this.#links.set(path, isFromRoot ? treePath(target).path : linkTarget(path, target));
    }
  }

  /** @throws QuarterturnError `data` for more entries than are taken, once folders and links are counted */
  finish(): Listed<Place> {
    for (const path of [...this.#files.keys(), ...this.#links.keys(), ...this.#folders.keys()]) {
      this.#addFoldersOf(path);
    }
    for (const path of this.#folders.keys()) {
      if (this.#files.delete(path) || this.#links.delete(path)) {
        this.#skip(path, 'file with the name of a folder');
      }
    }
    this.#followLinks();
    const files = [...this.#files].map(([path, { sizeBytes, modifiedMs }]) => ({
      path,
      kind: 'file' as const,
      sizeBytes,
      modifiedMs,
    }));
    const folders = [...this.#folders].map(([path, modifiedMs]) => ({
      path,
      kind: 'folder' as const,
      sizeBytes: 0,
      modifiedMs,
    }));
    return {
      entries: [...files, ...folders].sort((a, b) => byCodeUnits(a.path, b.path)),
      skipped: this.#skipped.sort((a, b) => byCodeUnits(a.name, b.name)),
      places: new Map([...this.#files].map(([path, { place }]) => [path, place])),
    };
  }

  #skip(name: string, reason: string, hint?: string): void {
    this.#skipped.push({ name, reason, ...(hint !== undefined && { hint }) });
  }

  /** Whether any part of a path is hidden or a system's: the outermost is counted, once, if it is not our own. */
  #isForeign(path: string, kind: ListedItem<Place>['kind']): boolean {
    if (this.#keepHidden) return false;
    const parts = path.split('/');
    const folders = kind === 'folder' ? parts.length : parts.length - 1;
    for (let i = 0; i < folders; i++) {
      if (!isForeignFolder(parts[i] ?? '')) continue;
      const folder = parts.slice(0, i + 1).join('/');
      if (parts[i]?.startsWith(projectFolderName)) return true;
      if (this.#foreignFolders.size < this.#foreignFolders.add(folder).size) {
        this.#skip(folder, 'hidden or system folder');
      }
      return true;
    }
    if (kind === 'folder' || !isForeignFile(parts.at(-1) ?? '')) return false;
    this.#skip(path, 'hidden or system file');
    return true;
  }

  /** Folders that hold a path, as far as they are not there yet. */
  #addFoldersOf(path: string): void {
    for (
      let folder = folderOf(path);
      folder !== '' && !this.#folders.has(folder);
      folder = folderOf(folder)
    ) {
      this.#folders.set(folder, 0);
      this.#assertCount(this.#files.size + this.#folders.size);
    }
  }

  #followLinks(): void {
    if (this.#links.size === 0) return;
    // What links stand for is found among what is there without them, so that their order makes no difference.
    const files = [...this.#files].sort(([a], [b]) => byCodeUnits(a, b));
    const folders = [...this.#folders].sort(([a], [b]) => byCodeUnits(a, b));
    const isFile = new Map(files);
    const isFolder = new Map(folders);
    for (const path of [...this.#links.keys()].sort(byCodeUnits)) {
      const { leadsTo, reason } = this.#endOf(path);
      if (reason !== undefined) {
        this.#skip(path, reason, linkHint);
        continue;
      }
      const file = isFile.get(leadsTo);
      if (file) this.#files.set(path, file);
      else if (!isFolder.has(leadsTo) && leadsTo !== '') {
        this.#skip(path, 'link to nothing in the folder', linkHint);
      } else if (leadsTo === '' || path.startsWith(`${leadsTo}/`)) {
        this.#skip(path, 'link to a folder that holds it');
      } else {
        this.#folders.set(path, isFolder.get(leadsTo) ?? 0);
        for (const [inner, time] of below(folders, leadsTo)) {
          if (this.#isFine(path + inner)) this.#folders.set(path + inner, time);
        }
        for (const [inner, entry] of below(files, leadsTo)) {
          if (this.#isFine(path + inner)) this.#files.set(path + inner, entry);
        }
      }
      this.#assertCount(this.#files.size + this.#folders.size);
    }
  }

  /** Whether a name that a link makes is one that could have been listed: `C:` may be a link, `C:/a` is no name. */
  #isFine(path: string): boolean {
    const { reason } = treePath(path);
    if (reason !== undefined) this.#skip(path, reason, linkHint);
    return reason === undefined;
  }

  /** Where a link leads in the end. */
  #endOf(
    path: string,
  ):
    | { readonly leadsTo: string; readonly reason?: undefined }
    | { readonly leadsTo?: undefined; readonly reason: string } {
    let at = path;
    for (let hops = 0; hops < maxHops; hops++) {
      if (!this.#links.has(at)) return { leadsTo: at };
      const next = this.#links.get(at);
      if (next === undefined) return { reason: 'link out of the folder' };
      at = next;
    }
    return { reason: 'link in a circle' };
  }

  #assertCount(count: number): void {
    if (count <= this.#maxEntries && this.#characters <= maxNameCharacters) return;
    throw new QuarterturnError(
      'data',
      `${this.#origin}: expected at most ${this.#maxEntries} files and folders. Received: more.`,
      { hint: 'Split it into several, or pack its images into one file of arrays.' },
    );
  }
}

/** Of sorted entries those below a folder, by the rest of their paths with its `/`. */
function* below<Entry>(
  sorted: readonly (readonly [string, Entry])[],
  folder: string,
): Generator<[string, Entry]> {
  const prefix = `${folder}/`;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.[0] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < sorted.length; i++) {
    const [path, entry] = sorted[i] as readonly [string, Entry];
    if (!path.startsWith(prefix)) return;
    yield [path.slice(folder.length), entry];
  }
}
