import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import yazl from 'yazl';
import { openFolderTree } from '../../data/readers/folder-tree.node.js';
import { projectFolderName } from '../../data/readers/foreign-names.js';
import { safeName } from '../../data/safe-name.js';
import { ioError } from '../../store/atomic-file.node.js';
import type { ProjectData } from './project.node.js';
import { type ProjectFile, projectFileName, projectFileText } from './project-file.js';

/** What a project's archive is made of. */
export interface PackedProject {
  readonly name: string;
  /** Of its labels, absolute. */
  readonly folder: string;
  readonly data: ProjectData;
  /** ISO 8601. */
  readonly madeAt?: string;
}

export interface PackOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An archive that is being made. */
export interface ProjectArchive {
  /** Name of the folder that it unpacks to. */
  readonly name: string;
  /** Files in it. */
  readonly count: number;
  readonly bytes: Readable;
}

/** A file of an archive: where it lies, or what it says. */
type Part = { readonly name: string } & ({ readonly path: string } | { readonly text: Buffer });

/** Made of the labels, or said by who serves it: a copy has its own. */
const ownFiles = new Set(['labels.snapshot.json', 'studio.json']);

/** What runs say of the pile, which is made again where it is asked for. */
const isMadeAgain = (name: string): boolean => name.startsWith('answers/');

/** Text gets smaller; pictures, archives and weights do not, and are only copied. */
const packs = /\.(jsonl?|csv|md|html|txt)$/i;

/**
 * A project as a ZIP archive that opens again elsewhere: one folder with the pictures, and `.quarterturn` in it with labels and
 * runs. Nothing is held in memory but the names.
 *
 * Labels are those of this moment. Runs come with their checkpoints, locks stay behind.
 *
 * @returns the archive's bytes as they are made; what fails meanwhile, such as a file that was deleted, ends them with an error
 * @throws QuarterturnError `io`, `data` if the pictures cannot be listed
 */
export async function packProject(
  project: PackedProject,
  { signal }: PackOptions = {},
): Promise<ProjectArchive> {
  const name = safeName(project.name);
  const parts = [...(await ownParts(project)), ...(await pictureParts(project, signal))];
  const zip = new yazl.ZipFile();
  const bytes = zip.outputStream as Readable;
  zip.on('error', (error) => bytes.destroy(error));
  signal?.addEventListener('abort', () => bytes.destroy(signal.reason), { once: true });
  for (const part of parts) {
    const place = `${name}/${part.name}`;
    const compress = packs.test(part.name);
    if ('text' in part) zip.addBuffer(part.text, place, { compress });
    else {
      const { path } = part;
      zip.addReadStreamLazy(place, { compress }, (callback) => callback(null, createReadStream(path)));
    }
  }
  zip.end();
  return { name, count: parts.length, bytes };
}

async function ownParts({ name, folder, data, madeAt }: PackedProject): Promise<Part[]> {
  const path = 'path' in data ? await placeOf(data.path) : undefined;
  const file: ProjectFile = {
    schema: 'quarterturn-project',
    version: 1,
    name,
    madeAt: madeAt ?? new Date().toISOString(),
    data: path === undefined ? { example: 'mnist' } : { given: path.given, path: path.stored },
  };
  const parts: Part[] = [
    { name: `${projectFolderName}/${projectFileName}`, text: Buffer.from(projectFileText(file)) },
  ];
  const journal = await fs.readFile(join(folder, 'labels.jsonl')).catch(() => Buffer.alloc(0));
  const labels = journal.subarray(0, journal.lastIndexOf(10) + 1);
  parts.push({ name: `${projectFolderName}/labels.jsonl`, text: labels });
  for (const inner of await filesBelow(folder)) {
    if (inner === projectFileName || inner === 'labels.jsonl' || ownFiles.has(inner) || isMadeAgain(inner))
      continue;
    parts.push({ name: `${projectFolderName}/${inner}`, path: join(folder, inner) });
  }
  return parts;
}

/** Where pictures lie, as the project in the archive says it. */
async function placeOf(path: string): Promise<{ readonly given: string; readonly stored: string }> {
  const isFolder = (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? true;
  const given = basename(path);
  return { given, stored: isFolder ? '..' : `../${given}` };
}

async function pictureParts(
  { folder, data }: PackedProject,
  signal: AbortSignal | undefined,
): Promise<Part[]> {
  if (!('path' in data)) return [];
  const { path } = data;
  const found = await fs.stat(path).catch((error) => {
    throw ioError('read', path, error);
  });
  if (!found.isDirectory()) return [{ name: basename(path), path }];
  const tree = await openFolderTree(path, { ...(signal && { signal }) });
  await tree.close();
  const own = `${resolve(folder)}/`;
  return tree.entries.flatMap((entry): Part[] => {
    const place = join(path, entry.path);
    if (entry.kind !== 'file' || place.startsWith(own)) return [];
    return [{ name: entry.path, path: place }];
  });
}

/** Files in a folder and in all folders in it, with `/`; those with a dot in front are locks, and what is not finished. */
async function filesBelow(folder: string, within = ''): Promise<string[]> {
  const entries = await fs.readdir(join(folder, within), { withFileTypes: true }).catch((error) => {
    throw ioError('read', folder, error);
  });
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = within === '' ? entry.name : `${within}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await filesBelow(folder, name)));
    else if (entry.isFile()) files.push(name);
  }
  return files.sort();
}
