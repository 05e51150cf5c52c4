import { CsvError, parse } from 'csv-parse/browser/esm/sync';
import { QuarterturnError } from '../errors.js';
import { parseJson } from '../store/json.js';
import { indexOfLargest } from '../tensor/index-of-largest.js';
import { noTable } from './table-text.js';

/** Where the rows of a table stand: lines of a text, or items of a JSON list. */
export type RowUnit = 'line' | 'item';

/** Rows as they are written, before it is known what their columns mean. */
export interface RawTable {
  readonly rows: readonly RawRow[];
  readonly unit: RowUnit;
}

export interface RawRow {
  /** The line where it begins or the item of the list, counted from 1. */
  readonly at: number;
  /** Undefined: nothing is written there. */
  readonly cells: readonly (string | undefined)[];
}

/** Room for all images that one machine trains on. */
const maxRows = 2_000_000;

/** Signs that stand between values, the likeliest first. */
const delimiters = [',', ';', '\t', '|'];

/** Characters at the start that are looked at to tell the delimiter. */
const sniffedChars = 65_536;
const sniffedLines = 20;

/** `sep=;`: how Excel tells itself the delimiter. */
const sepLine = /^sep=(.)\r?\n/i;

/**
 * Rows of a text whose values are separated by a delimiter.
 * @param delimiter default: the one that all of the first lines have equally often
 * @throws QuarterturnError `data` naming the line of a quote that does not close
 */
export function delimitedRows(
  name: string,
  text: string,
  delimiter?: string,
): RawTable & { readonly delimiter: string } {
  const sep = sepLine.exec(text);
  const body = sep ? text.slice(sep[0].length) : text;
  const separator = delimiter ?? sep?.[1] ?? sniffDelimiter(body);
  const rows: RawRow[] = [];
  const lines = new LineCounter(new TextEncoder().encode(body), sep ? 2 : 1);
  try {
    parse(body, {
      delimiter: separator,
      // All three, also mixed: two files that were joined.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      // An inch sign within a name is no quote.
      relax_quotes: true,
      skip_empty_lines: true,
      // Blanks around a value are alignment; those within quotes are meant.
      trim: true,
      on_record: (cells: string[], { bytes }) => {
        if (rows.length === maxRows) throw tooMany(name);
        rows.push({ at: lines.startOfNext(bytes), cells });
        return null;
      },
    });
  } catch (cause) {
    if (cause instanceof QuarterturnError) throw cause;
    if (!(cause instanceof CsvError)) throw cause;
    const line = lines.startOfNext();
    const open = cause.code === 'CSV_QUOTE_NOT_CLOSED';
    throw new QuarterturnError(
      'data',
      `${name}, line ${line}: expected ${open ? 'a closing quote (")' : `a delimiter (${separator}) or the end of the line behind a closing quote`}. Received: ${open ? 'the end of the file' : 'other text'}.`,
      { hint: 'A quote within a quoted text is written twice ("").', cause },
    );
  }
  return { rows, unit: 'line', delimiter: separator };
}

/** The delimiter that most of the first lines have as often as the very first one; quoted text does not count. */
function sniffDelimiter(text: string): string {
  const counts: Map<string, number>[] = [new Map()];
  let quoted = false;
  for (const char of text.slice(0, sniffedChars)) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '\n' || char === '\r')) {
      if (counts.length === sniffedLines) break;
      if (counts.at(-1)?.size !== 0) counts.push(new Map());
    } else if (!quoted) {
      const line = counts.at(-1);
      line?.set(char, (line.get(char) ?? 0) + 1);
    }
  }
  const agreement = delimiters.map((each) => {
    // Behind comments there is a line that has it.
    const wanted = counts.find((line) => line.has(each))?.get(each);
    return counts.filter((line) => wanted !== undefined && line.get(each) === wanted).length;
  });
  return delimiters[indexOfLargest(agreement)] ?? ',';
}

/** Tells the lines of records by the bytes at which they end. */
class LineCounter {
  #offset = 0;

  constructor(
    readonly bytes: Uint8Array,
    private line: number,
  ) {}

  /** The line where the next record begins; then everything up to its end is counted. */
  startOfNext(end = this.#offset): number {
    while (this.#isBreakOrBlank(this.bytes[this.#offset])) this.#step();
    const start = this.line;
    while (this.#offset < end) this.#step();
    return start;
  }

  #step(): void {
    const [byte, next] = [this.bytes[this.#offset], this.bytes[this.#offset + 1]];
    if (byte === 10 || (byte === 13 && next !== 10)) this.line++;
    this.#offset++;
  }

  #isBreakOrBlank(byte: number | undefined): boolean {
    return byte === 10 || byte === 13 || byte === 32;
  }
}

/**
 * Rows of a JSON text: a list of objects, an object that holds one such list, or an object of files and their labels.
 * @throws QuarterturnError `data` naming line and column of what is no JSON, or what else it is
 */
export function jsonRows(name: string, text: string): RawTable {
  const value = parseJson(name, text, { hint: 'It is a list: [{ "file": "1.png", "label": "cat" }].' });
  const list = listIn(value);
  if (list !== undefined) return objectRows(name, list, 'item');
  if (isRecord(value) && Object.values(value).every((each) => !isRecord(each) && !Array.isArray(each))) {
    const entries = Object.entries(value);
    const objects = entries.map(([file, label]) => ({ file, label }));
    return objectRows(name, objects, 'item');
  }
  throw noTable(name, 'JSON of another form', 'It is a list: [{ "file": "1.png", "label": "cat" }].');
}

/** The list of objects that a document is, or the only one that it holds. */
function listIn(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return undefined;
  const lists = Object.values(value).filter((each) => Array.isArray(each));
  return lists.length === 1 ? lists[0] : undefined;
}

/**
 * Rows of a text with one JSON object a line.
 * @throws QuarterturnError `data` naming line and column of what is no JSON
 */
export function jsonLinesRows(name: string, text: string): RawTable {
  const objects: unknown[] = [];
  const lineNumbers: number[] = [];
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') continue;
    if (objects.length === maxRows) throw tooMany(name);
    objects.push(parseLine(name, line, i + 1));
    lineNumbers.push(i + 1);
  }
  return objectRows(name, objects, 'line', lineNumbers);
}

function parseLine(name: string, line: string, number: number): unknown {
  try {
    return parseJson(name, line);
  } catch (error) {
    if (!(error instanceof QuarterturnError)) throw error;
    // The line as it is counted in the file.
    return parseJson(name, `${'\n'.repeat(number - 1)}${line}`);
  }
}

/** Objects as rows below a header of all names that occur in them. */
function objectRows(
  name: string,
  objects: readonly unknown[],
  unit: RowUnit,
  places?: readonly number[],
): RawTable {
  if (objects.length === 0) throw noTable(name, 'no rows');
  if (objects.length > maxRows) throw tooMany(name);
  const columns = new Map<string, number>();
  const rows = objects.map((object, i): RawRow => {
    const at = places?.[i] ?? i + 1;
    const where = `${name}, ${unit} ${at}`;
    if (!isRecord(object)) {
      throw noTable(where, shown(object), 'Each is an object: { "file": "1.png", "label": "cat" }.');
    }
    const cells: (string | undefined)[] = [];
    for (const [key, value] of Object.entries(object)) {
      const column = columns.get(key) ?? columns.size;
      columns.set(key, column);
      cells[column] = textOf(value);
    }
    return { at, cells };
  });
  const header = { at: 0, cells: [...columns.keys()] };
  return { rows: [header, ...rows], unit };
}

/** What is neither text nor a number is kept as JSON behind a mark, and refused where it is a file or a label. */
export const structureMark = '\u0000';

function textOf(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  const isExact = typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (typeof value === 'object' || !isExact) return structureMark + shown(value);
  return String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function tooMany(name: string): QuarterturnError {
  return noTable(name, `more than the ${maxRows} rows that are read`);
}
