import { csvLine } from '../data/csv-line.js';
import { QuarterturnError } from '../errors.js';
import { readLabelTable } from './label-table.js';
import type { ColumnOptions } from './table-columns.js';
import { decodeTable } from './table-text.js';

/** The byte order mark, by which Excel tells UTF-8. */
const mark = '\uFEFF';

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

interface TableToAppend extends ColumnOptions {
  readonly bytes: Uint8Array;
  /** A row for each is added. */
  readonly files: readonly string[];
}

/**
 * The text of a table of labels with rows added at its end, still without a label. All that stands in it stays as it is: comments,
 * other columns, rows that name no image, the sign between values, the kind of line break. It is to be written as UTF-8.
 *
 * @param name of the table in messages
 * @example
 * const text = appendedTable('labels.csv', { bytes: await readFile('labels.csv'), files: ['scans/1124.png'] });
 * @throws QuarterturnError `data` for what is no table; `usage` for one in JSON
 */
export function appendedTable(name: string, { bytes, files, ...options }: TableToAppend): string {
  const { columns, sniffed } = readLabelTable(name, bytes, options);
  const { delimiter, encoding } = sniffed;
  if (delimiter === undefined) {
    throw new QuarterturnError(
      'usage',
      `${name}: expected a table of CSV or TSV to add rows to. Received: ${sniffed.format.toUpperCase()}.`,
      { hint: 'Name a new table with --out labels.csv: it gets these labels, too.' },
    );
  }
  const { text } = decodeTable(name, bytes);
  const lineBreak = /\r\n|\n|\r/.exec(text)?.[0] ?? '\r\n';
  const rows = files.map((file) => {
    const cells = Array.from({ length: columns.names.length }, (_, i) => (i === columns.file ? file : ''));
    return csvLine(cells, { delimiter }).replace(/\r\n$/, lineBreak);
  });
  const added = rows.join('');
  const before = text === '' || /[\r\n]$/.test(text) ? text : text + lineBreak;
  const had = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const isMarked = had || encoding !== 'utf-8' || (isAscii(text) && !isAscii(added));
  return (isMarked ? mark : '') + before + added;
}
