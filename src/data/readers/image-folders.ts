import type { TreeEntry } from './file-tree.js';
import { isAmbiguousName, isEmptyName, isPileName, splitOfName } from './folder-names.js';
import type { Split } from './found-images.js';

/** A folder with what may be pictures in it. */
export interface ImageFolder {
  readonly name: string;
  /** Within the tree; '' for itself. */
  readonly path: string;
  readonly files: readonly TreeEntry[];
  readonly folders: readonly ImageFolder[];
  /** Files in it and in all folders in it. */
  readonly count: number;
}

/** What a folder's images are. */
export type FolderRole =
  | { readonly kind: 'class'; readonly split?: Split }
  | { readonly kind: 'pile'; readonly split?: Split };

/** How folders' names are read: as parts where they say so, or all of them as classes. */
export type FolderLayout = 'classes' | 'splits';

export interface PlacedFolder {
  readonly folder: ImageFolder;
  readonly role: FolderRole;
  /** Only its own files, none of the folders in it. */
  readonly isFlat?: boolean;
}

export interface FolderPlan {
  /** Where the images lie: the tree, or the one folder in it that has everything. */
  readonly base: ImageFolder;
  /** Every file below the base is in one of them. */
  readonly placed: readonly PlacedFolder[];
  /** Folders that are parts, by what they were taken for. */
  readonly splits: readonly { readonly folder: ImageFolder; readonly split: Split }[];
  readonly notes: readonly string[];
}

interface MutableFolder extends ImageFolder {
  readonly files: TreeEntry[];
  readonly folders: MutableFolder[];
  count: number;
}

/** Folders within each other, from entries in any order; every entry's folders are among them. */
export function folderTreeOf(entries: readonly TreeEntry[]): ImageFolder {
  const root: MutableFolder = { name: '', path: '', files: [], folders: [], count: 0 };
  const byPath = new Map<string, MutableFolder>([['', root]]);
  const folderAt = (path: string): MutableFolder => {
    const known = byPath.get(path);
    if (known) return known;
    const slash = path.lastIndexOf('/');
    const folder = { name: path.slice(slash + 1), path, files: [], folders: [], count: 0 };
    byPath.set(path, folder);
    folderAt(path.slice(0, Math.max(0, slash))).folders.push(folder);
    return folder;
  };
  for (const entry of entries) {
    if (entry.kind === 'folder') folderAt(entry.path);
    else folderAt(entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))).files.push(entry);
  }
  countFiles(root);
  return root;
}

function countFiles(folder: MutableFolder): number {
  folder.count = folder.files.length;
  for (const inner of folder.folders) folder.count += countFiles(inner);
  return folder.count;
}

/**
 * Which folders are classes, which are parts, and what is pile.
 *
 * - One folder with everything in it, as archives have it, is looked through: `pets/cat/1.jpg` is a `cat`.
 * - `train`, `val`, `test` in any usual spelling are parts where class folders lie in them. `train` and `valid` with
 *   pictures right in them, beside classes, are classes: the vehicle, and what is not `invalid`. `test` is never one.
 * - Beside a `train` with class folders nothing else is a class; beside a `test` or `val` alone, other folders are the classes
 *   to learn from.
 * - `unlabelled`, images that lie flat, and those right in a part are pile.
 *
 * @param layout overrules what the names say
 */
export function planFolders(root: ImageFolder, layout?: FolderLayout): FolderPlan {
  const base = baseOf(root, layout);
  const notes: string[] = base === root ? [] : [`The images lie in ${base.path}.`];
  if (layout === 'classes') {
    const placed = base.folders.map((folder) => ({ folder, role: rolesByName(folder) }));
    return { base, placed: [flat(base), ...placed], splits: [], notes };
  }
  const splitFolders = base.folders.filter(({ name }) => splitOfName(name) !== undefined);
  const others = base.folders.filter((folder) => !splitFolders.includes(folder));
  const hasClasses = others.some((folder) => folder.count > 0 && !isPileName(folder.name));
  const isClass = (folder: ImageFolder) =>
    layout !== 'splits' && hasClasses && isAmbiguousName(folder.name) && classFoldersOf(folder).length === 0;
  const splits = splitFolders
    .filter((folder) => !isClass(folder))
    .map((folder) => ({ folder, split: splitOfName(folder.name) ?? 'train' }));
  const ambiguous = splitFolders.filter(isClass);
  for (const { name, count } of ambiguous) {
    if (count > 0) notes.push(`${name} is taken for a class: its images lie in it without class folders.`);
  }

  const placed: PlacedFolder[] = [flat(base)];
  for (const { folder, split } of splits) {
    for (const each of placeSplit(folder, split)) placed.push(each);
    if (folder.count > 0 && classFoldersOf(folder).length === 0) {
      notes.push(
        `${folder.name} is taken for the ${split} part, without labels: no class folders lie in it.`,
      );
    }
  }
  const hasTrain = splits.some(({ folder, split }) => split === 'train' && classFoldersOf(folder).length > 0);
  for (const folder of [...others, ...ambiguous]) {
    if (!hasTrain) placed.push({ folder, role: rolesByName(folder) });
    else {
      placed.push({ folder, role: { kind: 'pile' } });
      if (folder.count > 0 && !isPileName(folder.name)) {
        notes.push(
          `${folder.name} lies beside the training folder and is no class: its images are taken without labels.`,
        );
      }
    }
  }
  return { base, placed: lonePile(placed, base), splits, notes };
}

/** Looks through folders that hold nothing but one other folder with images. */
function baseOf(root: ImageFolder, layout?: FolderLayout): ImageFolder {
  let base = root;
  for (;;) {
    const withImages = base.folders.filter(({ count }) => count > 0);
    const [only] = withImages;
    if (base.files.length > 0 || only === undefined || withImages.length > 1) return base;
    if (only.files.length > 0 || isPileName(only.name)) return base;
    // A `train` alone says what its images are for; a `test` alone would leave nothing to learn from.
    const split = layout === 'classes' ? undefined : splitOfName(only.name);
    if (split === 'train' || (split !== undefined && layout === 'splits')) return base;
    base = only;
  }
}

/** Folders of a part, or those in the one folder of the same or no meaning that some tools pack around them. */
function placeSplit(folder: ImageFolder, split: Split): PlacedFolder[] {
  const inner = insideOf(folder);
  const placed = inner.folders.map(
    (each): PlacedFolder => ({ folder: each, role: { ...rolesByName(each), split } }),
  );
  const around = inner === folder ? [] : [{ ...flat(folder), role: { kind: 'pile', split } as const }];
  return [...around, { ...flat(inner), role: { kind: 'pile', split } }, ...placed];
}

/** `seg_train/seg_train/street/1.jpg`, `train/images/cat/1.jpg`: what lies in the inner folder. */
function insideOf(folder: ImageFolder): ImageFolder {
  const [only, another] = folder.folders;
  const isWrapper =
    only !== undefined &&
    another === undefined &&
    (isEmptyName(only.name) || splitOfName(only.name) === splitOfName(folder.name));
  return isWrapper && splitOfName(folder.name) !== undefined ? only : folder;
}

/** Folders that would be classes of a part. */
function classFoldersOf(folder: ImageFolder): readonly ImageFolder[] {
  return insideOf(folder).folders.filter(({ name }) => !isPileName(name));
}

function rolesByName({ name }: ImageFolder): FolderRole {
  return isPileName(name) ? { kind: 'pile' } : { kind: 'class' };
}

function flat(folder: ImageFolder): PlacedFolder {
  return { folder, role: { kind: 'pile' }, isFlat: true };
}

/** One folder called `images` and nothing else is no class: its name says nothing. */
function lonePile(placed: readonly PlacedFolder[], base: ImageFolder): readonly PlacedFolder[] {
  const [only, another] = base.folders.filter(({ count }) => count > 0);
  if (only === undefined || another !== undefined || !isEmptyName(only.name)) return placed;
  return placed.map((each) => (each.folder === only ? { ...each, role: { kind: 'pile' } } : each));
}
