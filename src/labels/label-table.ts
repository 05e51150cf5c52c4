import { byCount, countOf } from '../counts.js';
import { type LabelRow, LabelRowReader } from './label-rows.js';
import { type ColumnOptions, type FoundColumns, findColumns, type TableColumns } from './table-columns.js';
import {
  delimitedRows,
  jsonLinesRows,
  jsonRows,
  type RawRow,
  type RawTable,
  type RowUnit,
} from './table-rows.js';
import { decodeTable, noTable, type TextEncoding } from './table-text.js';

export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'json';

/** Options for reading a table; what is not given is detected. */
export interface LabelTableOptions extends ColumnOptions {
  /** Default: by the name's ending, else by the first character. */
  readonly format?: TableFormat | undefined;
  /** Default: the one of comma, semicolon, tab and bar that the lines have equally often. */
  readonly delimiter?: string | undefined;
  /** Default: by the byte order mark, else by what the bytes can be. */
  readonly encoding?: TextEncoding | undefined;
}

/** The detected reading of a table, so that it can be reported and overruled. */
export interface SniffedTable {
  readonly format: TableFormat;
  readonly encoding: TextEncoding;
  /** Of CSV and TSV. */
  readonly delimiter?: string;
  readonly hasHeader: boolean;
  /** Names of the two columns that are read; `column 1` … if there is no header. */
  readonly fileColumn: string;
  readonly labelColumn: string;
  readonly unit: RowUnit;
}

/** Which files have which labels. */
export interface LabelTable {
  /** Name of the table in messages. */
  readonly name: string;
  readonly rows: readonly LabelRow[];
  readonly sniffed: SniffedTable;
  /** Places of the two columns that are read, from 0, and the names of all. */
  readonly columns: TableColumns & { readonly names: readonly string[] };
  /** Notes for a person on how it was read, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Read a table of labels: CSV, TSV, JSON Lines or JSON with a column of files and one of labels, as any program or person
 * writes it.
 *
 * Labels are text as it stands there (`007` is not `7`) in Unicode's normal form C; an empty one is none. Blanks around
 * values that are not quoted are left out. At most 100 MB and two million rows are read, into about 300 bytes a row.
 *
 * @param name what to call it in messages; its ending tells the format
 * @example
 * const { rows } = readLabelTable('labels.csv', await readFile('labels.csv'));
 * rows[0]; // { file: 'cats/1.png', label: 'cat', at: 2 }
 * @throws QuarterturnError `data` naming the line and the column of what is wrong, and what was expected there
 */
export function readLabelTable(name: string, bytes: Uint8Array, options: LabelTableOptions = {}): LabelTable {
  const { text, encoding } = decodeTable(name, bytes, options.encoding);
  if (text.trim() === '') throw noTable(name, 'nothing but blanks');
  const format = options.format ?? formatOf(name, text);
  const { raw, delimiter } = rawTable(name, text, format, options.delimiter);
  const { rows, notes, columns } = withoutComments(name, raw, format, options);
  const [first] = rows;
  if (first === undefined) throw noTable(name, 'no rows');
  const header = columns.hasHeader ? first : undefined;
  const body = columns.hasHeader ? rows.slice(1) : rows;
  if (body.length === 0) throw noTable(name, 'a header without rows');

  const reader = new LabelRowReader({
    name,
    unit: raw.unit,
    isJson: isJson(format),
    columns,
    width: first.cells.length,
  });
  const labelled = body.filter((row) => !isHeaderAgain(row, header)).map((row) => reader.read(row));
  const repeated = body.length - labelled.length;
  return {
    name,
    rows: labelled,
    columns: { file: columns.file, label: columns.label, names: columns.names },
    sniffed: {
      format,
      encoding,
      ...(delimiter !== undefined && { delimiter }),
      hasHeader: columns.hasHeader,
      fileColumn: columns.names[columns.file] ?? '',
      labelColumn: columns.names[columns.label] ?? '',
      unit: raw.unit,
    },
    notes: [
      ...notes,
      ...(encoding === 'windows-1252' && options.encoding === undefined
        ? [`${name} is not UTF-8 and was read as Windows-1252${exampleOf(labelled)}.`]
        : []),
      ...(columns.hasHeader
        ? []
        : [
            `${name} has no header: ${columns.names[columns.file]} is read as files, ${columns.names[columns.label]} as labels.`,
          ]),
      ...(repeated > 0 ? [`${name}: the header stands ${repeated + 1} times in it; it is no row.`] : []),
      ...reader.notes(),
      ...alikeNotes(name, labelled),
    ],
  };
}

function formatOf(name: string, text: string): TableFormat {
  const start = text.trimStart()[0];
  const ending = /\.(csv|tsv|tab|txt|jsonl|ndjson|json)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl';
  if (ending === 'tsv' || ending === 'tab') return 'tsv';
  if (ending === 'csv' || ending === 'txt') return 'csv';
  if (start !== '{' && start !== '[') return ending === 'json' ? 'json' : 'csv';
  // One object a line, whatever the file is called.
  return /^\s*\{[^\r\n]*\}\s*[\r\n]+\s*\{/.test(text.slice(0, 100_000)) ? 'jsonl' : 'json';
}

function rawTable(
  name: string,
  text: string,
  format: TableFormat,
  delimiter: string | undefined,
): { readonly raw: RawTable; readonly delimiter?: string } {
  if (format === 'json') return { raw: jsonRows(name, text) };
  if (format === 'jsonl') return { raw: jsonLinesRows(name, text) };
  const raw = delimitedRows(name, text, delimiter);
  return { raw, delimiter: raw.delimiter };
}

const isJson = (format: TableFormat): boolean => format === 'json' || format === 'jsonl';

/** Rows that are looked at to tell what the columns hold. */
const sniffedRows = 50;

/** Lines before the header that begin with `#` are comments; among the rows they may be files. */
function withoutComments(
  name: string,
  { rows }: RawTable,
  format: TableFormat,
  options: LabelTableOptions,
): { rows: readonly RawRow[]; notes: readonly string[]; columns: FoundColumns } {
  const isComment = ({ cells }: RawRow) => /^#/.test(cells[0] ?? '');
  const end = rows.findIndex((row) => !isComment(row));
  const comments = isJson(format) ? 0 : end;
  const columnsFrom = (from: number): FoundColumns => {
    const texts = rows
      .slice(from, from + sniffedRows)
      .map(({ cells }) => Array.from(cells, (cell) => cell ?? ''));
    const [first = [], ...others] = texts;
    // JSON names the columns in every object.
    if (isJson(format)) return findColumns(name, first, [], { ...options, header: true, onlyByName: true });
    return findColumns(`${name}, line ${rows[from]?.at}`, first, others, options);
  };
  if (comments > 0) {
    const columns = columnsFrom(comments);
    if (columns.hasHeader) {
      const what = byCount(comments, 'A line', countOf(comments, 'line'));
      const notes = [
        `${what} of comments (#) before the header of ${name} ${byCount(comments, 'is', 'are')} left out.`,
      ];
      return { rows: rows.slice(comments), notes, columns };
    }
  }
  return { rows, notes: [], columns: columnsFrom(0) };
}

function isHeaderAgain({ cells }: RawRow, header: RawRow | undefined): boolean {
  return header !== undefined && header.at > 0 && cells.every((cell, i) => cell === header.cells[i]);
}

/** Labels that differ in case, width or blanks alone are probably one class, but that is not known here. */
function alikeNotes(name: string, rows: readonly LabelRow[]): string[] {
  const groups = new Map<string, Set<string>>();
  for (const label of new Set(rows.map((row) => row.label))) {
    if (label === undefined) continue;
    const key = label.normalize('NFKC').trim().toLowerCase();
    groups.set(key, (groups.get(key) ?? new Set()).add(label));
  }
  const alike = [...groups.values()].filter((group) => group.size > 1);
  if (alike.length === 0) return [];
  const examples = alike
    .slice(0, 5)
    .map((group) => [...group].map((label) => JSON.stringify(label)).join(' and '));
  return [`${name}: different classes whose names look alike: ${examples.join('; ')}.`];
}

function exampleOf(rows: readonly LabelRow[]): string {
  const row = rows.find(({ file, label }) => /[^\0-\x7f]/.test(file + (label ?? '')));
  if (row === undefined) return '';
  const text = /[^\0-\x7f]/.test(row.label ?? '') ? row.label : row.file;
  return ` (${JSON.stringify(text)} in line ${row.at})`;
}
