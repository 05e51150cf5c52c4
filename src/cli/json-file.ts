import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { type ErrorCode, QuarterturnError } from '../errors.js';
import { parseJson, parseWith } from '../store/json.js';

/** Room for a million labels; a larger file is something else. */
const maxBytes = 100_000_000;

export interface JsonFileOptions {
  readonly code: ErrorCode;
  /** What to call the file in errors; default: its path. */
  readonly where?: string;
  /** What it is to hold: `a labels file`. */
  readonly expected: string;
  readonly hint: string;
}

/**
 * Read a JSON file that a person may have written, in any editor: UTF-8 or UTF-16, with or without a byte order mark.
 * @throws QuarterturnError where it cannot be read, naming the line where it is no JSON, or each field that is wrong
 */
export async function readJsonFile<S extends z.ZodType>(
  file: string,
  schema: S,
  { code, where = file, expected, hint }: JsonFileOptions,
): Promise<z.infer<S>> {
  const refuse = (received: string, cause: unknown): never => {
    throw new QuarterturnError(code, `${where}: expected ${expected}. Received: ${received}.`, {
      hint,
      cause,
    });
  };
  const bytes = await readBounded(file).catch((cause: unknown) => refuse(reasonOf(cause), cause));
  let text: string;
  try {
    text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch (cause) {
    return refuse('bytes that are neither UTF-8 nor UTF-16', cause);
  }
  return parseWith(schema, parseJson(where, text, { code, hint }), where, expected, { code, hint });
}

async function readBounded(file: string): Promise<Uint8Array> {
  const { size } = await stat(file);
  if (size > maxBytes) throw new RangeError(`${size} bytes, more than the ${maxBytes} that are read`);
  return readFile(file);
}

/** JSON begins with a sign of one byte: a zero beside it is the other half of two, with a byte order mark or without. */
function encodingOf([first, second]: Uint8Array): string {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
}

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return cause.message;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'a folder';
  return `a file that cannot be read (${code ?? 'no reason given'})`;
}
