import { readNamedFile } from '../data/read-file.node.js';

/** Stands for standard input among names. */
const standardInput = '-';

/**
 * What arguments name, in their order: files, folders and archives, and `-` for names on standard input.
 * @param lists files of names, one a line; `-` is standard input too
 * @throws QuarterturnError `data` or `io` for a list that cannot be read
 */
export async function listInputs(args: readonly string[], lists: readonly string[] = []): Promise<string[]> {
  const inputs: string[] = [];
  for (const arg of args) {
    if (arg === standardInput) await addNamesOf(arg, inputs);
    else inputs.push(arg);
  }
  for (const list of lists) await addNamesOf(list, inputs);
  return inputs;
}

/**
 * Names of files in a list: one a line, or with zero bytes between if there are any (`find -print0`), which is the only
 * way for names with line breaks.
 */
export function parseNames(bytes: Uint8Array): string[] {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe; // as Windows PowerShell writes it
  const text = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
  const names = text.includes('\0') ? text.split('\0') : text.split(/\r?\n/);
  return names.filter((name) => name !== '');
}

async function addNamesOf(list: string, inputs: string[]): Promise<void> {
  const bytes =
    list === standardInput ? await readStandardInput() : await readNamedFile(list, 'a list of names');
  for (const name of parseNames(bytes)) inputs.push(name);
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}
