import fs from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { QuarterturnError } from '../../errors.js';
import { ensureFolder, ioError, writeFileAtomically } from '../../store/atomic-file.node.js';
import { FolderLock } from '../../store/folder-lock.node.js';
import { LabelJournal } from './journal.node.js';
import { type ProjectFile, projectFileName, projectFileText } from './project-file.js';
import {
  movedImages,
  type ProjectImage,
  readProjectImages,
  writeProjectImages,
} from './project-images.node.js';
import { type ProjectOf, type ProjectPlace, placeOf } from './project-place.node.js';
import { StudioOwner } from './studio-owner.node.js';

const lockName = '.making-lock';

/** To make a project takes two small files. */
const makeWaitMs = 10_000;

/** What a project's images are read from: what lies at an absolute path, or the example that comes with the package. */
export type ProjectData = { readonly path: string } | { readonly example: 'mnist' };

export interface OpenProjectOptions {
  /** Stands beside each event: `studio`, `command line`. */
  readonly who: string;
  /** Folder of the project. Default: `.quarterturn` in the folder of pictures, or beside the file that holds them. */
  readonly folder?: string | undefined;
  /** For people; only of a project that is made. Default: the name of the folder or file. */
  readonly name?: string | undefined;
  /** Whether a project that is not there is made; default: yes. */
  readonly make?: boolean | undefined;
}

/** A project that is there, or that would be made. */
export interface FoundProject extends Pick<Project, 'folder' | 'name' | 'data'> {
  readonly isThere: boolean;
}

/**
 * A project that is open: its labels, and which images it has. To be closed.
 *
 * It is a folder, `.quarterturn` in the folder of its pictures if nothing else is said:
 *
 *   project.json            its name and where its pictures lie
 *   labels.jsonl            what happened to its labels, see LabelJournal
 *   labels.snapshot.json    made of that, to open it faster
 *   images.json             which images it has, by their hashes
 *   studio.json             who serves it, and where
 */
export class Project implements AsyncDisposable {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
  readonly data: ProjectData;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly labels: LabelJournal;
  #images: readonly ProjectImage[] | undefined;

  private constructor(folder: string, file: ProjectFile, labels: LabelJournal) {
    this.folder = folder;
    this.name = file.name;
    this.data = dataOf(folder, file);
    this.madeAt = file.madeAt;
    this.labels = labels;
  }

  /**
   * Open the project of some pictures, or make one.
   *
   * @param of a folder of pictures, a file that holds them, the folder of a project itself, or `{ example: 'mnist' }`, which
   *   needs `options.folder`
   * @example
   * await using project = await Project.open('photos', { who: 'studio' });
   * project.labels.state.labelledCount; // how many images have a label
   * @throws QuarterturnError `data` if nothing is there, or what is there is damaged; `usage` if the folder has labels of
   *   other pictures, or no project and none is to be made; `io` if it cannot be read or written; ProjectInUse if a studio
   *   serves one that this one would replace
   */
  static async open(of: ProjectOf, options: OpenProjectOptions): Promise<Project> {
    const place = await placeOf(of, options.folder);
    const { folder } = place;
    const file = place.file ?? (await makeProject(of, place, options));
    const labels = await LabelJournal.open(folder, { who: options.who });
    return new Project(folder, file, labels);
  }

  /**
   * Look for the project that {@link Project.open} would open, or make: nothing is made, so that what turns out to be no pile
   * keeps no trace of it.
   * @throws QuarterturnError as {@link Project.open}; `io` where one would be made in a folder that cannot be written
   */
  static async find(of: ProjectOf, options: Pick<OpenProjectOptions, 'folder'> = {}): Promise<FoundProject> {
    const place = await placeOf(of, options.folder);
    const { folder, file } = place;
    if (file === undefined) await assertFree(place);
    const own = file ?? newFile(of, place);
    return { folder, name: own.name, data: dataOf(folder, own), isThere: file !== undefined };
  }

  /**
   * The images that belong to it, as they were when its data was read last; none before.
   * @throws QuarterturnError `data` if the list is damaged, `io` if it cannot be read
   */
  async images(): Promise<readonly ProjectImage[]> {
    this.#images ??= await readProjectImages(this.folder);
    return this.#images ?? [];
  }

  /**
   * Take down which images the data has, after it was read. Labels of images whose hash is another one now, by another decoder
   * or at another size, follow them, if `content` tells them.
   * @returns how many labels and marks have followed
   * @throws QuarterturnError `io` if it cannot be written
   */
  async setImages(images: readonly ProjectImage[]): Promise<number> {
    const before = await this.images().catch((): readonly ProjectImage[] => []);
    let moved = 0;
    await this.labels.append((state) => {
      const moves = movedImages(before, images, state);
      moved = moves.length;
      return moves.length === 0 ? undefined : { type: 'move-labels', moves };
    });
    await writeProjectImages(this.folder, images);
    this.#images = images;
    return moved;
  }

  /**
   * Serve it, alone.
   * @throws ProjectInUse naming process and address if another studio does
   */
  serve(): Promise<StudioOwner> {
    return StudioOwner.take(this.folder);
  }

  close(): Promise<void> {
    return this.labels.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function makeProject(
  of: ProjectOf,
  place: ProjectPlace,
  { name, folder: given, make = true }: OpenProjectOptions,
): Promise<ProjectFile> {
  const { folder } = place;
  if (!make) {
    const where = typeof of === 'string' ? of : folder;
    throw new QuarterturnError('usage', `${where}: expected a project. Received: none in ${folder}.`, {
      hint: `Make one: quarterturn studio ${where}`,
    });
  }
  await assertFree(place);
  return explained(place, async () => {
    await ensureFolder(folder);
    const lock = await FolderLock.take(join(folder, lockName), { waitMs: makeWaitMs });
    try {
      // Somebody else may have made it meanwhile.
      const { file } = await placeOf(of, given);
      if (file !== undefined) return file;
      const made = newFile(of, place, name);
      await writeFileAtomically(join(folder, projectFileName), projectFileText(made));
      return made;
    } finally {
      await lock.release();
    }
  });
}

function newFile(of: ProjectOf, { folder, isGiven }: ProjectPlace, name?: string): ProjectFile {
  return {
    schema: 'quarterturn-project',
    version: 1,
    name: name ?? (typeof of === 'string' ? basename(resolve(of)) || 'images' : 'MNIST'),
    data: typeof of === 'string' ? { given: of, path: storedPath(folder, resolve(of), isGiven) } : of,
    madeAt: new Date().toISOString(),
  };
}

const storedPath = (folder: string, path: string, isGiven: boolean): string =>
  isGiven ? path : relative(folder, path).replaceAll('\\', '/');

const dataOf = (folder: string, { data }: ProjectFile): ProjectData =>
  'example' in data ? data : { path: resolve(folder, data.path) };

/** Makes sure, without making anything, that a project can be made here: reading the pictures first may take minutes. */
async function assertFree(place: ProjectPlace): Promise<void> {
  const { folder, isUnused } = place;
  if (isUnused) await (await StudioOwner.take(folder)).release();
  await explained(place, async () => {
    for (let path = folder; ; path = dirname(path)) {
      const error = await fs.access(path, fs.constants.W_OK).catch((error) => error);
      if (error === undefined) return;
      if (error.code !== 'ENOENT' || path === dirname(path)) throw ioError('write', path, error);
    }
  });
}

/** Do something, and say of a failure to write beside the pictures that a project can lie elsewhere. */
async function explained<T>({ isGiven }: ProjectPlace, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isGiven || !(error instanceof QuarterturnError) || error.code !== 'io') throw error;
    throw new QuarterturnError('io', error.message, {
      hint: 'The project is kept beside its pictures if nothing else is said: start the studio with the name of a folder for it that can be written, quarterturn studio --project <folder>.',
      cause: error,
    });
  }
}
