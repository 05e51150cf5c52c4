import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { countOf } from '../counts.js';
import type { ImageDataset } from '../data/dataset.js';
import { QuarterturnError } from '../errors.js';
import { type GivenLabels, labelsSchema } from '../labels/given-labels.js';
import { readLabelTable } from '../labels/label-table.js';
import { writeFileAtomically } from '../store/atomic-file.node.js';
import { isRecord } from '../store/json.js';
import type { DataFlags } from './data-options.js';
import { readJsonFile } from './json-file.js';

/** Without the hash of an image, which nobody types. */
const example = '{ "images": [{ "index": 123, "label": "7" }] }';

/**
 * Reads a labels file, the JSON of {@link GivenLabels} (docs/labels.md).
 * @throws QuarterturnError `data` if it cannot be read, naming the line that is not JSON, or each field that is wrong
 */
export async function readLabelsFile(file: string): Promise<GivenLabels> {
  return readJsonFile(file, labelsSchema, {
    code: 'data',
    expected: 'a labels file',
    hint: `\`quarterturn suggest\` writes one. It is JSON: ${example}.`,
  });
}

/** Endings of tables; what a file without one is, its content tells. */
export const tableEnding = /\.(csv|tsv|tab|jsonl|ndjson)$/i;

/**
 * Whether a file that `--labels` names is a table of files and labels, not the JSON of {@link GivenLabels}. What is neither
 * is left to the reader of that JSON, which says what it expects.
 */
export async function isLabelTable(file: string): Promise<boolean> {
  if (tableEnding.test(file)) return true;
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    const content: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(content) || (isRecord(content) && !('images' in content));
  } catch {
    return !/\.json$/i.test(file) && /^\s*[^\s{[]/.test(text);
  }
}

/**
 * Flags with a table of labels told from a labels file: `labelTable`, an absolute path, in place of `labels`. A folder
 * stands for a file of the labels that the studio's project in it has by now.
 * @throws QuarterturnError `usage` for two tables, for columns of none, and for a folder without a project; `data` for a
 *   project without labels
 */
export async function withLabelTable<
  T extends { readonly labels?: string } & Pick<DataFlags, 'labelTable' | 'labelColumns'>,
>(flags: T): Promise<T & Pick<DataFlags, 'labelTable'>> {
  const { labelTable } = flags;
  const labels = flags.labels === undefined ? undefined : await labelsInProject(flags.labels);
  if (labels === undefined || !(await isLabelTable(labels))) {
    if (flags.labelColumns === undefined || labelTable !== undefined) {
      return labels === undefined ? flags : { ...flags, labels };
    }
    throw new QuarterturnError(
      'usage',
      `--label-columns: expected a table of labels beside it. Received: ${labels === undefined ? 'none' : `--labels ${labels}, which is none`}.`,
      { hint: 'Name the table: --labels labels.csv --label-columns file=photo,label=kind' },
    );
  }
  if (labelTable !== undefined) {
    throw new QuarterturnError(
      'usage',
      `--labels ${labels}: expected the JSON that suggest writes beside --label-table. Received: another table.`,
      { hint: 'Name one table with --labels, or put both into one.' },
    );
  }
  const { labels: _, ...others } = flags;
  return { ...(others as T), labelTable: resolve(labels) };
}

/** The file of a project's labels, where a folder is named; else what is named. */
async function labelsInProject(labels: string): Promise<string> {
  const found = await stat(labels).catch(() => undefined);
  if (found?.isDirectory() !== true) return labels;
  const [{ Project }, { projectLabelsFile }] = await Promise.all([
    import('../studio/project/project.node.js'),
    import('../studio/project/project-labels.node.js'),
  ]);
  await using project = await Project.open(labels, { who: 'command line', make: false });
  return projectLabelsFile(project);
}

/** The labels that the data itself gives to some of its images, as labels to learn from; those without are the pile. */
export function labelsInData({ labels, classNames }: ImageDataset): GivenLabels {
  const images = Array.from(labels ?? []).flatMap((label, index) => {
    const className = classNames[label];
    return className === undefined ? [] : [{ index, label: className }];
  });
  return { data: null, images };
}

/** The name of the file that an image was read from, by the image's index in the training set; undefined where it has none. */
export type FileOf = (index: number) => string | undefined;

/** Writes a labels file with one line for each image, so that a person can fill it in. */
export async function writeLabelsFile(
  file: string,
  { data, classNames, images }: GivenLabels,
  fileOf: FileOf = () => undefined,
): Promise<void> {
  const lines = images.map(({ image, index, label }) => {
    const name = index === undefined ? undefined : fileOf(index);
    const fields = Object.entries({ file: name, image, index, label }).flatMap(([name, value]) =>
      value === undefined ? [] : [`"${name}": ${JSON.stringify(value)}`],
    );
    return `    { ${fields.join(', ')} }`;
  });
  const made = data === null ? '' : `  "data": ${JSON.stringify(data, null, 2).replaceAll('\n', '\n  ')},\n`;
  const classes = classNames === undefined ? '' : `  "classNames": ${JSON.stringify(classNames)},\n`;
  await writeFileAtomically(file, `{\n${made}${classes}  "images": [\n${lines.join(',\n')}\n  ]\n}\n`);
}

/** Whether a labels file of this name is to be written as a table: CSV, which a spreadsheet opens. */
export const isTableName = (file: string): boolean => /\.csv$/i.test(file);

/**
 * Makes sure that no labels are lost by writing this file.
 * @throws QuarterturnError `usage` if the file exists and holds labels, or is not a labels file at all
 */
export async function assertHoldsNoLabels(file: string): Promise<void> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return;
  const filled = isTableName(file) ? filledInTable(file, bytes) : await filledInFile(file);
  if (filled === 0) return;
  const received = filled === undefined ? 'another file' : `${countOf(filled, 'label')} in it`;
  throw new QuarterturnError(
    'usage',
    `${file}: expected the name of a new file, or of one without labels. Received: ${received}.`,
    { hint: `Add to it with --labels ${file}, name another file with --out, or write over it with --force.` },
  );
}

/** Labels in it; undefined for another file. */
async function filledInFile(file: string): Promise<number | undefined> {
  const given = await readLabelsFile(file).catch(() => undefined);
  return given?.images.filter(({ label }) => label !== null).length;
}

function filledInTable(file: string, bytes: Uint8Array): number | undefined {
  try {
    return readLabelTable(file, bytes).rows.filter(({ label }) => label !== undefined).length;
  } catch (error) {
    if (error instanceof QuarterturnError) return undefined;
    throw error;
  }
}
