import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import yazl from 'yazl';
import type { FoundImage, FoundImages } from '../../../data/readers/found-images.js';
import { classFoldersOf, freeName, safeName } from '../../../data/safe-name.js';
import { openImages } from '../../../node.js';
import type { Studio } from '../studio.node.js';

/** What of the studio it needs. */
export type ExportedStudio = Pick<Studio, 'project' | 'labelled' | 'pile'>;

/**
 * A ZIP archive of the labelled images in a folder for each class, `<class>/<name>`: their files as they are; of an array, which
 * has none, PNG files.
 */
export function classFolders({ project, labelled, pile }: ExportedStudio): Readable {
  const { data } = project;
  const names = new Map(project.labels.state.classes.map(({ id, name }) => [id, name]));
  const folders = classFoldersOf([...names.values()]);
  const taken = new Set<string>();
  const originals = new OriginalFiles('path' in data ? data.path : undefined);
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error) => output.destroy(error));
  for (const id of labelled.labelledIds()) {
    const index = labelled.indexOf(id);
    const name = pile.images[index]?.name ?? id;
    const folder = folders.get(names.get(labelled.labelOf(id) ?? '') ?? '') ?? 'unknown';
    const isInArray = /\[\d+\]$/.test(name);
    const own = safeName(basename(name)) + (isInArray ? '.png' : '');
    const place = freeName(`${folder}/${own}`, taken, { ending: extname(own) });
    zip.addReadStreamLazy(place, { compress: false }, (callback) => {
      originals
        .open(name)
        .then(async (file) => file ?? Readable.from([Buffer.from((await pile.small(index)).bytes)]))
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
