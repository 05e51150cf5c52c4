import { countOf } from '../../counts.js';
import { QuarterturnError } from '../../errors.js';
import { classNameOf, inNaturalOrder, listedNames } from './class-names.js';
import { type FileTree, maxFileBytes, type TreeEntry } from './file-tree.js';
import { otherKindOf } from './foreign-names.js';
import type { FoundImage, FoundImages, ImageBytes, SkippedFile, Split } from './found-images.js';
import {
  type FolderLayout,
  type FolderPlan,
  folderTreeOf,
  type ImageFolder,
  planFolders,
} from './image-folders.js';
import { byCodeUnits } from './tree-path.js';

export interface ImageTreeOptions {
  /** Whether folders called `train`, `val`, `test` are parts or classes; default: what lies in them decides. */
  readonly layout?: FolderLayout;
}

/**
 * The images of a tree of folders, found by names and sizes alone: nothing is opened.
 *
 * A folder is a class, and so is everything in folders within it. Folders called `train`, `val`, `test` (any usual spelling)
 * that hold class folders are parts; images that lie flat or in `unlabelled` are pile: {@link planFolders} has the rules.
 * Every file may be a picture but those with an ending that no picture has, empty ones, and ones too large to be decoded.
 *
 * @throws QuarterturnError `data` if nothing in it may be a picture
 */
export function readImageTree(tree: FileTree, { layout }: ImageTreeOptions = {}): FoundImages {
  const { candidates, skipped } = sift(tree);
  const allSkipped = [...tree.skipped, ...skipped].sort((a, b) => byCodeUnits(a.name, b.name));
  if (candidates.length === 0) throw noImages(tree.origin, allSkipped);

  const folders = tree.entries.filter(({ kind }) => kind === 'folder');
  const plan = planFolders(folderTreeOf([...folders, ...candidates]), layout);
  const classes = new ClassTable();
  const images: FoundImage[] = [];
  for (const { folder, role, isFlat = false } of plan.placed) {
    const label = role.kind === 'class' ? classes.nameOf(folder) : undefined;
    const files = isFlat ? folder.files : filesBelow(folder);
    for (const entry of files) images.push(new TreeImage(tree, entry, { label, split: role.split }));
  }
  return {
    format: 'folder',
    origin: tree.origin,
    images: images.sort((a, b) => byCodeUnits(a.name, b.name)),
    classNames: classes.names(),
    skipped: allSkipped,
    notes: [understood(tree, plan, { images, classNames: classes.names() }), ...tree.notes, ...plan.notes],
    classNotes: classes.notes(),
    close: () => tree.close(),
  };
}

/** A file of a tree as an image, with or without a class. */
class TreeImage implements FoundImage {
  readonly name: string;
  declare readonly label?: string;
  declare readonly split?: Split;
  readonly stamp: { readonly sizeBytes: number; readonly modifiedMs: number };
  readonly #tree: FileTree;

  constructor(
    tree: FileTree,
    entry: TreeEntry,
    { label, split }: { label?: string | undefined; split?: Split | undefined },
  ) {
    this.name = entry.path;
    if (label !== undefined) this.label = label;
    if (split !== undefined) this.split = split;
    // What an archive says of its files' times is older than the archive: packed again, they may be others.
    this.stamp = { sizeBytes: entry.sizeBytes, modifiedMs: tree.modifiedMs ?? entry.modifiedMs };
    this.#tree = tree;
  }

  async read(): Promise<ImageBytes> {
    return { kind: 'file', bytes: await this.#tree.read(this.name) };
  }
}

/** What may be pictures, and what is not, by name and size; of a single file that somebody names, its content decides. */
function sift({ entries, container }: FileTree): { candidates: TreeEntry[]; skipped: SkippedFile[] } {
  const candidates: TreeEntry[] = [];
  const skipped: SkippedFile[] = [];
  for (const entry of entries) {
    if (entry.kind === 'folder') continue;
    const { path, sizeBytes } = entry;
    const other = container === 'file' ? undefined : otherKindOf(path.slice(path.lastIndexOf('/') + 1));
    if (other !== undefined) skipped.push({ name: path, reason: other });
    else if (sizeBytes === 0) {
      skipped.push({ name: path, reason: 'empty file', hint: 'Copy or download the file again.' });
    } else if (sizeBytes > maxFileBytes) {
      skipped.push({ name: path, reason: 'file too large for a picture', hint: 'Make it smaller first.' });
    } else candidates.push(entry);
  }
  return { candidates, skipped };
}

function* filesBelow(folder: ImageFolder): Generator<TreeEntry> {
  yield* folder.files;
  for (const inner of folder.folders) yield* filesBelow(inner);
}

/** Classes, and the folders that they are called after. */
class ClassTable {
  /** Names of the folders of each class. */
  readonly #spellings = new Map<string, Set<string>>();
  readonly #nested: string[] = [];

  nameOf(folder: ImageFolder): string {
    const name = classNameOf(folder.name);
    this.#spellings.set(name, (this.#spellings.get(name) ?? new Set()).add(folder.name));
    if (folder.count > folder.files.length) this.#nested.push(folder.path);
    return name;
  }

  names(): readonly string[] {
    return inNaturalOrder(this.#spellings.keys());
  }

  /** What the folders' names come to; how many images a class has in the end is not known here. */
  notes(): string[] {
    const merged = [...this.#spellings].filter(([, spellings]) => spellings.size > 1);
    const alike = sameButForCase(this.names());
    return [
      ...(merged.length > 0
        ? [
            `Folders whose names are the same in Unicode's normal form are one class: ${listedNames(merged.map(([name]) => name))}.`,
          ]
        : []),
      ...(alike.length > 0
        ? [`Classes whose names differ in capitals alone are kept apart: ${listedNames(alike)}.`]
        : []),
      ...(this.#nested.length > 0
        ? [`Folders within a class folder belong to its class: ${listedNames(inNaturalOrder(this.#nested))}.`]
        : []),
    ];
  }
}

/** Names that are equal in lower case, each group together. */
function sameButForCase(names: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = name.toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()].filter((group) => group.length > 1).flat();
}

const containers: Readonly<Record<Exclude<FileTree['container'], 'file'>, string>> = {
  folder: '',
  zip: ' in a ZIP archive',
  tar: ' in a tar archive',
};

/** The detected layout of the tree, in one sentence. */
function understood(
  { container, origin }: FileTree,
  { splits }: FolderPlan,
  { images, classNames }: { images: readonly FoundImage[]; classNames: readonly string[] },
): string {
  if (container === 'file') return `${origin} is taken for a single image.`;
  const parts = splits.map(({ folder, split }) => `${folder.name} (${split})`);
  const isLabelled = images.some(({ label }) => label !== undefined);
  const isPile = images.some(({ label }) => label === undefined);
  // How many images there are is not known here: some files may be none, some may be copies of others.
  const classes = `: ${countOf(classNames.length, 'class')}${isPile ? ', and images without a label' : ''}`;
  const under = parts.length === 0 ? '' : `, divided by folders: ${parts.join(', ')}`;
  const where = containers[container];
  return `Taken for ${isLabelled ? `folders of images${where}${classes}` : `images without a label${where}`}${under}.`;
}

function noImages(origin: string, skipped: readonly SkippedFile[]): QuarterturnError {
  const counts = new Map<string, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const found = [...counts].map(([reason, count]) => `${reason}: ${count}`).join('; ');
  return new QuarterturnError(
    'data',
    `${origin}: expected images. Received: ${found === '' ? 'nothing' : `no file that may be one (${found})`}.`,
    { hint: 'Name a folder or an archive with a folder of images for each class, or with images alone.' },
  );
}
