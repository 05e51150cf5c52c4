import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import yazl from 'yazl';
import type { FoundImage, FoundImages } from '../../../data/readers/found-images.js';
import { classFoldersOf, freeName, safeName, unsureFolderBeside } from '../../../data/safe-name.js';
import { openImages } from '../../../node.js';
import type { RunAnswers } from '../explore/run-answers.js';
import type { LearnedLabel } from '../runs/known-run.js';
import type { Studio } from '../studio.node.js';
import { saidOfPile } from './said-of-pile.node.js';

/** What of the studio it needs. */
export type ExportedStudio = Pick<Studio, 'project' | 'labelled' | 'pile'>;

/** A picture that goes into a folder of an archive. */
interface Placed {
  /** Of its image, in the pile. */
  readonly index: number;
  /** As the pile calls it. */
  readonly file: string;
  readonly folder: string;
}

/**
 * A ZIP archive of the labelled images in a folder for each class, `<class>/<name>`: their files as they are; of an array, which
 * has none, PNG files.
 */
export function classFolders(studio: ExportedStudio): Readable {
  const { labelled, pile } = studio;
  const names = namesOfClasses(studio);
  const folders = classFoldersOf([...names.values()]);
  const placed = labelled.labelledIds().map((id) => {
    const index = labelled.indexOf(id);
    const folder = folders.get(names.get(labelled.labelOf(id) ?? '') ?? '') ?? 'unknown';
    return { index, folder, file: pile.images[index]?.name ?? id };
  });
  return packed(studio, placed);
}

interface SortedOptions {
  /** What a run says of the pile. */
  readonly answers: RunAnswers;
  /** The run's classes, in their order: of those that the project has, their ids, so that one that was renamed since is the same. */
  readonly classes: readonly LearnedLabel[];
}

/**
 * A ZIP archive of all images in a folder for each class: by their labels where they have one, else by what a run takes them for; those of
 * which it is unsure in a folder of their own, as `quarterturn predict --sort-into --abstain` puts them. All files of a picture are there.
 */
export function sortedFolders(studio: ExportedStudio, { answers, classes }: SortedOptions): Readable {
  const { labelled, pile } = studio;
  const names = namesOfClasses(studio);
  const said = answers.classNames.map((name, k) => names.get(classes[k]?.id ?? '') ?? name);
  const folders = classFoldersOf([...new Set([...names.values(), ...said])]);
  const unsure = unsureFolderBeside(folders);
  const placed: Placed[] = [];
  for (const { id, files, best, isUnsure } of saidOfPile(pile, answers)) {
    const label = names.get(labelled.labelOf(id) ?? '') ?? (isUnsure ? undefined : said[best]);
    const folder = label === undefined ? unsure : (folders.get(label) ?? 'unknown');
    const index = labelled.indexOf(id);
    for (const file of files) placed.push({ index, file, folder });
  }
  return packed(studio, placed);
}

const namesOfClasses = ({ project }: ExportedStudio): Map<string, string> =>
  new Map(project.labels.state.classes.map(({ id, name }) => [id, name]));

/** Pictures are read when their turn comes, so that an archive of any size takes no room here. */
function packed({ project, pile }: ExportedStudio, placed: readonly Placed[]): Readable {
  const { data } = project;
  const taken = new Set<string>();
  const originals = new OriginalFiles('path' in data ? data.path : undefined);
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error) => output.destroy(error));
  for (const { index, file, folder } of placed) {
    const isInArray = /\[\d+\]$/.test(file);
    const own = safeName(basename(file)) + (isInArray ? '.png' : '');
    const place = freeName(`${folder}/${own}`, taken, { ending: extname(own) });
    zip.addReadStreamLazy(place, { compress: false }, (callback) => {
      originals
        .open(file)
        .then(async (found) => found ?? Readable.from([Buffer.from((await pile.small(index)).bytes)]))
        .then(
          (stream) => callback(null, stream),
          (error) => callback(error, Readable.from([])),
        );
    });
  }
  zip.end();
  output.once('close', () => void originals.close());
  return output;
}

/** The files behind the images of a pile; an archive is opened when the first of its files is asked for. */
class OriginalFiles {
  readonly #path: string | undefined;
  #opened: Promise<FoundImages> | undefined;
  #byName: Map<string, FoundImage> | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Undefined where there is no file of its own. */
  async open(name: string): Promise<Readable | undefined> {
    if (this.#path === undefined) return undefined;
    const root = resolve(this.#path);
    const file = join(root, name);
    if (file.startsWith(root + sep) && (await isFile(file))) return createReadStream(file);
    this.#opened ??= openImages(root);
    const found = await this.#opened;
    this.#byName ??= new Map(found.images.map((image) => [image.name, image]));
    const content = await this.#byName.get(name)?.read();
    if (content === undefined) return undefined;
    if (content.kind === 'file') return Readable.from([Buffer.from(content.bytes)]);
    const { pixels, height, width, channels } = content;
    const raw = { height, width, channels: channels as 1 | 2 | 3 | 4 };
    return Readable.from([await sharp(pixels, { raw }).png().toBuffer()]);
  }

  async close(): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.close?.();
  }
}

const isFile = async (path: string): Promise<boolean> =>
  (await fs.stat(path).catch(() => undefined))?.isFile() ?? false;
