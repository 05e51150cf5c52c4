import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Hono } from 'hono';
import { z } from 'zod';
import { QuarterturnError } from '../../errors.js';
import { isPictureName } from '../project/picture-name.js';
import type { FolderEntry, FolderListing } from './folders.js';
import { queryOf } from './guards.js';

const archive = /\.(zip|tar|tgz|tar\.gz|npz|parquet)$/i;

/** More than anybody looks through in a list. */
const mostListed = 1000;
/** Folders that are looked into for a name, and below how many others: half a second on a cold disk. */
const mostSearched = 4000;
const deepest = 4;
/** As many as one chooses from. */
const mostFound = 12;

const foldersQuery = z.strictObject({ path: z.string().min(1).max(4096).optional() });
const searchQuery = z.strictObject({ name: z.string().min(1).max(255) });

/** Folders of this machine, for whoever has the token: it could open any of them by its path. */
export function addFolderRoutes(app: Hono): void {
  app.get('/api/folders', async (c) => {
    const { path } = queryOf(c, foldersQuery, 'a folder');
    return c.json(await listFolder(path ?? homedir()));
  });
  app.get('/api/folders/search', async (c) => {
    return c.json({ folders: await findFolders(queryOf(c, searchQuery, 'a name').name) });
  });
}

/** @throws QuarterturnError `data` for what is no folder that can be read */
export async function listFolder(given: string): Promise<FolderListing> {
  const path = resolve(given);
  const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
    const received = {
      ENOENT: 'nothing of this name',
      ENOTDIR: 'a file',
      EACCES: 'one that is closed to you',
    };
    const what = received[cause.code as keyof typeof received] ?? cause.code;
    throw new QuarterturnError('data', `${path}: expected a folder that can be read. Received: ${what}.`, {
      cause,
    });
  });
  const shown = entries.filter(({ name }) => !name.startsWith('.'));
  const entry = ({ name }: Dirent): FolderEntry => ({ name, path: join(path, name) });
  const sorted = (some: readonly Dirent[]): FolderEntry[] =>
    some
      .map(entry)
      .sort((a, b) => order.compare(a.name, b.name))
      .slice(0, mostListed);
  const parent = dirname(path);
  return {
    path,
    parent: parent === path ? null : parent,
    folders: sorted(shown.filter((each) => each.isDirectory())),
    archives: sorted(shown.filter((each) => each.isFile() && archive.test(each.name))),
    pictures: shown.filter((each) => each.isFile() && isPictureName(each.name)).length,
    places: await places(),
  };
}

const order = new Intl.Collator('en', { numeric: true });

async function places(): Promise<FolderEntry[]> {
  const home = homedir();
  const usual = ['Pictures', 'Desktop', 'Documents', 'Downloads'].map((name) => ({
    name,
    path: join(home, name),
  }));
  const all = [{ name: 'Home', path: home }, ...usual, { name: 'Where it was started', path: process.cwd() }];
  const isFolder = async ({ path }: FolderEntry): Promise<boolean> =>
    stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
  const there = await Promise.all(all.map(isFolder));
  return all.filter((_, i) => there[i]);
}

/**
 * Folders of a name below the person's own and where the studio was started, the nearest first: of one that is dropped on a page, the browser
 * tells the name alone.
 */
export async function findFolders(name: string): Promise<FolderEntry[]> {
  const found = new Set<string>();
  let level = [...new Set([process.cwd(), homedir()])];
  let searched = 0;
  for (let depth = 0; depth < deepest && level.length > 0 && found.size < mostFound; depth++) {
    const some = level.slice(0, mostSearched - searched);
    searched += some.length;
    const listed = await Promise.all(
      some.map(async (path) => {
        const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
        return entries
          .filter((each) => each.isDirectory() && !each.name.startsWith('.') && each.name !== 'node_modules')
          .map((each) => join(path, each.name));
      }),
    );
    level = [...new Set(listed.flat())];
    for (const path of level) if (path.endsWith(join('/', name)) && found.size < mostFound) found.add(path);
  }
  return [...found].map((path) => ({ name, path }));
}
