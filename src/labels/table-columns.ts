import { QuarterturnError } from '../errors.js';
import { noTable } from './table-text.js';

/** A column by its name, or by its place counted from 1. */
export type ColumnChoice = string | number;

/** Which columns of a table are read. */
export interface TableColumns {
  /** Index of the column with the files, from 0. */
  readonly file: number;
  /** Index of the column with the labels, from 0. */
  readonly label: number;
}

export interface ColumnOptions {
  /** Default: the column with a usual name, `file` first; else the only one that holds paths. */
  readonly fileColumn?: ColumnChoice | undefined;
  /** Default: the column with a usual name, `label` first. */
  readonly labelColumn?: ColumnChoice | undefined;
  /** Whether the first row names the columns; default: where it has a usual name. */
  readonly header?: boolean | undefined;
}

interface FindOptions extends ColumnOptions {
  /** Whether a column has to be named as one knows it, and is not told from what it holds. */
  readonly onlyByName?: boolean;
}

/** Usual names, the likeliest first, without case, blanks and signs between words. */
const fileNames =
  'file,filename,filepath,path,imagepath,imagefile,imagefilename,imagename,image,images,img,imgpath,imgname,picture,photo,name,fname,imageid,id'.split(
    ',',
  );
const labelNames =
  'label,labels,class,classname,labelname,category,categoryname,target,classlabel,groundtruth,tag,species,annotation,classid,labelid,y'.split(
    ',',
  );

const folded = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, '');

/** `photo.JPG`, `sub/photo`: what a column of files holds. */
const looksLikePath = (cell: string): boolean => /\.[a-z]\w{1,4}$|\//i.test(cell);

export interface FoundColumns extends TableColumns {
  readonly hasHeader: boolean;
  /** Of all columns; `column 1` … where nothing names them. */
  readonly names: readonly string[];
}

/**
 * Which columns hold files and labels.
 *
 * @param where the table and the line of its first row, for messages
 * @param first the first row, the header if there is one
 * @param others some rows behind it
 * @throws QuarterturnError `data` naming the columns that there are
 */
export function findColumns(
  where: string,
  first: readonly string[],
  others: readonly (readonly string[])[],
  options: FindOptions = {},
): FoundColumns {
  const { fileColumn, labelColumn, header } = options;
  const hasHeader = header ?? isHeader(first, others, options);
  const names = hasHeader ? first : first.map((_, i) => `column ${i + 1}`);
  const namedFile = chosen(where, names, 'file', fileColumn) ?? usual(where, names, fileNames);
  const namedLabel = chosen(where, names, 'label', labelColumn) ?? usual(where, names, labelNames);
  const rows = [...(hasHeader ? [] : [first]), ...others];
  const known = { file: namedFile, label: namedLabel };
  const { file, label } = options.onlyByName ? known : withOthers(known, names.length, rows);
  if (file !== undefined && label !== undefined) return { file, label, hasHeader, names };
  if (names.length === 1) {
    const hint = 'Write the file and its label into each row, with a comma between them.';
    throw noTable(where, `one column, ${JSON.stringify(first[0])}`, hint);
  }
  const unsaid = (['file', 'label'] as const).filter(
    (each) => (each === 'file' ? file : label) === undefined,
  );
  throw noTable(
    where,
    hasHeader
      ? `the columns ${listedColumns(first)}`
      : `${names.length} columns, none of a usual name; in the first row ${listedColumns(first)}`,
    `Say ${unsaid.map((each) => `which column holds the ${each}s`).join(', and ')}: --label-columns ${unsaid.map((each) => `${each}=<column>`).join(',')}, by name or place.`,
  );
}

/** What nobody names is told from the other: of two columns it is the other one, and files are where paths are, in one column alone. */
function withOthers(
  { file, label }: Partial<TableColumns>,
  count: number,
  rows: readonly (readonly string[])[],
): Partial<TableColumns> {
  const other = (column: number | undefined) =>
    count === 2 && column !== undefined ? 1 - column : undefined;
  const paths = pathColumn(rows);
  const found = file ?? other(label) ?? (paths === label ? undefined : paths);
  return { file: found, label: label ?? other(found) };
}

const mostListed = 20;
const longestListed = 40;

/** Names of columns in a message. */
export function listedColumns(names: readonly string[]): string {
  const shown = names
    .slice(0, mostListed)
    .map((each) => JSON.stringify(each.length > longestListed ? `${each.slice(0, longestListed)}…` : each));
  const more = names.length - mostListed;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A first row is a header where it has a usual name, or where files stand below a cell that is none. */
function isHeader(
  first: readonly string[],
  others: readonly (readonly string[])[],
  { fileColumn, labelColumn }: ColumnOptions,
): boolean {
  if ([fileColumn, labelColumn].some((choice) => typeof choice === 'string')) return true;
  const files = pathColumn(others);
  const cell = files === undefined ? undefined : first[files];
  if (cell !== undefined) return fileNames.includes(folded(cell)) || !looksLikePath(cell);
  return first.some((each) => [...fileNames, ...labelNames].includes(folded(each)));
}

/** The one column of which all cells look like files. */
function pathColumn(rows: readonly (readonly string[])[]): number | undefined {
  const [row = []] = rows;
  const columns = row.flatMap((_, i) => (rows.every((each) => looksLikePath(each[i] ?? '')) ? [i] : []));
  return columns.length === 1 ? columns[0] : undefined;
}

function chosen(
  where: string,
  names: readonly string[],
  what: 'file' | 'label',
  choice: ColumnChoice | undefined,
): number | undefined {
  if (choice === undefined) return undefined;
  const exact = typeof choice === 'number' ? choice - 1 : onlyOne(where, names, (each) => each === choice);
  const index = exact ?? onlyOne(where, names, (each) => folded(each) === folded(String(choice)));
  if (index !== undefined && names[index] !== undefined) return index;
  throw new QuarterturnError(
    'data',
    `${where}: expected a column ${JSON.stringify(choice)} with the ${what}s. Received: ${listedColumns(names)}.`,
  );
}

function usual(where: string, names: readonly string[], spellings: readonly string[]): number | undefined {
  for (const spelling of spellings) {
    const index = onlyOne(where, names, (each) => folded(each) === spelling);
    if (index !== undefined) return index;
  }
  return undefined;
}

/** @throws QuarterturnError `data` if two columns have the name */
function onlyOne(
  where: string,
  names: readonly string[],
  matches: (name: string) => boolean,
): number | undefined {
  const first = names.findIndex(matches);
  const second = names.findIndex((each, i) => i > first && matches(each));
  if (first >= 0 && second >= 0) {
    throw new QuarterturnError(
      'data',
      `${where}, column ${second + 1}: expected each column once. Received: ${JSON.stringify(names[second])} a second time.`,
      { hint: 'Delete one of them, or say by its place which one is meant: --label-columns label=2.' },
    );
  }
  return first < 0 ? undefined : first;
}
