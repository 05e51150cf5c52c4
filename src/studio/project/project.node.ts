import fs from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { projectFolderName } from '../../data/readers/foreign-names.js';
import { QuarterturnError } from '../../errors.js';
import { ensureFolder, ioError, readFileIfThere, writeFileAtomically } from '../../store/atomic-file.node.js';
import { FolderLock } from '../../store/folder-lock.node.js';
import { parseJson, parseWith } from '../../store/json.js';
import { LabelJournal } from './journal.node.js';
import { type ProjectFile, projectFileName, projectFileText, projectSchema } from './project-file.js';
import {
  movedImages,
  type ProjectImage,
  readProjectImages,
  writeProjectImages,
} from './project-images.node.js';
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

  private constructor(folder: string, { name, data, madeAt }: ProjectFile, labels: LabelJournal) {
    this.folder = folder;
    this.name = name;
    this.data = 'example' in data ? data : { path: resolve(folder, data.path) };
    this.madeAt = madeAt;
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
   * @throws QuarterturnError `data` if nothing is there, or what is there is damaged; `usage` if the folder has a project of
   *   other pictures, or no project and none is to be made; `io` if it cannot be read or written
   */
  static async open(
    of: string | { readonly example: 'mnist' },
    options: OpenProjectOptions,
  ): Promise<Project> {
    const { folder, isGiven } = await folderOf(of, options);
    const path = join(folder, projectFileName);
    const file = (await readProject(path)) ?? (await makeProject(of, { ...options, folder, isGiven }));
    await assertSame(folder, file, of);
    const labels = await LabelJournal.open(folder, { who: options.who });
    return new Project(folder, file, labels);
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

/** Where the project of some pictures is, or is to be. */
async function folderOf(
  of: string | { readonly example: string },
  { folder }: OpenProjectOptions,
): Promise<{ readonly folder: string; readonly isGiven: boolean }> {
  if (typeof of !== 'string') {
    if (folder !== undefined) return { folder: resolve(folder), isGiven: true };
    throw new QuarterturnError(
      'usage',
      'project: expected a folder for the project of an example. Received: none.',
    );
  }
  const path = resolve(of);
  const found = await fs.stat(path).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw ioError('read', of, error);
  });
  if (found === undefined) {
    throw new QuarterturnError('data', `${of}: expected pictures, or a project. Received: nothing there.`, {
      hint: 'Check the path.',
    });
  }
  if (folder !== undefined) return { folder: resolve(folder), isGiven: true };
  if (!found.isDirectory()) return { folder: await folderOfFile(path), isGiven: false };
  const isProject = (await readFileIfThere(join(path, projectFileName))) !== undefined;
  // Another program's project.json is nothing to stumble over.
  if (isProject && (basename(path) === projectFolderName || (await isOurs(join(path, projectFileName))))) {
    return { folder: path, isGiven: false };
  }
  return { folder: join(path, projectFolderName), isGiven: false };
}

/** Beside the file, under its name: the folder that it lies in may have a project, too. */
async function folderOfFile(path: string): Promise<string> {
  const shared = join(dirname(path), projectFolderName);
  const file = await readProject(join(shared, projectFileName)).catch(() => undefined);
  const isItsOwn = file !== undefined && 'path' in file.data && resolve(shared, file.data.path) === path;
  return isItsOwn ? shared : join(dirname(path), `${projectFolderName}-${basename(path)}`);
}

async function isOurs(path: string): Promise<boolean> {
  const text = new TextDecoder().decode(await readFileIfThere(path));
  return text.includes('"quarterturn-project"');
}

async function readProject(path: string): Promise<ProjectFile | undefined> {
  const bytes = await readFileIfThere(path);
  if (bytes === undefined) return undefined;
  const hint = 'It was changed or damaged, or a later version of Quarterturn wrote it.';
  const value = parseJson(path, new TextDecoder().decode(bytes), { hint });
  return parseWith(projectSchema, value, path, 'a project', { hint });
}

interface MakeOptions extends OpenProjectOptions {
  readonly folder: string;
  /** Whether somebody said where it is to be. */
  readonly isGiven: boolean;
}

async function makeProject(
  of: string | { readonly example: 'mnist' },
  { folder, isGiven, name, make = true }: MakeOptions,
): Promise<ProjectFile> {
  const path = join(folder, projectFileName);
  if (!make) {
    const where = typeof of === 'string' ? of : folder;
    throw new QuarterturnError('usage', `${where}: expected a project. Received: none in ${folder}.`, {
      hint: `Make one: quarterturn studio ${where}`,
    });
  }
  try {
    await ensureFolder(folder);
    const lock = await FolderLock.take(join(folder, lockName), { waitMs: makeWaitMs });
    try {
      const meanwhile = await readProject(path);
      if (meanwhile !== undefined) return meanwhile;
      const file: ProjectFile = {
        schema: 'quarterturn-project',
        version: 1,
        name: name ?? (typeof of === 'string' ? basename(resolve(of)) || 'images' : 'MNIST'),
        data: typeof of === 'string' ? { given: of, path: storedPath(folder, resolve(of), isGiven) } : of,
        madeAt: new Date().toISOString(),
      };
      await writeFileAtomically(path, projectFileText(file));
      return file;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (isGiven || !(error instanceof QuarterturnError) || error.code !== 'io') throw error;
    throw new QuarterturnError('io', error.message, {
      hint: 'The project is kept beside its pictures if nothing else is said: name a folder for it that can be written with --project.',
      cause: error,
    });
  }
}

const storedPath = (folder: string, path: string, isGiven: boolean): string =>
  isGiven ? path : relative(folder, path).replaceAll('\\', '/');

/** A folder that was named for other pictures would get labels that belong elsewhere. */
async function assertSame(
  folder: string,
  { data, name }: ProjectFile,
  of: string | { readonly example: string },
): Promise<void> {
  const stored = 'example' in data ? undefined : resolve(folder, data.path);
  if (typeof of !== 'string' ? stored === undefined : await isSame(of, [folder, stored])) return;
  const wanted = typeof of === 'string' ? of : `the example ${of.example}`;
  throw new QuarterturnError(
    'usage',
    `${folder}: expected a project of ${wanted}. Received: ${JSON.stringify(name)}, of ${stored ?? 'an example'}.`,
    { hint: 'Name another folder for the project with --project.' },
  );
}

/** Whether a path leads to one of some places. */
async function isSame(path: string, places: readonly (string | undefined)[]): Promise<boolean> {
  const realPath = (of: string) => fs.realpath(of).catch(() => of);
  const asked = await realPath(resolve(path));
  const there = await Promise.all(places.flatMap((place) => (place === undefined ? [] : realPath(place))));
  return there.includes(asked);
}
