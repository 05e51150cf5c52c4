import fs from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { nearestName } from '../../data/nearest-name.js';
import { projectFolderName } from '../../data/readers/foreign-names.js';
import { QuarterturnError } from '../../errors.js';
import { ioError, readFileIfThere } from '../../store/atomic-file.node.js';
import { parseJson, parseWith } from '../../store/json.js';
import { LabelJournal } from './journal.node.js';
import { isPictureName } from './picture-name.js';
import { type ProjectFile, projectFileName, projectSchema } from './project-file.js';

/** A path of pictures or of a project, or the example that comes with the package. */
export type ProjectOf = string | { readonly example: 'mnist' };

/** Where the project of some pictures lies, or would lie. */
export interface ProjectPlace {
  /** Absolute. */
  readonly folder: string;
  /** Whether somebody said that it is to be there. */
  readonly isGiven: boolean;
  /** What lies there; undefined where none does, or one that may be replaced. */
  readonly file: ProjectFile | undefined;
  /** Whether a project of other pictures lies there that has no label: nothing is lost where another one takes its place. */
  readonly isUnused: boolean;
}

/**
 * Find the project of some pictures. None is made.
 * @param given a folder of the project, where somebody named one
 * @throws QuarterturnError `data` if there are no pictures, or the project is damaged; `usage` if labels of other pictures lie
 *   there; `io` if it cannot be read
 */
export async function placeOf(of: ProjectOf, given: string | undefined): Promise<ProjectPlace> {
  const { folder, isGiven } = await folderOf(of, given);
  const file = await readProject(join(folder, projectFileName));
  if (file !== undefined && (await isProjectOf(of, folder, file))) {
    return { folder, isGiven, file, isUnused: false };
  }
  await assertNoPicture(of);
  if (file === undefined) return { folder, isGiven, file, isUnused: false };
  // Such as one of a file that lies in the folder and was opened in its place.
  if (await hasNoLabel(folder)) return { folder, isGiven, file: undefined, isUnused: true };
  throw labelsOfOthers(of, folder, file);
}

/** Where a project's pictures lie; undefined of an example. */
const dataPath = (folder: string, { data }: ProjectFile): string | undefined =>
  'example' in data ? undefined : resolve(folder, data.path);

async function folderOf(
  of: ProjectOf,
  given: string | undefined,
): Promise<{ readonly folder: string; readonly isGiven: boolean }> {
  if (typeof of !== 'string') {
    if (given !== undefined) return { folder: resolve(given), isGiven: true };
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
    const hint = await hintForMissing(path);
    throw new QuarterturnError('data', `${of}: expected a folder of images. Received: nothing there.`, {
      hint,
    });
  }
  if (given !== undefined) return { folder: resolve(given), isGiven: true };
  if (!found.isDirectory()) return { folder: await folderOfFile(path), isGiven: false };
  const isProject = (await readFileIfThere(join(path, projectFileName))) !== undefined;
  // Another program's project.json is nothing to stumble over.
  if (isProject && (basename(path) === projectFolderName || (await isOurs(join(path, projectFileName))))) {
    return { folder: path, isGiven: false };
  }
  return { folder: join(path, projectFolderName), isGiven: false };
}

/** A slip of the hand in a dialog: a project of the one picture would stand where that of its folder belongs. */
async function assertNoPicture(of: ProjectOf): Promise<void> {
  if (typeof of !== 'string' || !isPictureName(of) || (await fs.stat(of)).isDirectory()) return;
  throw new QuarterturnError('data', `${of}: expected a folder of images. Received: one picture.`, {
    hint: `Open the folder that it lies in: ${dirname(resolve(of))}`,
  });
}

/** Names differ in so many letters at most that one may be meant by the other. */
const nearestEdits = 2;

/** What is not there of a path, or what may be meant by it. */
async function hintForMissing(path: string): Promise<string> {
  const parent = dirname(path);
  const names = await fs.readdir(parent).catch(() => undefined);
  if (names === undefined)
    return parent === path ? 'Check the path.' : `There is no folder ${parent} either.`;
  const nearest = nearestName(basename(path), names, nearestEdits);
  return nearest === undefined
    ? `There is nothing called ${basename(path)} in ${parent}.`
    : `Did you mean ${join(parent, nearest)}?`;
}

/** Beside the file, under its name: the folder that it lies in may have a project, too. */
async function folderOfFile(path: string): Promise<string> {
  const shared = join(dirname(path), projectFolderName);
  const file = await readProject(join(shared, projectFileName)).catch(() => undefined);
  const isItsOwn = file !== undefined && dataPath(shared, file) === path;
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

/** Whether a project is one of these pictures, or is named itself. */
async function isProjectOf(of: ProjectOf, folder: string, file: ProjectFile): Promise<boolean> {
  const path = dataPath(folder, file);
  if (typeof of !== 'string') return path === undefined;
  const realPath = (of: string) => fs.realpath(of).catch(() => of);
  const places = path === undefined ? [folder] : [folder, path];
  const asked = await realPath(resolve(of));
  return (await Promise.all(places.map(realPath))).includes(asked);
}

/** Whether nobody has labelled or trained anything in a project. One that is damaged may hold labels. */
async function hasNoLabel(folder: string): Promise<boolean> {
  const runs = await fs.readdir(join(folder, 'runs')).catch((): string[] => []);
  if (runs.length > 0) return false;
  try {
    await using labels = await LabelJournal.open(folder, { who: 'studio' });
    const { state } = labels;
    return state.labelledCount + state.countOf('skipped') + state.countOf('unsure') === 0;
  } catch {
    return false;
  }
}

/** What was labelled in other pictures would be lost, or mixed with labels of these. */
function labelsOfOthers(of: ProjectOf, folder: string, file: ProjectFile): QuarterturnError {
  const path = dataPath(folder, file);
  const wanted = typeof of === 'string' ? of : `the example ${of.example}`;
  const isInside = typeof of === 'string' && path?.startsWith(join(resolve(of), '/'));
  const own = path === undefined ? 'that example' : isInside ? relative(resolve(of), path) : path;
  return new QuarterturnError(
    'usage',
    `${folder}: expected a project of ${wanted}. Received: ${JSON.stringify(file.name)}, of ${path ?? 'an example'}.`,
    {
      hint: `Labels of ${own} lie there. Open ${path ?? folder} to go on with them. To begin with ${wanted}, move ${folder} to another place, or name one for the new labels: quarterturn studio ${wanted} --project <folder>`,
    },
  );
}
