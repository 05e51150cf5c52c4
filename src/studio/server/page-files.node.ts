import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuarterturnError } from '../../errors.js';

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The files of the page, by their addresses. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where the build puts the page: beside this file's own folder. */
const builtPage = fileURLToPath(new URL('../web/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Their names bear a hash of what is in them. */
const immutable = { 'cache-control': 'private, max-age=31536000, immutable' };

/**
 * The page and what belongs to it, read once: what an address asks for is looked up among them, never on the disk.
 * @throws QuarterturnError `io` where it was not built
 */
export async function readPageFiles(folder = builtPage): Promise<PageFiles> {
  const read = async (name: string): Promise<PageFile> => {
    const type = types[extname(name)] ?? 'application/octet-stream';
    const headers = { 'content-type': type, ...(name.startsWith('assets/') && immutable) };
    return { headers, bytes: new Uint8Array(await readFile(`${folder}/${name}`)) };
  };
  try {
    const assets = (await readdir(`${folder}/assets`)).map((name) => `assets/${name}`);
    const files = assets.map(async (name) => [`/${name}`, await read(name)] as const);
    return new Map([['/', await read('index.html')], ...(await Promise.all(files))]);
  } catch (cause) {
    throw new QuarterturnError('io', 'page of the studio: expected to be built. Received: no files.', {
      hint: 'Run node scripts/setup.mjs.',
      cause,
    });
  }
}
