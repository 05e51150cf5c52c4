import fs from 'node:fs/promises';
import { join } from 'node:path';
import { countOf } from '../../counts.js';
import type { FoundImage } from '../../data/readers/found-images.js';
import { QuarterturnError } from '../../errors.js';
import { type LabelTable, type LabelTableOptions, readLabelTable } from '../../labels/label-table.js';
import { writeLabelTable } from '../../labels/label-table-file.node.js';
import { type MissingRow, matchLabels } from '../../labels/match-labels.js';
import { ensureFolder, ioError, writeFileAtomically } from '../../store/atomic-file.node.js';
import { sha256 } from '../../store/digest.js';
import { labelFilesName } from './label-files.js';
import type { Effect } from './label-swap.js';
import { eventOfNames, type NamedLabel } from './labels-of-names.js';
import type { Project } from './project.node.js';
import type { ProjectImage } from './project-images.node.js';

/** An image of a project that has a label. */
export interface ProjectLabel {
  /** Hash. */
  readonly image: string;
  /** Its name within the data. */
  readonly file: string;
  /** Name of its class. */
  readonly label: string;
}

/** The labels of a project as a run takes them. */
export interface ProjectLabels {
  /** In the order of the images. */
  readonly rows: readonly ProjectLabel[];
  /** Of classes that have an image, in the order that people gave them. */
  readonly classNames: readonly string[];
  /** Labels of images that the data does not hold any more: they are kept, and not among the rows. */
  readonly missing: number;
  /** Number of the last event that they come from: whoever learned from them knows by it whether labels have changed since. */
  readonly seq: number;
}

/**
 * The labels of a project, as files and classes and as hashes and classes: `--labels` reads either.
 * @throws QuarterturnError as `Project.images`
 */
export async function projectLabels(project: Project): Promise<ProjectLabels> {
  const images = await project.images();
  const { state } = project.labels;
  const names = new Map(state.classes.map(({ id, name }) => [id, name]));
  const rows = images.flatMap(({ image, name }) => {
    const label = names.get(state.labelOf(image) ?? '');
    return label === undefined ? [] : [{ image, file: name, label }];
  });
  const classNames = state.classes.filter(({ id }) => state.countOf(id) > 0).map(({ name }) => name);
  return { rows, classNames, missing: state.labelledCount - rows.length, seq: state.seq };
}

/**
 * Write the labels of a project for `quarterturn run <data> --labels <path>`: as a table, CSV with the columns `file` and `label`,
 * or, under a name that ends in `.json`, as a labels file, which names images by their hashes (docs/labels.md).
 * @throws QuarterturnError `io` if it cannot be written; `data` if no image has a label
 */
export async function writeProjectLabels(project: Project, path: string): Promise<ProjectLabels> {
  const labels = await projectLabels(project);
  await writeRows(project, labels, path);
  return labels;
}

/** Runs that are stopped and may yet be gone on with are seldom older than so many others. */
const filesKept = 50;

/** An image of an array has a place there and no file: a table would have to name it as each of its readers does. */
const isInArray = ({ file }: ProjectLabel): boolean => /\[\d+\]$/.test(file);

/**
 * The labels as they are now, in a file of its own in the project's folder: it does not change when labels do, so that a run
 * that is stopped goes on with those that it began with. The same labels give the same file: a table, or, of images in arrays,
 * a labels file in JSON.
 * @returns its absolute path, for `--labels`
 * @throws QuarterturnError as {@link writeProjectLabels}
 */
export async function projectLabelsFile(project: Project): Promise<string> {
  const labels = await projectLabels(project);
  const digest = await sha256(JSON.stringify(labels.rows));
  const folder = join(project.folder, labelFilesName);
  const ending = labels.rows.every(isInArray) ? 'json' : 'csv';
  const path = join(folder, `labels-${labels.seq}-${digest?.slice(0, 8)}.${ending}`);
  if ((await fs.stat(path).catch(() => undefined)) !== undefined) return path;
  if (labels.rows.length > 0) await ensureFolder(folder);
  await writeRows(project, labels, path);
  await forgetOldest(folder);
  return path;
}

async function forgetOldest(folder: string): Promise<void> {
  const files = await Promise.all(
    (await fs.readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      return { path, madeMs: (await fs.stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  const oldest = files.sort((a, b) => b.madeMs - a.madeMs).slice(filesKept);
  await Promise.all(oldest.map(({ path }) => fs.rm(path, { force: true })));
}

async function writeRows(
  { folder }: Project,
  { rows, classNames, missing }: ProjectLabels,
  path: string,
): Promise<void> {
  if (rows.length === 0) {
    const received = missing > 0 ? `${countOf(missing, 'label')} of images that are not there` : 'none';
    throw new QuarterturnError('data', `${folder}: expected labels. Received: ${received}.`, {
      hint: 'Label some images first: quarterturn studio opens the project.',
    });
  }
  if (!/\.json$/i.test(path)) return writeLabelTable(path, rows);
  const lines = rows.map(({ file, image, label }) => `    ${JSON.stringify({ file, image, label })}`);
  const used = new Set(rows.map(({ label }) => label));
  // What people called the classes, whatever the data calls them.
  const names = JSON.stringify(classNames.filter((name) => used.has(name)));
  await writeFileAtomically(
    path,
    `{\n  "classNames": ${names},\n  "images": [\n${lines.join(',\n')}\n  ]\n}\n`,
  );
}

/** What an import of labels has changed. */
export interface ImportedLabels {
  readonly effect: Effect;
  /** Number of the event, by which it is undone as one; undefined where all was so already. */
  readonly seq: number | undefined;
  /** Rows that name no image of the project. */
  readonly missing: readonly MissingRow[];
  /** Notes for a person on how the table was read, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Give images of a project the labels of a table, as one event. Classes that are not there are made; images that the table does
 * not name, or names without a label, stay as they are.
 * @param table read by {@link readTableFile}
 * @throws QuarterturnError `data` if no row names an image of the project, or an image is given two labels; `usage` for a name
 *   that no class can have; `io` if it cannot be written
 */
export async function importLabels(project: Project, table: LabelTable): Promise<ImportedLabels> {
  const named = namesOf(await project.images());
  const { images, missing } = matchLabels(table, named.map(foundAs));
  const labels = images.flatMap(({ label }, i): NamedLabel[] => {
    const of = named[i];
    return of === undefined || label === undefined ? [] : [{ ...of, label }];
  });
  let effect: Effect = { labelled: 0, moved: 0, unlabelled: 0, marked: 0, unmarked: 0, classes: 0 };
  const line = await project.labels.append((state) => {
    const event = eventOfNames(state, labels);
    if (event !== undefined) effect = state.effectOf(event);
    return event;
  });
  return { effect, seq: line?.seq, missing, notes: table.notes };
}

/**
 * Read a table of labels as `--labels` does.
 * @throws QuarterturnError `data` naming line and column of what is wrong, `io` if it cannot be read
 */
export async function readTableFile(path: string, options: LabelTableOptions = {}): Promise<LabelTable> {
  const bytes = await fs.readFile(path).catch((error) => {
    throw ioError('read', path, error);
  });
  return readLabelTable(path, bytes, options);
}

/** Each name that means an image: those of copies, too. */
function namesOf(images: readonly ProjectImage[]): { readonly image: string; readonly name: string }[] {
  return images.flatMap(({ image, name, copies = [] }) =>
    [name, ...copies].map((each) => ({ image, name: each })),
  );
}

/** As the matcher of tables takes it; it reads no pictures. */
const foundAs = ({ name }: { readonly name: string }): FoundImage => ({
  name,
  read: () => Promise.reject(new RangeError(`${name} is not open`)),
});
