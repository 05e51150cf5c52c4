import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { noClass } from '../data/label-values.js';
import { QuarterturnError } from '../errors.js';
import { FilePlaces } from '../labels/file-places.js';
import type { GivenLabels } from '../labels/given-labels.js';
import type { LabelRow } from '../labels/label-rows.js';
import { readLabelTable } from '../labels/label-table.js';
import { type LabelTableRow, writeLabelTable } from '../labels/label-table-file.node.js';
import { blankLabels } from '../labels/locate-labels.js';
import { appendedTable } from '../labels/table-append.js';
import type { ColumnOptions } from '../labels/table-columns.js';
import type { RecipeContext } from '../recipes/context.js';
import type { Suggestions } from '../recipes/suggest.js';
import { ioError, writeFileAtomically } from '../store/atomic-file.node.js';
import {
  assertHoldsNoLabels,
  type FileOf,
  isTableName,
  labelsInData,
  readLabelsFile,
  tableEnding,
  writeLabelsFile,
} from './labels-file.js';
import type { CommandData } from './place.js';

/** Where the labels so far come from, and where those to fill in go. */
export interface LabelPlaces {
  /** The file to write. */
  readonly out: string;
  /** The JSON that suggest writes, if the labels are in such a file. */
  readonly file: string | undefined;
  /** A table, if the labels are in one; absolute. */
  readonly table: string | undefined;
  /** Its columns, where they were said. */
  readonly columns?: ColumnOptions | undefined;
  readonly force: boolean | undefined;
}

/** Whether the file to write is the one that the labels are in: it keeps all that stands in it. */
function isAdding({ out, file, table }: LabelPlaces): boolean {
  return [file, table].some((each) => each !== undefined && resolve(each) === resolve(out));
}

/** Whether the labels are to be written as a table. */
export function isTable({ out, table }: Pick<LabelPlaces, 'out' | 'table'>): boolean {
  return isTableName(out) || (table !== undefined && resolve(table) === resolve(out));
}

/**
 * Makes sure, before anything is read, that the file can be written and that no labels are lost by it.
 * @throws QuarterturnError `usage` for a file that holds labels, and for a kind of table that is not written
 */
export async function assertWritable(places: LabelPlaces): Promise<void> {
  const { out, force } = places;
  if (tableEnding.test(out) && !isTable(places)) {
    throw new QuarterturnError(
      'usage',
      `--out ${out}: expected a name that ends in .csv or .json. Received: another kind of table.`,
      { hint: 'A table that is there already is added to, whatever its kind, if --labels names it, too.' },
    );
  }
  if (!force && !isAdding(places)) await assertHoldsNoLabels(out);
}

/**
 * The labels so far, those that a person has still to give among them (null), so that no image is suggested twice.
 * @returns undefined where neither a file nor a table has them: then the run has
 */
export async function labelsSoFar(
  { file, table, columns }: LabelPlaces,
  data: CommandData,
): Promise<GivenLabels | undefined> {
  if (file !== undefined) return readLabelsFile(file);
  if (table === undefined) return undefined;
  const { images } = labelsInData(data.train);
  const isLabelled = new Set(images.map(({ index }) => index));
  const { rows } = readLabelTable(table, await bytesOf(table), columns);
  const waiting = indicesWaiting(rows, data).filter((index) => !isLabelled.has(index));
  return { data: null, images: [...images, ...waiting.map((index) => ({ index, label: null }))] };
}

/** Images of training whose rows in a table have no label yet. A row may name a copy of one, which was left out. */
function indicesWaiting(table: readonly LabelRow[], { parts, duplicates = [] }: CommandData): number[] {
  const rows = table.filter(({ label }) => label === undefined);
  if (parts === undefined || rows.length === 0) return [];
  const names = parts.train.map(({ name }) => name);
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const copies = duplicates.flatMap(({ images }) => {
    const index = images.map(({ name }) => indexOf.get(name)).find((found) => found !== undefined);
    return index === undefined ? [] : images.map(({ name }) => ({ name, index }));
  });
  const all = [
    ...names.map((name, index) => ({ name, index })),
    ...copies.filter(({ name }) => !indexOf.has(name)),
  ];
  const found = new FilePlaces(all.map(({ name }) => name)).find(rows.map(({ file }) => file));
  return [...new Set(found.flatMap(({ index = -1 }) => all[index]?.index ?? []))];
}

async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error) => {
    throw ioError('read', file, error);
  });
}

interface ToWrite {
  readonly located: Pick<RecipeContext, 'settings' | 'data'>;
  readonly suggestions: Suggestions;
  readonly fileOf: FileOf;
}

/**
 * Writes the labels that there are, and the suggested images, still without a label.
 * @returns whether what was written has the columns of the table that the labels are in
 */
export async function writeSuggested(places: LabelPlaces, written: ToWrite): Promise<boolean> {
  const { out, table, columns } = places;
  const { suggestions, fileOf } = written;
  if (!isTable(places)) {
    await writeLabelsFile(out, await extended(written), fileOf);
    return false;
  }
  if (table === undefined) {
    await writeLabelTable(out, tableRows(written));
    return false;
  }
  // Read once more: a person may have filled in rows in the meantime.
  const bytes = await bytesOf(table);
  const files = suggestions.images.map(({ index }) => fileOf(index) ?? '');
  const { rows, sniffed } = readLabelTable(table, bytes, columns);
  if (sniffed.delimiter !== undefined || resolve(table) === resolve(out)) {
    await writeFileAtomically(out, appendedTable(table, { bytes, files, ...columns }));
    return true;
  }
  const old = rows.map(({ file, label = null }) => ({ file, label }));
  await writeLabelTable(out, [...old, ...files.map((file) => ({ file, label: null }))]);
  return false;
}

/** @throws QuarterturnError `usage` for a table of images that no file names */
export function assertHasFiles(fileOf: FileOf, places: LabelPlaces, { train }: CommandData): void {
  if (!isTable(places) || fileOf(0) !== undefined) return;
  throw new QuarterturnError(
    'usage',
    `--out ${places.out}: expected a name that ends in .json. Received: a table of files for ${train.images.name}, whose images have none.`,
    { hint: 'A labels file in JSON names them by their indices.' },
  );
}

/** A row for each image that has a label or waits for one, and for each suggested one, still without. */
function tableRows({ located: { settings, data }, suggestions, fileOf }: ToWrite): LabelTableRow[] {
  const { train } = data;
  const { labelled, images } = suggestions;
  const ownLabel = (index: number) => train.classNames[train.labels?.[index] ?? noClass] ?? null;
  const old =
    settings.labels?.images.flatMap(({ index, label }) =>
      index === undefined ? [] : [{ index, label: label ?? ownLabel(index) }],
    ) ?? Array.from(labelled, (index) => ({ index, label: ownLabel(index) }));
  return [...old, ...images.map(({ index }) => ({ index, label: null }))].map(({ index, label }) => ({
    file: fileOf(index) ?? '',
    label,
  }));
}

/** The labels that there were, and the suggested images, still without a label. */
async function extended({ located: { settings, data }, suggestions }: ToWrite): Promise<GivenLabels> {
  const { labelled, images } = suggestions;
  const old = settings.labels?.images ?? (await blankLabels(data.train.images, labelled));
  const added = images.map(({ image, index }) => ({ image, index, label: null }));
  const { classNames } = settings.labels ?? {};
  return { data: null, ...(classNames && { classNames }), images: [...old, ...added] };
}
