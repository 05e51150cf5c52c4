import { countOf } from '../counts.js';
import { QuarterturnError } from '../errors.js';
import type { FoundColumns } from './table-columns.js';
import { type RawRow, type RowUnit, structureMark } from './table-rows.js';

/** A file and its class, as a person wrote them down. */
export interface LabelRow {
  /** With `/` between its parts, also where Windows wrote `\`. */
  readonly file: string;
  /** Verbatim, in Unicode's normal form C; absent if the row has none. */
  readonly label?: string;
  /** Line of the file where the row begins, or item of a JSON list, counted from 1. */
  readonly at: number;
}

export interface LabelRowReaderOptions {
  /** Of the table. */
  readonly name: string;
  readonly unit: RowUnit;
  readonly isJson: boolean;
  readonly columns: FoundColumns;
  /** Values that the first row has. */
  readonly width: number;
}

/** Longer paths than systems have, and labels that no chart could show, were not meant. */
const maxChars = 4096;

/** Rows as files and labels, and what was met on the way. */
export class LabelRowReader {
  #backslashes = 0;
  readonly #spellings = new Map<string, string>();
  readonly #merged = new Set<string>();

  constructor(private readonly options: LabelRowReaderOptions) {}

  read(row: RawRow): LabelRow {
    const { file, label } = this.options.columns;
    if (!this.options.isJson) this.#assertWidth(row);
    const path = this.#cell(row, file);
    if (path === '') throw this.#wrong(row, file, 'a file', 'nothing');
    const withSlashes = path.replaceAll('\\', '/');
    if (withSlashes !== path) this.#backslashes++;
    const text = this.#cell(row, label);
    if (text === '') return { file: withSlashes, at: row.at };
    return { file: withSlashes, label: this.#normalised(text), at: row.at };
  }

  notes(): string[] {
    const { name } = this.options;
    const merged = [...this.#merged].slice(0, 5).join(', ');
    return [
      ...(this.#backslashes > 0
        ? [`${name}: \\ between folders is read as / in ${countOf(this.#backslashes, 'row')}.`]
        : []),
      ...(merged
        ? [`${name}: labels written with different Unicode characters are one class: ${merged}.`]
        : []),
    ];
  }

  /** Two texts that look the same may be different characters: é, or e with an accent behind it. */
  #normalised(text: string): string {
    const label = text.normalize('NFC');
    const before = this.#spellings.get(label);
    if (before === undefined) this.#spellings.set(label, text);
    else if (before !== text) this.#merged.add(label);
    return label;
  }

  /** A comma that is not quoted makes one value two. */
  #assertWidth(row: RawRow): void {
    const { cells, at } = row;
    const { name, columns, width } = this.options;
    // Spreadsheets leave delimiters behind where a column was emptied.
    const surplus = cells.findIndex((cell, i) => i >= width && cell !== '');
    if (surplus < 0 && cells.length > Math.max(columns.file, columns.label)) return;
    const column = surplus < 0 ? cells.length : surplus;
    throw new QuarterturnError(
      'data',
      `${name}, line ${at}, column ${column + 1}: expected ${countOf(width, 'value')}, as in the first row. Received: ${cells.length}.`,
      { hint: surplus < 0 ? undefined : 'Put quotes (") around a text that holds the delimiter.' },
    );
  }

  #cell(row: RawRow, column: number): string {
    const text = row.cells[column] ?? '';
    if (this.options.isJson && text.startsWith(structureMark)) {
      const hint =
        text[1] === '['
          ? 'An image has one label: several labels of one image cannot be learned.'
          : 'Write it as text, in quotes.';
      throw this.#wrong(row, column, 'a text', text.slice(1), hint);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what a name may not hold.
    const control = /[\u0000-\u001f\u007f]/.exec(text)?.[0];
    if (control === '\n' || control === '\r') {
      throw this.#wrong(
        row,
        column,
        'one line',
        `a text with a line break, ${quoted(text)}`,
        'Is a quote (") missing, or one too many?',
      );
    }
    if (control !== undefined)
      throw this.#wrong(row, column, 'a text', `one with a control character, ${quoted(text)}`);
    if (text.length > maxChars)
      throw this.#wrong(row, column, `at most ${maxChars} characters`, `${text.length}`);
    return text;
  }

  #wrong(row: RawRow, column: number, expected: string, received: string, hint?: string): QuarterturnError {
    const { name, unit, isJson, columns } = this.options;
    const title = columns.names[column];
    const place = isJson ? `${title}` : `column ${column + 1}${columns.hasHeader ? ` (${title})` : ''}`;
    const where = `${name}, ${unit} ${row.at}, ${place}`;
    return new QuarterturnError('data', `${where}: expected ${expected}. Received: ${received}.`, { hint });
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
