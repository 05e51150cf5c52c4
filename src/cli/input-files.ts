import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readNamedFile } from '../data/read-file.node.js';

/** Files that a command is to read. */
export interface InputFiles {
  /** In the order given; those of a folder by name. */
  readonly files: readonly string[];
  /** Found in folders and left out: hidden, no regular file, or no picture by their names. */
  readonly passedOver: readonly string[];
}

/** Stands for standard input among file names. */
const standardInput = '-';

/** Files that systems and people leave beside pictures. */
const junk =
  /^\.|^(thumbs\.db|desktop\.ini|icon\r|__macosx)$|\.(txt|csv|tsv|jsonl?|xml|ya?ml|md|ini|log|xmp|aae|html?|zip|tar|onnx|py|ipynb)$/i;

/**
 * The files that arguments name: files themselves, folders, which are walked, and `-` for names on standard input.
 * @param lists files of names, one a line; `-` is standard input too
 * @throws QuarterturnError `data` or `io` for a list that cannot be read
 */
export async function listInputFiles(
  args: readonly string[],
  lists: readonly string[] = [],
): Promise<InputFiles> {
  const files: string[] = [];
  const passedOver: string[] = [];
  for (const arg of args) {
    if (arg === standardInput) await addNamesOf(arg, files);
    else if ((await stat(arg).catch(() => undefined))?.isDirectory()) await walk(arg, files, passedOver);
    else files.push(arg);
  }
  for (const list of lists) await addNamesOf(list, files);
  return { files, passedOver };
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

async function addNamesOf(list: string, files: string[]): Promise<void> {
  const bytes =
    list === standardInput ? await readStandardInput() : await readNamedFile(list, 'a list of names');
  for (const name of parseNames(bytes)) files.push(name);
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Depth first, by name. Links to files are followed, links to folders are not: they may lead in a circle. */
async function walk(folder: string, files: string[], passedOver: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    // It cannot be read as a file either: it gets its line among those that could not.
    files.push(folder);
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (junk.test(entry.name)) passedOver.push(path);
    else if (entry.isDirectory()) await walk(path, files, passedOver);
    else if (await isFile(path, entry)) files.push(path);
    else passedOver.push(path);
  }
}

async function isFile(
  path: string,
  entry: { isFile(): boolean; isSymbolicLink(): boolean },
): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
