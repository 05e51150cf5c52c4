import { contentOf } from '../data/image-content.js';
import { QuarterturnError } from '../errors.js';

/** How the text of a table is written as bytes. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** Room for a million labels; a larger file is something else. */
export const maxTableBytes = 100_000_000;

export interface TableText {
  /** Without a byte order mark. */
  readonly text: string;
  readonly encoding: TextEncoding;
}

/**
 * The text of a table that a person may have saved with any program: UTF-8 or UTF-16, with or without a byte order mark;
 * what is neither is read as Windows-1252, which Excel writes in Western Europe, where all of it are characters there.
 *
 * @param encoding overrules what is found
 * @throws QuarterturnError `data` for what is no text (a workbook, an image, a web page), for bytes that the encoding does
 *   not know, and for more than {@link maxTableBytes}
 */
export function decodeTable(name: string, bytes: Uint8Array, encoding?: TextEncoding): TableText {
  if (bytes.length > maxTableBytes) {
    throw noTable(name, `${bytes.length} bytes, more than the ${maxTableBytes} that are read`);
  }
  refuseOther(name, bytes);
  const found = encoding ?? encodingOf(bytes);
  const text = decode(bytes, found);
  if (text !== undefined) return { text, encoding: found };
  const western = encoding === undefined && found === 'utf-8' ? decode(bytes, 'windows-1252') : undefined;
  if (western !== undefined) return { text: western, encoding: 'windows-1252' };
  throw noTable(
    name,
    `bytes that are not ${found.toUpperCase()}`,
    'Save the table as UTF-8, or name its encoding.',
  );
}

/** Undefined where the bytes are no text in this encoding. */
function decode(bytes: Uint8Array, encoding: TextEncoding): string | undefined {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    // The decoder gives bytes that Windows-1252 has no character for as control characters.
    return encoding === 'windows-1252' && /[\u0080-\u009f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Bytes that are looked at for zeros: the file names of UTF-16 tables have one in every second place. */
const sniffedBytes = 4096;

function encodingOf(bytes: Uint8Array): TextEncoding {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const end = Math.min(bytes.length, sniffedBytes);
  for (let i = 0; i < end; i++) if (bytes[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  const [high = 0, low = 0] = zeros;
  // A lone zero byte is a fault of the table, to be told by its line; UTF-16 has one beside most characters.
  if (low > end / 8 && high < low / 8) return 'utf-16le';
  if (high > end / 8 && low < high / 8) return 'utf-16be';
  return 'utf-8';
}

function refuseOther(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw noTable(name, 'an empty file');
  const content = contentOf(bytes);
  if (startsWith(bytes, 'PK\x03\x04')) {
    throw noTable(name, 'an Excel workbook or another ZIP archive', 'Save the sheet as CSV.');
  }
  if (startsWith(bytes, '\xd0\xcf\x11\xe0'))
    throw noTable(name, 'an Excel workbook', 'Save the sheet as CSV.');
  if (startsWith(bytes, 'PAR1')) throw noTable(name, 'a Parquet file', 'Write it as CSV.');
  if (content.kind === 'image') throw noTable(name, `a ${content.format} image`);
  if (content.kind === 'gzip') throw noTable(name, 'a gzip file', 'Unpack it first.');
  if (content.kind === 'other' && /pointer|web page|PDF|zero bytes/.test(content.what)) {
    throw noTable(name, content.what, content.hint);
  }
}

function startsWith(bytes: Uint8Array, magic: string): boolean {
  return [...magic].every((char, i) => bytes[i] === char.charCodeAt(0));
}

/** What is expected of every table of labels. */
export function noTable(name: string, received: string, hint?: string): QuarterturnError {
  return new QuarterturnError(
    'data',
    `${name}: expected a table with the columns file and label. Received: ${received}.`,
    { hint: hint ?? 'CSV, TSV, JSON Lines and JSON can be read.' },
  );
}
